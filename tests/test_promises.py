"""What ``docs/security.md`` promises is kept by tests: each row names some, they are there and assert."""

from __future__ import annotations

import re

import pytest

from tests import promises
from tests.promises import Kept, kept

SAID = promises.PAGE.read_text(encoding="utf-8")
ALL = kept(SAID)
NAME = re.compile(r"…?_?([a-z]+(?:_[a-z]+)+)")


def test_every_row_names_tests_of_a_file_and_every_one_of_them_is_there():
    assert len({one.promise for one in ALL}) > 80 and len(ALL) > 150
    assert [one for one in ALL if not promises.tests_of(one)] == []


def test_no_test_of_a_promise_is_skipped_and_none_asserts_nothing():
    assert [said for one in ALL for said in promises.left_out(one)] == []
    assert [said for one in ALL for said in promises.asserts_nothing(one)] == []


def test_every_test_that_the_text_beside_the_tables_names_is_there():
    written = "\n".join(path.read_text(encoding="utf-8") for path in promises.TESTS.rglob("test_*.py"))
    defined = "\n".join(re.findall(r"def (test_\w+)", written))
    named = {
        name
        for group in re.findall(r"\(([a-z_…, `]+)\)", SAID)
        for name in NAME.findall(group.replace("`", ""))
    }
    files = set(re.findall(r"`((?:[a-z]+/)+test_[a-z_]+\.py)`", SAID))
    assert len(named) > 20 and len(files) > 5
    assert [name for name in sorted(named) if name not in defined] == []
    assert [file for file in sorted(files) if not (promises.TESTS / file).is_file()] == []


PAGE = """
| promise | test in `data/x/test_a.py` |
|---|---|
| one | (first_of_it), (…_second) |
| two | `test_b.py` (third, fourth); the rest: `data/x/test_c.py` |
| three | the same (fifth) |

| what | meaning |
|---|---|
| no promise | nothing |
"""


def test_a_page_is_read_row_by_row():
    a, b, c = "data/x/test_a.py", "test_b.py", "data/x/test_c.py"
    assert kept(PAGE) == [
        *(Kept("one", a, "first_of_it"), Kept("one", a, "second")),
        *(Kept("two", b, "third"), Kept("two", b, "fourth"), Kept("two", c, None)),
        Kept("three", c, "fifth"),
    ]


@pytest.mark.parametrize("cell", ["", "the same", "(a_test_of_nowhere)", "by hand", "`test_b.py` ()"])
def test_a_row_that_names_no_test_is_found(cell):
    with pytest.raises(ValueError):
        kept(f"| promise | test |\n|---|---|\n| one | {cell} |\n")


WRITTEN = """
import pytest
@pytest.mark.skip
def test_a(): assert 1
@pytest.mark.skipif(True, reason="x")
def test_b(): assert 1
def test_c():
    pytest.skip("later")
    assert 1
@pytest.mark.xfail(strict=False)
def test_d(): assert 0
@pytest.mark.slow
def test_e(): looked()
def looked(): assert 1
def test_f(): print("done")
def test_g():
    if not 1: pytest.skip("not of this database")
    assert 1
"""


def test_a_test_that_is_gone_skipped_or_empty_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(promises, "TESTS", tmp_path)
    (tmp_path / "test_x.py").write_text(WRITTEN)
    every = Kept("p", "test_x.py", None)
    assert promises.left_out(every) == [f"test_x.py: test_{name}" for name in "abcd"]
    assert promises.asserts_nothing(every) == ["test_x.py: test_f"]
    assert [*promises.tests_of(Kept("p", "test_x.py", "_g"))] == ["test_g"]
    assert promises.tests_of(Kept("p", "test_x.py", "gone")) == {}
    assert promises.tests_of(Kept("p", "test_gone.py", None)) == {}
    for whole in ("pytestmark = [pytest.mark.slow, pytest.mark.skip]", 'pytest.importorskip("x")'):
        (tmp_path / "test_x.py").write_text(f"import pytest\n{whole}\ndef test_a(): assert 1\n")
        assert promises.left_out(every) == ["test_x.py: the whole file"]


def test_a_run_that_leaves_a_test_of_a_promise_out_altogether_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(promises, "TESTS", tmp_path)
    (tmp_path / "test_x.py").write_text("def test_a(): assert 1\ndef test_b(): assert 1\n")
    page = "| promise | test |\n|---|---|\n| one | `test_x.py` (a, b) |\n"
    outcomes = {
        "test_x.py::test_a": {"skipped"},
        "test_x.py::test_b": {"skipped", "passed"},
        "y": {"skipped"},
    }
    assert promises.never_run(outcomes, page) == ["test_x.py::test_a"]
    assert promises.never_run({}, page) == []  # a run of other tests says nothing
