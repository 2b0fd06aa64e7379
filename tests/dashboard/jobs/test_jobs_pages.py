"""The pages of data and jobs without a browser: empty, in use, refused, broken."""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from dashboard.importing import plan as importing
from dashboard.importing.plan import UploadedFile
from dashboard.jobs import asking as jobs
from dashboard.jobs import imports as jobs_import
from dashboard.jobs import worker_child
from dashboard.shell.plain import plain
from dashboard.shell.wording import Words
from data import queries, schema
from data.jobs import live as jobs_live
from data.jobs import table
from data.store import open_store
from data.trust import erase
from data.trust.accounts import Account, write_accounts
from data.trust.undo import last_import

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SIAKAD = ("siakad_students.csv", "siakad_terms.csv", "siakad_outcomes.csv")
EN = Words("en")
REGISTRY = Account("registry", "Registry", "registry")
ADMIN = Account("admin", "Admin", "administrator")


def _page(name, account, language):
    """The script that AppTest runs: one page for one person, as the router would draw it."""
    import streamlit as st

    from dashboard.components.layout import guarded

    st.session_state["language"] = language
    st.session_state["person"] = account
    guarded(name)()


def drawn(name: str, account: Account, language: str = "en") -> AppTest:
    kwargs = {"name": name, "account": account, "language": language}
    return AppTest.from_function(_page, default_timeout=60, kwargs=kwargs).run()


def texts(at: AppTest) -> str:
    kinds = (at.title, at.header, at.markdown, at.caption, at.error, at.warning, at.success, at.info)
    return "\n".join(str(part.value) for parts in kinds for part in parts)


@pytest.fixture
def store(tmp_path, sqlite_template, monkeypatch):
    """The app on an empty store, without a worker."""
    from dashboard.shell import caches, stores

    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    opened = open_store(f"sqlite:///{tmp_path / 'tepat.db'}", folder=tmp_path)
    monkeypatch.setattr(stores, "store", lambda: opened)
    caches._read.clear()
    yield opened
    opened.close()


def files(*names: str) -> list[UploadedFile]:
    return [UploadedFile(name, (SAMPLES / name).read_bytes()) for name in names]


def asked(store, *names: str, skip_bad: bool = True, mapping=None) -> str:
    given = files(*names)
    kinds = [importing.guess_kind(file) for file in given]
    about = {"mapping": mapping, "captured_on": "entry", "skip_bad": skip_bad}
    return jobs_import.start(store, REGISTRY, given, kinds, **about)


def work(store) -> table.Job:
    """Do the next job in this process, as the worker's child would."""
    job = table.take(store, "a")
    worker_child.do(store, job)
    return table.find(store, job.job_id)


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_page_of_jobs_says_that_nothing_has_run_yet(store, language):
    at = drawn("jobs", ADMIN, language)
    assert not at.exception
    assert Words(language)("jobs.open_none") in texts(at)
    assert Words(language)("jobs.none_title") in texts(at)


@pytest.mark.parametrize("account", [REGISTRY, ADMIN, Account("a", "A", "accreditation")])
def test_a_reader_is_offered_what_the_role_may_ask_for_and_nothing_else(store, account):
    at = drawn("jobs", account)
    offered = {button.key.removeprefix("start-") for button in at.button if button.key.startswith("start-")}
    own = {"feeder", "embed", "train", "score", "reports"} & set(jobs.kinds_for(account.role))
    assert offered == own


def test_a_job_that_waits_without_a_worker_says_so_and_can_be_stopped(store):
    at = drawn("jobs", ADMIN)
    at.button(key="start-score").click().run()
    (job,) = table.open_jobs(store)
    assert job.kind == "score"
    assert EN("jobs.no_worker") in texts(at)
    at.button(key=f"sure-{job.job_id}").click().run()
    assert table.find(store, job.job_id).status == "cancelled"
    assert EN("jobs.open_none") in texts(at)
    assert at.dataframe[0].value.iloc[0][EN("column.state")] == EN("job_status.cancelled")


def test_a_running_job_shows_how_far_it_is(store):
    jobs.start(store, ADMIN, "score")
    job = table.take(store, "a")
    jobs_live.beat(store)
    jobs_live.report(store, job.job_id, jobs_live.JobProgress(3, 9, "scoring as of 3 terms"))
    at = drawn("jobs", ADMIN)
    assert "Scoring as of 3 terms · 3 of 9" in at.get("progress")[0].proto.text
    assert at.get("progress")[0].proto.value == 33
    assert EN("jobs.no_worker") not in texts(at)


def test_the_history_tells_how_jobs_ended_and_offers_another_try(store):
    jobs.start(store, ADMIN, "score")
    assert work(store).problem == "no_model"
    at = drawn("jobs", ADMIN)
    row = at.dataframe[0].value.iloc[0]
    assert row[EN("column.state")] == EN("job_status.failed")
    assert row[EN("column.outcome")] == EN("job_problem.no_model")
    assert drawn("jobs", REGISTRY).dataframe.len == 0


def test_the_reports_of_all_programmes_can_be_fetched_once_they_are_made(store, monkeypatch):
    from dashboard.reports import pipeline

    def printed(_store, _register, table, _provenance, audiences) -> dict[str, bytes]:
        return {f"{table.profile.id}_{audiences[0]}.csv": b"figures"}

    monkeypatch.setattr(pipeline, "print_files", printed)  # typesetting has tests of its own
    work_import(store)
    asking = Account("akreditasi", "A", "accreditation")
    write_accounts(store, [asking])
    jobs.start(store, asking, "reports", profile="iaps40-8c")
    made = work(store)
    assert made.status == "done"
    ((name, content),) = jobs_live.kept_files(store, made.result["files"])
    assert name.startswith("iaps40-8c_20")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) == made.result["programs"] > 0
        assert archive.namelist()[0].endswith("/iaps40-8c_internal.csv")


def work_import(store) -> table.Job:
    asked(store, *SIAKAD)
    return work(store)


def test_an_import_is_done_by_the_worker_and_leaves_no_file(store):
    asked(store, *SIAKAD, "signatures.zip")
    done = work(store)
    assert done.status == "done"
    assert done.result["counts"]["students"] == {"new": 30, "changed": 0, "same": 0}
    assert done.result["counts"]["signatures"]["new"] == 12
    assert queries.imports(store)["import_id"].tolist() == [done.result["import_id"]]
    assert not list((store.folder / "jobs").glob("*/*"))


def test_an_import_that_meets_a_bad_row_writes_nothing_and_keeps_its_files_for_another_try(store):
    work_import(store)
    asked(store, "bad_terms.csv", skip_bad=False)
    failed = work(store)
    assert (failed.status, failed.problem) == ("failed", "rows_refused")
    assert len(queries.imports(store)) == 1
    assert jobs.can_repeat(store, failed)


def test_an_import_that_left_bad_rows_out_says_how_many(store):
    work_import(store)
    asked(store, "bad_terms.csv")
    done = work(store)
    assert done.status == "done" and done.result["refused"] == 10
    assert sum(done.result["counts"]["terms"].values()) == 2  # the other ones of twelve
    shown = drawn("jobs", REGISTRY).dataframe[0].value.iloc[0]
    assert EN("job_done.import_refused", n=10) in shown[EN("column.outcome")]


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_history_names_what_an_import_left_out_and_hands_the_rows_out_while_they_are_kept(
    store, language
):
    words = Words(language)
    work_import(store)
    asked(store, "bad_terms.csv")
    done = work(store)
    at = drawn("data", REGISTRY, language)
    assert not at.exception
    column = at.dataframe[0].value[words("data.left_out_column")].tolist()
    assert column == [words.number(10), words.number(0)]
    assert f"**{words.number(10)}**" in texts(at) and words("data.left_out_kept") in texts(at)
    assert words("data.left_out_download") in [one.label for one in at.get("download_button")]
    kept = jobs_import.left_out(store)[done.result["import_id"]]
    listed = jobs_import.left_out_list(store, kept.file_id).problems
    assert listed.loc[listed["severity"] == "error", "row"].nunique() == 10
    jobs_live.drop_files(store, kept.file_id)
    later = drawn("data", REGISTRY, language)
    assert words("data.left_out_gone") in texts(later)
    assert words("data.left_out_download") not in [one.label for one in later.get("download_button")]


def test_files_that_were_deleted_meanwhile_fail_their_import_in_words(store):
    asked(store, *SIAKAD)
    (job,) = table.open_jobs(store)
    jobs_live.drop_files(store, job.arguments["files"])
    assert work(store).problem == "files_gone"


def test_an_import_that_was_undone_is_not_repeated_under_its_id(store):
    from data.trust.undo import undo_import

    done = work_import(store)
    undo_import(store, done.result["import_id"], actor="a", role="registry")
    kept = jobs_live.keep_files(store, [(file.name, file.data) for file in files(*SIAKAD)])
    jobs.start(store, REGISTRY, "import", **{**done.arguments, "files": kept})
    assert work(store).problem == "undone"


def test_the_data_page_shows_an_import_under_way(store):
    asked(store, *SIAKAD)
    at = drawn("data", REGISTRY)
    assert not at.exception
    assert EN("data.open_title") in texts(at)
    assert at.get("progress")


def test_the_last_import_is_undone_from_the_page_once_it_is_confirmed(store):
    done = work_import(store)
    at = drawn("data", REGISTRY)
    assert plain("siakad_students.csv") in texts(at)
    at.session_state["steps-data"] = {"embed": "a job asked for after the import"}
    at.button(key="undo-sure").click().run()
    assert "steps-data" not in at.session_state  # what came after it is followed no longer
    assert queries.counts(store).set_index("table").loc["students", "rows"] == 0
    assert "Undone: 238 rows deleted, 0 restored." in texts(at)
    assert EN("data.undo_none") in texts(at)
    assert last_import(store) is None
    assert at.dataframe[0].value.iloc[0][EN("column.import_state")] == EN("data.state_undone")
    assert queries.imports(store).iloc[0]["import_id"] == done.result["import_id"]


def test_an_undo_that_comes_too_late_is_refused_in_words(store):
    from data.store import add_case_event

    work_import(store)
    at = drawn("data", REGISTRY)
    with store.reading() as connection:
        from sqlalchemy import select

        from data import schema

        key = connection.scalar(select(schema.students.c.student_key).limit(1))
    add_case_event(store, key, "ani", "note", {"text": "Talked"})
    at.button(key="undo-sure").click().run()
    assert EN("data.undo_used") in texts(at)
    assert queries.counts(store).set_index("table").loc["students", "rows"] == 30


LACKING = b"NIM,Nama,Kode Prodi,Jenjang,JK\n2101,Ani,55201,S1,P\n2102,Budi,55201,S1,L\n"


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_file_without_a_needed_column_is_not_called_right(store, language):
    words = Words(language)
    at = drawn("data", REGISTRY, language)
    at.file_uploader(key="upload").upload("mahasiswa.csv", LACKING, "text/csv").run()
    assert not at.exception
    (warning,) = at.warning
    assert words("import_column.cohort_term") in warning.value
    assert words("data.kind_students") in warning.value
    assert words("data.all_skipped") in texts(at)
    assert not {"check", "apply"} & {button.key for button in at.button}
    assert words("data.problems_none") not in texts(at)


def test_a_file_without_a_needed_column_is_read_once_somebody_says_what_holds_for_every_row(store):
    at = drawn("data", REGISTRY)
    at.file_uploader(key="upload").upload("mahasiswa.csv", LACKING, "text/csv").run()
    select = next(one for one in at.selectbox if one.value == "skip")
    select.select("students").run()
    assert "check" in {button.key for button in at.button}
    assert EN("data.all_skipped") not in texts(at)
    field = next(one for one in at.text_input if "cohort_term" in one.key)
    field.set_value("20211").run()
    at.button(key="check").click().run()
    assert not at.error
    assert not at.button(key="apply").disabled


def test_a_file_left_out_by_choice_is_not_warned_about(store):
    at = drawn("data", REGISTRY)
    (file,) = files(SIAKAD[0])
    at.file_uploader(key="upload").upload(file.name, file.data, "text/csv").run()
    next(one for one in at.selectbox if one.value == "students").select("skip").run()
    assert not at.warning
    assert EN("data.all_skipped") in texts(at)


def test_wrong_rows_change_what_the_check_says_would_be_written(store):
    at = drawn("data", REGISTRY)
    wrong = b"NIM,Nama,Kode Prodi,Jenjang,JK,Periode Masuk\n1,Ani,55201,S1,P,20211\n2,Budi,55201,S1,L,x\n"
    at.file_uploader(key="upload").upload("mahasiswa.csv", wrong, "text/csv").run()
    at.button(key="check").click().run()
    assert EN("data.would_without_wrong") in texts(at)
    assert f"**{EN('data.would')}**" not in texts(at)


def test_the_history_does_not_deny_an_import_that_runs(store):
    asked(store, *SIAKAD)
    told = texts(drawn("data", REGISTRY))
    assert EN("data.history_first") in told
    assert EN("data.history_empty") not in told


def test_the_import_is_asked_for_before_the_page_is_drawn_again(store, monkeypatch):
    at = drawn("data", REGISTRY)
    (file,) = files(SIAKAD[0])
    at.file_uploader(key="upload").upload(file.name, file.data, "text/csv").run()
    at.button(key="check").click().run()
    from dashboard.importing.view import wizard

    seen = []
    choose = wizard.choose_files
    monkeypatch.setattr(
        wizard, "choose_files", lambda: [seen.append(len(table.open_jobs(store))), choose()][1]
    )
    at.button(key="apply").click().run()
    assert seen == [1]
    assert "apply" not in {button.key for button in at.button}


def test_a_check_says_that_nothing_is_new_and_that_an_import_is_still_under_way(store):
    asked(store, *SIAKAD)
    at = drawn("data", REGISTRY)
    (file,) = files(SIAKAD[0])
    at.file_uploader(key="upload").upload(file.name, file.data, "text/csv").run()
    at.button(key="check").click().run()
    assert EN("data.import_first") in [one.value for one in at.warning]
    assert EN("data.nothing_new") not in [one.value for one in at.info]
    assert work(store).status == "done"
    at = drawn("data", REGISTRY)
    at.file_uploader(key="upload").upload(file.name, file.data, "text/csv").run()
    at.button(key="check").click().run()
    assert EN("data.nothing_new") in [one.value for one in at.info]
    assert EN("data.import_first") not in [one.value for one in at.warning]


def test_an_import_that_is_pressed_again_while_it_is_open_is_asked_for_once(store, monkeypatch):
    """Several presses in one burst reach the callback before the page is drawn anew."""
    from dashboard.importing.view import asked as module

    start = module._start
    monkeypatch.setattr(module, "_start", lambda *given: [start(*given) for _press in range(3)])
    at = drawn("data", REGISTRY)
    (file,) = files(SIAKAD[0])
    at.file_uploader(key="upload").upload(file.name, file.data, "text/csv").run()
    at.button(key="check").click().run()
    at.button(key="apply").click().run()
    assert not at.exception and len(table.open_jobs(store)) == 1
    assert work(store).status == "done"


@pytest.mark.parametrize(
    ("page", "kind", "button"),
    [("model", "train", "retrain"), ("duplicates", "duplicates", "duplicate-search")],
)
def test_a_job_that_another_tab_asked_for_is_found_and_not_offered_again(store, page, kind, button):
    table.enqueue(store, kind, {}, actor="somebody", role="administrator")
    at = drawn(page, REGISTRY if kind == "duplicates" else ADMIN)
    assert not at.exception
    assert at.get("progress")
    assert button not in {one.key for one in at.button}


def test_the_headers_of_a_file_can_be_tied_to_other_columns(store):
    at = drawn("data", REGISTRY)
    (file,) = files(SIAKAD[0])
    at.file_uploader(key="upload").upload(file.name, file.data, "text/csv").run()
    assert not at.exception
    selects = {select.label: select for select in at.selectbox}
    assert selects["Jalur Masuk"].value == "admission_path"
    selects["NIM"].select("").run()
    assert EN("import_column.student_number") in "\n".join(warning.value for warning in at.warning)
    selects = {select.label: select for select in at.selectbox}
    selects["NIM"].select("student_number").run()
    selects = {select.label: select for select in at.selectbox}
    selects["Jalur Masuk"].select("region").run()
    at.button(key="check").click().run()
    assert "own columns" in "\n".join(expander.label for expander in at.expander)
    at.toggle(key="remember-columns").set_value(True).run()
    at.button(key="apply").click().run()
    done = work(store)
    assert done.status == "done"
    from data.records.ingest import remembered_mappings

    (kept,) = remembered_mappings(store)
    assert kept.table("students").chosen["Jalur Masuk"] == "region"


def test_a_worker_that_finds_nothing_returns(store):
    from dashboard.jobs.worker import work as until_idle

    until_idle(store, Event(), until_idle=True)
    assert jobs_live.worker_alive(store)


def test_the_audit_page_narrows_by_person_and_action_and_tells_details_in_words(store):
    work_import(store)
    jobs.start(store, ADMIN, "score")
    at = drawn("audit", Account("eye", "Eye", "auditor"))
    assert "Whole: 3 entries, each proven" in texts(at)
    table_shown = at.dataframe[0].value
    assert table_shown["#"].tolist() == [3, 2, 1]
    detail = table_shown.iloc[1][EN("column.detail")]
    assert "students (new: 30, changed: 0, same: 0)" in detail
    at.selectbox(key="audit-actor").select("admin").run()
    assert at.dataframe[0].value[EN("column.action")].tolist() == [EN("action.start job")]
    at.selectbox(key="audit-action").select("import files").run()
    assert EN("audit.none_found") in texts(at)


def test_an_administrator_trains_from_the_models_page_and_nobody_else(store):
    at = drawn("model", ADMIN)
    at.slider(key="retrain-trials").set_value(10).run()
    at.button(key="retrain").click().run()
    (job,) = table.open_jobs(store)
    assert (job.kind, job.arguments) == ("train", {"tune": 10})
    assert at.get("progress")
    assert "retrain" not in {button.key for button in at.button}
    assert work(store).problem == "no_records"
    assert EN("job_problem.no_records") in texts(at.run())
    leader = drawn("model", Account("l", "L", "leadership"))
    assert "retrain" not in {button.key for button in leader.button}


# --- the rows that an import left out ---------------------------------------------------------------------
def offered(account: Account) -> list[str]:
    """The lists of rows that an account can take along from the page of data."""
    at = drawn("data", account)
    assert not at.exception
    return [part.proto.id for part in at.get("download_button") if "left-out-" in part.proto.id]


@pytest.fixture
def left_out(store) -> str:
    """The kept list of the rows that the registry's import has left out."""
    asked(store, *SIAKAD)
    work(store)
    asked(store, "bad_terms.csv")
    return work(store).result["left_out"]


def test_rows_left_out_go_to_who_may_see_names_and_to_who_gave_the_files(store, left_out):
    colleague = Account("rina", "Rina", "registry")
    assert len(offered(REGISTRY)) == len(offered(colleague)) == 1
    assert offered(ADMIN) == []  # sees no student elsewhere, and did not give these files
    assert EN("data.left_out_others") in texts(drawn("data", ADMIN))
    found = next(one for one in jobs_import.left_out(store).values() if one.file_id == left_out)
    assert jobs_import.may_have_rows(replace(ADMIN, account=REGISTRY.account), found)
    assert not jobs_import.may_have_rows(replace(colleague, program_codes=("55201",)), found)
    assert not jobs_import.may_have_rows(replace(REGISTRY, role="advisor"), found)


def test_rows_left_out_go_with_an_erasure(store, left_out):
    with store.reading() as connection:
        key = connection.scalar(select(schema.students.c.student_key).limit(1))
    erase.erase_student(store, key)
    assert not jobs_live.files_are_kept(store, left_out)
    assert offered(REGISTRY) == [] and EN("data.left_out_gone") in texts(drawn("data", REGISTRY))
