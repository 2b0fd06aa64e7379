"""Large files are checked by the worker: the same result as on the page, nothing written, nothing left."""

import shutil
from pathlib import Path

import pytest

from dashboard.importing import plan as importing
from dashboard.importing.check_result import result_of
from dashboard.importing.plan import UploadedFile
from dashboard.jobs import asking as jobs
from dashboard.jobs import checks, worker_child
from dashboard.jobs.asking import Cancelled, Task
from dashboard.shell.wording import Words
from data import queries
from data.jobs import live as jobs_live
from data.jobs import table
from data.store import open_store
from data.trust.accounts import Account

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
REGISTRY = Account("petugas", "Petugas", "registry")
FILES = [UploadedFile("bad_terms.csv", (SAMPLES / "bad_terms.csv").read_bytes())]


@pytest.fixture
def store(tmp_path, sqlite_template):
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    opened = open_store(f"sqlite:///{tmp_path / 'tepat.db'}", folder=tmp_path)
    yield opened
    opened.close()


def asked(store, person=REGISTRY):
    return checks.start(store, person, FILES, ["terms"], mapping=None, captured_on=None, reading={})


def test_a_check_by_the_worker_finds_what_the_page_finds_and_writes_nothing(store):
    asked(store)
    job = table.take(store, "a")
    worker_child.do(store, job)
    done = table.find(store, job.job_id)
    found = checks.result(store, done)
    here = result_of(importing.make_plan(store, importing.chosen_files(FILES, ["terms"]), None))
    assert done.status == "done" and done.result["problems"] == len(here.problems) > 0
    words = Words("id")
    assert importing.problem_list(found.problems, words) == importing.problem_list(here.problems, words)
    assert found.counts == here.counts
    assert queries.imports(store).empty
    assert not jobs_live.files_are_kept(store, job.arguments["files"])
    assert "bad_terms" not in str(done.result) + str(done.step)
    jobs_live.drop_files(store, done.result["checked"])
    assert checks.result(store, done) is None


def test_a_check_can_be_stopped_and_asked_for_only_by_those_who_import(store):
    asked(store)
    job = table.take(store, "a")

    def stop(*_):
        raise Cancelled

    with pytest.raises(Cancelled):
        checks.run(Task(store, job, stop))
    for role in ("advisor", "leadership", "auditor"):
        with pytest.raises(PermissionError):
            asked(store, Account(role, role, role))
    confined = Account("fakultas", "Fakultas", "registry", ("55201",))
    assert not jobs.may_start(confined, "check")


@pytest.mark.parametrize(("size", "large"), [(checks.LARGE, False), (checks.LARGE + 1, True)])
def test_what_is_large_is_decided_by_all_files_together(size, large):
    halves = [UploadedFile("a.csv", b"x" * (size // 2)), UploadedFile("b.csv", b"x" * (size - size // 2))]
    assert checks.is_large(halves) is large
