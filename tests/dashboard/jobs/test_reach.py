"""An account that is confined to programmes gets nothing of any other: no job, no file, no stored report."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest

from dashboard.jobs import asking as jobs
from dashboard.jobs import kinds as jobs_kinds
from dashboard.jobs.asking import Refused, Task
from dashboard.reports import pipeline
from dashboard.shell.wording import Words
from data import queries
from data.jobs import live as jobs_live
from data.jobs import table
from data.trust import reports_store
from data.trust.accounts import Account, write_accounts
from data.trust.scope import Scope

EN = Words("en")
EVERYBODY = Account("office", "Office", "accreditation")
CONFINED = Account("office-if", "Office of Informatics", "accreditation", ("IF",))
NOBODY = Account("office-none", "Nobody's office", "accreditation", ())


def scope_of(account: Account) -> Scope:
    return Scope(account.account, account.role, False, account.program_codes, False, False)


@pytest.fixture
def office(small_register):
    write_accounts(small_register.store, [EVERYBODY, CONFINED, NOBODY])
    return small_register.store


def report_job(store, account: Account) -> dict:
    """What the job of every programme's report makes for somebody, and the job as it ended."""
    jobs.start(store, account, "reports", profile="abet-public", audience="internal", ts=2023)
    job = table.take(store, "a")
    made = jobs_kinds.reports(Task(store, job, lambda *_: None))
    table.finish(store, job, "done", result=made)
    return made


def programs_in(store, made: dict) -> set[str]:
    ((_, content),) = jobs_live.kept_files(store, made["files"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name.split("/")[0] for name in archive.namelist()}


def test_a_report_job_writes_only_the_programmes_of_whoever_asked(office):
    assert programs_in(office, report_job(office, EVERYBODY)) == {"IF", "MI"}
    assert programs_in(office, report_job(office, CONFINED)) == {"IF"}
    with pytest.raises(Refused, match="no_records"):
        report_job(office, NOBODY)


def test_a_job_reads_by_the_account_as_it_is_when_the_job_runs(office):
    jobs.start(office, EVERYBODY, "reports", profile="abet-public", ts=2023)
    write_accounts(office, [replace(EVERYBODY, program_codes=("MI",))])
    made = jobs_kinds.reports(Task(office, table.take(office, "a"), lambda *_: None))
    assert programs_in(office, made) == {"MI"}
    jobs.start(office, EVERYBODY, "reports", profile="abet-public", ts=2023)
    write_accounts(office, [replace(EVERYBODY, active=False)])
    with pytest.raises(Refused, match="not_allowed"):
        jobs_kinds.reports(Task(office, table.take(office, "b"), lambda *_: None))


def test_files_of_a_colleague_s_job_are_given_only_within_one_s_own_programmes(office):
    report_job(office, EVERYBODY)
    (whole,) = table.recent(office, ["reports"])
    assert jobs.may_fetch(EVERYBODY, whole)
    assert not jobs.may_fetch(CONFINED, whole) and not jobs.may_fetch(NOBODY, whole)
    report_job(office, CONFINED)
    part = next(job for job in table.recent(office, ["reports"]) if job.actor == CONFINED.account)
    assert jobs.may_fetch(CONFINED, part) and jobs.may_fetch(EVERYBODY, part)
    other = Account("office-mi", "Office of Management", "accreditation", ("MI",))
    assert not jobs.may_fetch(other, part)


@pytest.mark.parametrize(
    ("account", "codes"), [(EVERYBODY, {"IF", "MI"}), (CONFINED, {"IF"}), (NOBODY, set())]
)
def test_a_register_holds_the_reader_s_programmes_and_no_others(office, account, codes):
    reader = scope_of(account)
    register = pipeline.read_register(office, reader)
    assert set(register.flow["program_code"]) == set(register.programs["program_code"]) == codes
    on_leave = queries.leave_terms(office, reader)
    assert len(on_leave) == (2 if "IF" in codes else 0)  # S02 and S08, both of Informatics
    active = reports_store.active_years(office, reader, range(2019, 2024))
    named = queries.students(office, Scope.system()).set_index("student_key")["program_code"]
    assert set(named[active["student_key"]]) == codes
    assert set(queries.flow_counts(office, reader)["program_code"]) == codes
    counts = reports_store.register_counts(office, reader)
    assert counts["students"] == int(named.isin(codes).sum())
    assert (counts["terms"] == 0) == (not codes)
    assert set(queries.retention(office, reader)["program_code"]) == codes


def test_every_programme_together_is_no_report_for_a_confined_account(office):
    register = pipeline.read_register(office, scope_of(CONFINED))
    with pytest.raises(PermissionError, match="program_code must be named"):
        pipeline.build(office, register, pipeline.Request("abet-public", "", 2023))
    with pytest.raises(KeyError, match="program_code must be one of \\['IF'\\], got 'MI'"):
        pipeline.build(office, register, pipeline.Request("abet-public", "MI", 2023))


def test_stored_reports_are_listed_opened_proved_and_approved_within_reach_only(office):
    register = pipeline.read_register(office, Scope.system())
    numbers = {}
    for code in ("IF", "MI", ""):
        built = pipeline.build(office, register, pipeline.Request("abet-public", code, 2023))
        numbers[code] = pipeline.prepare(office, *built, actor="siti", role="accreditation").report_id
    confined = scope_of(CONFINED)
    assert reports_store.report_list(office, confined)["report_id"].tolist() == [numbers["IF"]]
    assert len(reports_store.report_list(office, scope_of(EVERYBODY))) == 3
    assert reports_store.report_list(office, scope_of(NOBODY)).empty
    assert pipeline.prove(office, confined, numbers["IF"]).intact
    for code in ("MI", ""):
        for act in (
            lambda number: reports_store.stored_report(office, confined, number),
            lambda number: pipeline.prove(office, confined, number),
            lambda number: pipeline.approve(office, confined, number, actor="x", role="leadership"),
        ):
            with pytest.raises(KeyError, match="no report has the number"):
                act(numbers[code])
    approved, _ = pipeline.approve(office, confined, numbers["IF"], actor="dekan", role="leadership")
    assert approved.status == "approved"


def test_an_account_confined_to_programmes_imports_and_undoes_nothing(office, served, screen):
    confined = Account("petugas-if", "Petugas", "registry", ("IF",))
    whole = Account("petugas", "Petugas", "registry")
    served(office)
    with pytest.raises(PermissionError, match="an import needs an account of every programme"):
        jobs.start(office, confined, "import", files="x", kinds=["students"])
    at = screen.drawn("data", confined)
    assert not at.exception and EN("data.confined_title") in screen.texts(at)
    assert not at.get("file_uploader") and not any(button.key == "undo-sure" for button in at.button)
    job_id = jobs.start(office, whole, "enrol")
    (job,) = [one for one in table.open_jobs(office) if one.job_id == job_id]
    for act in (jobs.stop, jobs.again):
        with pytest.raises(PermissionError, match="its own jobs only"):
            act(office, confined, job)
