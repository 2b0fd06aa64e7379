"""Exported files open, carry their provenance, run no formula and give nobody away."""

import ast
import io
import tempfile
from datetime import date, datetime
from functools import partial
from pathlib import Path

import openpyxl
import pandas as pd
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dashboard
from dashboard.cases.digest_pdf import digest_pdf
from dashboard.reports.case_file import case_file
from dashboard.reports.provenance import Provenance, ReportProvenance
from dashboard.reports.student_summary import student_summary
from dashboard.reports.students_behind import restricted_xlsx
from dashboard.shell import exports
from dashboard.shell.wording import Words
from data.files import safe_cells
from tests.dashboard.cases import test_digest
from tests.dashboard.reports import test_documents, test_not_reported

WORDS = Words("en")


def provenance(synthetic=True, about_people=False, **changes) -> exports.TableProvenance:
    about = {"about_people": about_people} | {
        "role": "advisor",
        "data_version": "v1",
        "model_version": "risk-1",
        "filters": {"k": "20"},
    }
    return exports.TableProvenance(words=WORDS, synthetic=synthetic, **about, **changes)


@pytest.mark.parametrize("text", ["=1+1", "+62", "-3", "@SUM(A1)", "\tx", "\r=1"])
def test_a_cell_that_would_run_gets_an_apostrophe(text):
    inside = text.replace("\r=", "\r'=")  # a program that takes the return for a new line begins a cell there
    assert safe_cells.safe_cell(text) == "'" + inside


@given(st.text())
def test_no_escaped_text_begins_like_a_formula(text):
    assert not safe_cells.safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_numbers_and_missing_cells_stay_what_they_are():
    frame = pd.DataFrame({"a": [1.5, -2.0], "b": ["-x", None], "=c": [1, -1]})
    safe = safe_cells.safe_frame(frame)
    assert safe["a"].tolist() == [1.5, -2.0]
    assert safe["b"].tolist()[0] == "'-x"
    assert safe["b"].isna().tolist() == [False, True]
    assert list(safe.columns) == ["a", "b", "'=c"]
    assert safe["'=c"].tolist() == [1, -1]


def test_no_workbook_lies_in_a_temporary_file_while_it_is_made(monkeypatch):
    def on_disk(*_, **__):
        raise AssertionError("a sheet with names would lie on the disk in plain")

    for name in ("mkstemp", "mkdtemp", "TemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(tempfile, name, on_disk)
    frame = pd.DataFrame({"name": ["Ani"], "student_number": ["17"]})
    assert exports.to_bytes(frame, "xlsx", provenance(about_people=True))[:2] == b"PK"


def test_every_writer_of_workbooks_is_told_to_work_in_memory():
    written = []
    for path in sorted(Path(dashboard.__file__).parents[1].glob("d*/**/*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        called = {node.func.attr for node in calls if isinstance(node.func, ast.Attribute)}
        if called & {"Workbook", "ExcelWriter"}:
            written.append(path.name)
            assert '"in_memory": True' in path.read_text("utf-8"), path
    assert "exports.py" in written and len(written) >= 5


def test_a_workbook_opens_with_its_rows_its_mark_and_its_provenance():
    frame = pd.DataFrame({"Student": ["=cmd()", "Ani"], "Risk": [71, 40]})
    book = openpyxl.load_workbook(io.BytesIO(exports.to_bytes(frame, "xlsx", provenance())))
    assert book.sheetnames == ["Data", "Provenance"]
    rows = list(book["Data"].iter_rows(values_only=True))
    assert rows[0][0] == "SYNTHETIC DEMO DATA"
    assert rows[2] == ("Student", "Risk")
    assert rows[3:] == [("'=cmd()", 71), ("Ani", 40)]
    about = dict(book["Provenance"].iter_rows(values_only=True))
    assert about["Notice"] == "SYNTHETIC DEMO DATA"
    assert about["Data version"] == "v1"
    assert about["Model version"] == "risk-1"
    assert about["Filters: k"] == "20"
    assert about["Made by (role)"] == "Advisor"
    assert about["Rows"] == "2"


def test_when_a_workbook_was_made_is_told_on_the_readers_clock_with_its_name(monkeypatch):
    monkeypatch.setattr(exports, "now", lambda: datetime(2026, 8, 31, 17, 30))
    made = provenance(time_zone="Asia/Jakarta")
    assert dict(made.rows(1))[WORDS("export.made_at")] == "1 September 2026 00:30 WIB"


def test_a_workbook_of_real_data_has_no_synthetic_mark():
    book = openpyxl.load_workbook(
        io.BytesIO(exports.to_bytes(pd.DataFrame({"a": [1]}), "xlsx", provenance(synthetic=False)))
    )
    assert list(book["Data"].iter_rows(values_only=True)) == [("a",), (1,)]


def test_a_csv_is_read_back_and_says_that_it_is_synthetic():
    frame = pd.DataFrame({"Student": ["@x"], "Risk": [71]})
    read = pd.read_csv(io.BytesIO(exports.to_bytes(frame, "csv", provenance())), encoding="utf-8-sig")
    assert read.to_dict("records") == [{"Student": "'@x", "Risk": 71, "Notice": "SYNTHETIC DEMO DATA"}]


def test_an_empty_frame_is_exported_too():
    frame = pd.DataFrame({"a": pd.Series([], dtype=float)})
    for kind in exports.MIME:
        assert exports.to_bytes(frame, kind, provenance())


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="kind must be one of csv, xlsx, got 'pdf'"):
        exports.to_bytes(pd.DataFrame(), "pdf", provenance())


def test_the_file_name_has_no_personal_part_and_says_synthetic():
    named = partial(exports.file_name, "caseload", "csv", on=date(2026, 1, 2))
    assert named(synthetic=True) == "tepat_caseload_synthetic_20260102.csv"
    assert named(synthetic=False) == "tepat_caseload_20260102.csv"


@pytest.mark.parametrize(("high", "said"), [("*", True), (7, False)])
def test_a_workbook_with_hidden_cells_says_what_their_mark_means(high, said):
    frame = pd.DataFrame([{"low": 10, "high": high, "total": 17}])
    book = openpyxl.load_workbook(io.BytesIO(exports.to_bytes(frame, "xlsx", provenance())))
    about = dict(book["Provenance"].iter_rows(values_only=True))
    assert about.get("*") == (WORDS("export.suppressed_note", minimum=5) if said else None)


def test_no_download_starts_a_run_of_the_page_which_could_forget_its_file():
    buttons = []
    for path in Path(dashboard.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "download_button":
                given = {word.arg: ast.unparse(word.value) for word in call.keywords}
                buttons.append((f"{path.name}:{call.lineno}", given.get("on_click")))
    assert len(buttons) >= 10
    assert [place for place, click in buttons if click != "'ignore'"] == []


@pytest.mark.parametrize("empty", [None, float("nan"), pd.NaT, pd.NA])
def test_a_column_that_holds_nothing_is_an_empty_column_of_the_file(empty):
    frame = pd.DataFrame({"name": ["Adi", "Sari"], "last_step": [empty, empty]})
    made = provenance(synthetic=False)
    kept = pd.read_excel(io.BytesIO(exports.to_bytes(frame, "xlsx", made)))
    assert kept["name"].tolist() == ["Adi", "Sari"] and kept["last_step"].isna().all()


COUNTS_ONLY = {"thresholds", "courses", "model", "overview", "compare"}  # no row is about one person


def exported_tables() -> dict[str, bool]:
    """Name of every table that a page exports → whether its file is one about people."""
    found = {}
    for path in Path(dashboard.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "export_bar":
                given = {word.arg: ast.unparse(word.value) for word in call.keywords}
                found[ast.unparse(call.args[1]).strip("'")] = given.get("about_people") != "False"
    return found


def test_every_table_that_is_about_people_says_so_in_its_file():
    tables = exported_tables()
    assert len(tables) >= 15 and {"caseload", "followups", "specimens", "consent"} <= set(tables)
    assert {name for name, about_people in tables.items() if not about_people} == COUNTS_ONLY


@pytest.mark.parametrize(("language", "line"), [("en", "CONFIDENTIAL: "), ("id", "RAHASIA: ")])
@pytest.mark.parametrize("mark", [{}, {"synthetic": True}, {"mixed": True}])
@pytest.mark.parametrize("rows", [0, 2])
def test_a_file_about_people_bears_a_line_of_confidentiality(language, line, mark, rows):
    frame = pd.DataFrame({"name": ["Adi", "Sari"]}).head(rows)
    about = {"words": Words(language), "role": "advisor", "data_version": "1"} | mark
    told = exports.TableProvenance(**about)
    book = openpyxl.load_workbook(io.BytesIO(exports.to_bytes(frame, "xlsx", told)))
    assert line in book.worksheets[0]["A1"].value and line in book.worksheets[1]["B1"].value
    text = exports.to_bytes(frame, "csv", told).decode("utf-8-sig")
    assert text.count(line) == rows  # one a row: a list of nobody tells of nobody
    counts = exports.TableProvenance(**about, about_people=False)
    assert line not in exports.to_bytes(frame, "csv", counts).decode()


@pytest.mark.parametrize(("language", "line"), [("en", "CONFIDENTIAL: "), ("id", "RAHASIA: ")])
def test_documents_about_people_bear_the_line_on_every_page(language, line):
    week = test_digest.digest.build(
        test_digest.LISTED, test_digest.MET, [], test_digest.DUE, test_digest.TODAY
    )
    words, synthetic = Words(language), Provenance(synthetic=True)
    made = [
        digest_pdf(week, synthetic, words, "Rina"),
        case_file(test_documents.case(5, "review"), synthetic, language),
        student_summary(test_documents.summary(), synthetic, language),
    ]
    for pdf in made:
        for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
            assert line in page.extract_text()
    frame = pd.DataFrame({"student_number": ["1"], "name": ["Adi"]})
    table = test_not_reported.computed(test_not_reported.told())
    proof = ReportProvenance(synthetic=True)
    listed = restricted_xlsx(frame, table, ("TS", "new"), proof, language)
    page = openpyxl.load_workbook(io.BytesIO(listed)).worksheets[0]
    assert any(line in str(row[0].value) for row in page.iter_rows(max_row=3))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_counts_are_whole_and_moments_are_told_to_the_second(kind):
    frame = pd.DataFrame(
        {
            "n": [18.0, None],  # a missing count makes floats of the others
            "hidden": [18.0, "*"],
            "share": [0.5, 2.0],
            "at": pd.to_datetime(["2026-11-30 00:30:07.123456", None]),
        }
    )
    content = exports.to_bytes(frame, kind, provenance(synthetic=False))
    if kind == "csv":
        lines = content.decode("utf-8-sig").splitlines()
        assert lines[1:] == ["18,18,0.5,2026-11-30 00:30:07", ",*,2.0,"]
        return
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert rows == [[18, 18, 0.5, datetime(2026, 11, 30, 0, 30, 7)], [None, "*", 2, None]]
    assert all(isinstance(value, int) for value in (*rows[0][:2],))
