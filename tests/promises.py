"""What ``docs/security.md`` promises, row by row, and which tests each row names.

A row names a file of tests, or says "the same" for the file of the row above; where it names none, the file
is the one that the table's heading names. What stands in brackets is a part of the name of each test.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "security.md"
FILE = re.compile(r"`((?:[a-z]+/)*test_[a-z_]+\.py)`")
PART = re.compile(rf"{FILE.pattern}|\(([^()]*)\)|(the same)")
NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")


@dataclass(frozen=True)
class Kept:
    """What keeps a promise.

    Parameters
    ----------
    promise : str
        The first cell of the row.
    file : str
        Below ``tests/``.
    name : str or None
        A part of the name of a test in it; None: every test of the file.
    """

    promise: str
    file: str
    name: str | None


def rows(said: str) -> Iterator[tuple[str, str, str | None]]:
    """Promise, last cell and the file of the table's heading, of every row of a table about promises."""
    heading: str | None = None
    inside = about = False
    for line in said.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif not inside:
            inside, about = True, cells[-1].startswith("test")
            found = FILE.search(cells[-1])
            heading = found[1] if found else None
        elif about and set("".join(cells)) - set("- "):
            yield cells[0], cells[-1], heading


def kept(said: str) -> list[Kept]:
    """What keeps each promise of a page.

    Raises
    ------
    ValueError
        When a row names nothing.
    """
    found, before = [], None
    for promise, cell, heading in rows(said):
        file, named, mine = heading, False, []
        for part in PART.finditer(cell):
            name_of_file, inner, same = part.groups()
            if name_of_file or same:
                if file is not None and named is False and (mine or file != heading):
                    mine.append(Kept(promise, file, None))
                file, named = (name_of_file or before), False
                if file is None:
                    raise ValueError(f"{promise!r}: the same as what?")
            else:
                names = [name.strip(" `…_") for name in inner.split(",")]
                if file is None or not all(map(NAME.fullmatch, names)):
                    raise ValueError(f"{promise!r}: {inner!r} is no test of a file")
                mine += [Kept(promise, file, name) for name in names]
                named = True
        if not named and file is not None and (file != heading or not mine):
            mine.append(Kept(promise, file, None))
        if not mine:
            raise ValueError(f"{promise!r} names no test")
        found += mine
        before = file
    return found


def tests_of(one: Kept) -> dict[str, ast.FunctionDef]:
    """The tests that a row names, by name; empty when there is none, or no such file."""
    if not (TESTS / one.file).is_file():
        return {}
    tree = _tree(one.file)
    there = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    return {node.name: node for node in there if one.name is None or one.name in node.name}


def left_out(one: Kept) -> list[str]:
    """Which of its tests are marked to be skipped or to fail, or skip themselves whatever there is."""
    tree, found = _tree(one.file), []
    for node in tree.body:  # the whole file
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "pytestmark"
            and _skips(node.value)
        ):
            found.append(f"{one.file}: the whole file")
        if isinstance(node, ast.Expr) and _skips(node.value):
            found.append(f"{one.file}: the whole file")
    for name, test in tests_of(one).items():
        bare = [node.value for node in test.body if isinstance(node, ast.Expr)]
        if any(map(_skips, [*test.decorator_list, *bare])):
            found.append(f"{one.file}: {name}")
    return found


def _tree(file: str) -> ast.Module:
    return _parsed((TESTS / file).read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _skips(node: ast.expr) -> bool:
    return re.search(r"\bpytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b", ast.unparse(node)) is not None


def asserts_nothing(one: Kept) -> list[str]:
    """Which of its tests neither assert nor expect an error, themselves or by a function of their file."""
    tree = _tree(one.file)
    helpers = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return [
        f"{one.file}: {name}"
        for name, test in tests_of(one).items()
        if not _looks(test, helpers, frozenset())
    ]


def _looks(test: ast.AST, helpers: dict[str, ast.FunctionDef], seen: frozenset[str]) -> bool:
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("pytest.raises", "pytest.fail", "expect") or called.endswith("call_and_validate"):
                return True
            helper = helpers.get(called)
            if helper is not None and called not in seen and _looks(helper, helpers, seen | {called}):
                return True
    return False


def never_run(outcomes: dict[str, set[str]], said: str | None = None) -> list[str]:
    """Tests of promises that a run has left out altogether.

    Parameters
    ----------
    outcomes : dict of str to set of str
        Test, as ``<file below tests>::<name>`` without its parameters, → how its cases ended.
    said : str, optional
        The page; by default the one that there is.
    """
    skipped = {name for name, ended in outcomes.items() if ended == {"skipped"}}
    if not skipped:
        return []
    kept_by = kept(PAGE.read_text(encoding="utf-8") if said is None else said)
    names = {f"{one.file}::{name}" for one in kept_by for name in tests_of(one)}
    return sorted(names & skipped)
