"""What a file leaves open is shown on the page in both languages, and the reader's word reaches the store."""

from __future__ import annotations

import io
import shutil

import openpyxl
import pandas as pd
import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from dashboard.jobs import worker_child
from dashboard.shell.wording import Words
from data import queries, schema
from data.engine.bulk import fetch
from data.jobs import table
from data.store import open_store
from data.trust.accounts import Account

REGISTRY = Account("registry", "Registry", "registry")
STUDENTS = "NIM,Nama,Kode Prodi,Jenjang,Angkatan,Status Awal\n" + "".join(
    f"0211000{number},A,TI,S1,2021,Baru\n" for number in range(1, 4)
)
EXITS = "NIM,Jenis Keluar,Tanggal *Keluar*\n02110001,Lulus,05/12/2024\n02110002,Lulus,06/08/2025\n"


def _page(account, language):
    """The script that AppTest runs: the page of data, as the router would draw it."""
    import streamlit as st

    from dashboard.components.layout import guarded

    st.session_state["language"] = language
    st.session_state["person"] = account
    guarded("data")()


def drawn(language: str = "en") -> AppTest:
    kwargs = {"account": REGISTRY, "language": language}
    return AppTest.from_function(_page, default_timeout=60, kwargs=kwargs).run()


def texts(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.error, at.warning, at.success, at.info)
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


def labelled(parts, label: str):
    (found,) = [part for part in parts if part.label == label]
    return found


@pytest.mark.parametrize("language", ["en", "id"])
def test_an_assumed_order_of_dates_is_said_and_the_readers_word_is_what_is_written(
    store, monkeypatch, language
):
    from dashboard.shell import current_session

    words = Words(language)
    monkeypatch.setattr(
        current_session, "words", lambda: words
    )  # AppTest formats options outside the session
    at = drawn(language)
    uploads = [
        ("s.csv", STUDENTS.encode(), "text/csv"),
        ("o.csv", EXITS.replace("*", "").encode(), "text/csv"),
    ]
    at.file_uploader(key="upload").set_value(uploads).run()
    at.button(key="check").click().run()
    assert not at.exception
    said = "\n".join(str(warning.value) for warning in at.warning)
    assert words("reading.assumed") in said and words("reading.date_order_dmy") in said
    orders = [one for one in at.selectbox if one.label == words("reading.date_order")]
    orders[1].select("mdy").run()
    assert words("reading.assumed") not in texts(at), "the old check no longer holds"
    at.button(key="check").click().run()
    assert words("reading.assumed") not in "\n".join(str(warning.value) for warning in at.warning)
    assert words("reading.date_order_mdy") in texts(at)
    at.button(key="apply").click().run()
    job = table.take(store, "a")
    worker_child.do(store, job)
    assert table.find(store, job.job_id).status == "done"
    with store.reading() as connection:
        days = fetch(connection, select(schema.outcomes.c.exit_date))["exit_date"]
    assert sorted(pd.to_datetime(days).dt.strftime("%Y-%m-%d")) == ["2024-05-12", "2025-06-08"]


@pytest.mark.parametrize("language", ["en", "id"])
def test_empty_terms_are_counted_before_writing_and_the_reader_says_what_they_were(
    store, monkeypatch, language
):
    from dashboard.shell import current_session

    words = Words(language)
    monkeypatch.setattr(current_session, "words", lambda: words)
    terms = "NIM,IPS 1,IPS 2,IPS 3,SKS 1,SKS 2,SKS 3\n02110001,3.0,,3.2,20,,20\n02110002,2.0,,2.5,18,0,20\n"
    at = drawn(language)
    uploads = [("s.csv", STUDENTS.encode(), "text/csv"), ("t.csv", terms.encode(), "text/csv")]
    at.file_uploader(key="upload").set_value(uploads).run()
    at.button(key="check").click().run()
    assert not at.exception
    said = "\n".join(str(warning.value) for warning in at.warning)
    assert words("reading.empty_terms_told_none", n=2) in said
    labelled(at.selectbox, words("reading.empty_terms")).select("leave").run()
    at.button(key="check").click().run()
    assert words("reading.empty_terms_told_leave", n=2) in texts(at)
    at.button(key="apply").click().run()
    job = table.take(store, "a")
    worker_child.do(store, job)
    assert table.find(store, job.job_id).status == "done"
    with store.reading() as connection:
        written = fetch(connection, select(schema.terms.c.term_id, schema.terms.c.status))
    assert sorted(written.loc[written["status"] == "C", "term_id"]) == [20212, 20212]
    assert len(written) == 6


def test_sheets_are_named_and_chosen_and_what_is_left_is_said(store):
    words = Words("en")
    book = openpyxl.Workbook()
    book.active.title = "Ang_2021_"
    for sheet, lines in (
        (book.active, STUDENTS),
        (book.create_sheet("Old"), STUDENTS.replace("0211", "0311")),
    ):
        for line in lines.splitlines():
            sheet.append(line.split(","))
    book.create_sheet("Guide").append(["Column", "Meaning"])
    made = io.BytesIO()
    book.save(made)
    at = drawn()
    at.file_uploader(key="upload").set_value([("book.xlsx", made.getvalue(), "application/xlsx")]).run()
    labelled(at.selectbox, "book\\.xlsx").select("students").run()
    at.button(key="check").click().run()
    said = texts(at)
    assert not at.exception
    assert "Ang\\_2021\\_\\, Old" in said.replace("\u2060", "")
    problems = at.dataframe[-1].value
    assert problems[words("column.value")].tolist().count("Guide") == 1
    labelled(at.multiselect, words("reading.sheets")).select("Old").run()
    at.button(key="check").click().run()
    shown = [frame.value for frame in at.dataframe if "Student number ← NIM" in frame.value]
    assert [number[:4] for number in shown[0]["Student number ← NIM"]] == ["0311"] * 3
    assert queries.imports(store).empty


@pytest.mark.parametrize("language", ["en", "id"])
def test_hidden_rows_are_named_and_left_out_when_the_reader_says_so(store, monkeypatch, language):
    from dashboard.shell import current_session

    words = Words(language)
    monkeypatch.setattr(
        current_session, "words", lambda: words
    )  # AppTest formats options outside the session
    book = openpyxl.Workbook()
    book.active.title = "Data"
    for line in STUDENTS.splitlines():
        book.active.append(line.split(","))
    book.active.row_dimensions[3].hidden = True
    made = io.BytesIO()
    book.save(made)
    at = drawn(language)
    at.file_uploader(key="upload").set_value([("s.xlsx", made.getvalue(), "application/xlsx")]).run()
    at.button(key="check").click().run()
    assert not at.exception
    said = "\n".join(str(warning.value) for warning in at.warning)
    line = f"{words('reading.hidden_rows_read')} ({words('reading.hidden_where', cells='3', sheet='Data')})"
    assert line in said
    labelled(at.selectbox, words("reading.hidden_rows")).select("left").run()
    at.button(key="check").click().run()
    assert words("reading.assumed") not in "\n".join(str(warning.value) for warning in at.warning)
    assert words("reading.hidden_rows_left") in texts(at)
    at.button(key="apply").click().run()
    worker_child.do(store, table.take(store, "a"))
    with store.reading() as connection:
        numbers = fetch(connection, select(schema.identities))["student_number"]
    assert sorted(numbers) == ["02110001", "02110003"]


@pytest.mark.parametrize("language", ["en", "id"])
def test_what_was_answered_about_a_file_is_kept_when_it_is_taken_away_and_given_again(
    store, monkeypatch, language
):
    from dashboard.shell import current_session

    words = Words(language)
    monkeypatch.setattr(current_session, "words", lambda: words)
    terms = (
        "NIM,IPS 1,IPS 2,IPS 3,IPS 4\n02110001,3.0,0,,3.2\n02110002,2.0,,2.5,2.5\n02110003,2.0,2.0,2.5,2.5\n"
    )
    uploads = [("s.csv", STUDENTS.encode(), "text/csv"), ("t.csv", terms.encode(), "text/csv")]
    at = drawn(language)
    at.file_uploader(key="upload").set_value(uploads).run()
    zero = words("data.zero", n=1)
    assert labelled(at.radio, zero).value is None  # nobody has said it yet
    labelled(at.radio, zero).set_value("leave").run()
    labelled(at.selectbox, words("reading.empty_terms")).select("inactive").run()
    at.file_uploader(key="upload").set_value([]).run()
    assert not at.radio
    at.file_uploader(key="upload").set_value(uploads).run()
    assert not at.exception
    assert labelled(at.radio, zero).value == "leave"
    assert labelled(at.selectbox, words("reading.empty_terms")).value == "inactive"
    at.button(key="check").click().run()
    said = texts(at)
    assert words("reading.zero_told_leave", n=1) in said
    assert words("reading.empty_terms_told_inactive", n=2) in said
    listed = next(one.value for one in at.dataframe if words("reading.without_which") in one.value)
    assert listed[words("column.student_number")].tolist() == ["02110001", "02110002"]
    assert listed[words("reading.without_which")].tolist() == [
        words("reading.own_term", n="3"),
        words("reading.own_term", n="2"),
    ]
    other = [("t.csv", terms.replace("3.2", "3.3").encode(), "text/csv")]
    at.file_uploader(key="upload").set_value(other).run()
    assert labelled(at.radio, zero).value is None  # another file is another question


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_header_that_is_not_understood_is_named_with_what_becomes_of_it(store, monkeypatch, language):
    from dashboard.shell import current_session

    words = Words(language)
    monkeypatch.setattr(current_session, "words", lambda: words)
    students = STUDENTS.replace("Status Awal", "Status Awal,Catatan Loket").replace("Baru", "Baru,x")
    terms = "NIM,Nama,Semester,Status,IPS\n02110001,A,20211,A,3.0\n"
    uploads = [("s.csv", students.encode(), "text/csv"), ("t.csv", terms.encode(), "text/csv")]
    at = drawn(language)
    at.file_uploader(key="upload").set_value(uploads).run()
    assert not at.exception
    said = texts(at)
    assert words("data.map_unread", names="Catatan Loket", n=1) in said
    assert words("data.map_elsewhere", names="Nama", n=1) in said
    assert all("program_code" not in str(one.value) for one in (*at.markdown, *at.caption))


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_column_of_a_file_is_accounted_for(store, monkeypatch, language):
    from dashboard.shell import current_session

    words = Words(language)
    monkeypatch.setattr(current_session, "words", lambda: words)
    students = (
        "No,NIM,Nama,Kode Prodi,Jenjang,Angkatan,Tahun Masuk,JK,Jenis Kelamin,Status Awal,No HP,NIK,Loket\n"
        "1,02110001,A,TI,S1,2021,2020,L,L,Baru,0812,137,x\n"
    )
    at = drawn(language)
    at.file_uploader(key="upload").set_value([("s.csv", students.encode(), "text/csv")]).run()
    assert not at.exception
    table = words("data.kind_students")
    known = words("data.map_understood", table=table, known=7, all=13, layout=words("layout.siakad"))
    assert known in [one.label for one in at.expander]
    said = texts(at)
    assert words("data.map_refused", names="No HP, NIK", n=2) in said
    assert words("data.map_unread", names="Loket", n=1) in said
    assert words("data.map_unneeded", names="No, Tahun Masuk", n=2) in said
    assert words("data.map_twice", names="JK", n=1) in said
    at.selectbox(key=next(one.key for one in at.selectbox if one.label == "Nama")).select_index(0).run()
    assert words("data.map_by_hand", names="Nama", n=1) in texts(at)


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_guide_says_what_is_accepted_and_has_a_template_of_each_table(store, monkeypatch, language):
    from dashboard.shell import current_session
    from data.files.mapping import TABLES

    words = Words(language)
    monkeypatch.setattr(current_session, "words", lambda: words)
    at = drawn(language)
    said = texts(at)
    for column in ("program_code", "cohort_term", "term_id", "exit_type", "course_code", "grade", "purpose"):
        assert words(f"import_needs.{column}") in said
    buttons = {
        one.proto.id.rsplit("-", 1)[-1] for one in at.get("download_button") if "template-" in one.proto.id
    }
    assert buttons == set(TABLES)
    assert "tests/samples" not in said


def test_a_missing_column_says_what_would_do_in_its_place(store):
    at = drawn("en")
    students = "NIM,Nama,Angkatan\n02110001,A,2021\n"
    at.file_uploader(key="upload").set_value([("s.csv", students.encode(), "text/csv")]).run()
    at.selectbox(key="kind-0-s.csv").select("students").run()
    needed = Words("en")("import_needs.program_code")
    assert any(needed in str(one.value) for one in at.warning)
    at.button(key="check").click().run()
    assert not at.exception
    assert any(needed in str(one.value.to_dict()) for one in at.dataframe)
