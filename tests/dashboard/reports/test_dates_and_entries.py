"""When a file says that it was made, on whose clock, and how a workbook takes what is entered into it."""

import io
import json
import re
from dataclasses import replace
from datetime import date

import openpyxl
import pytest

from dashboard.reports import describe
from dashboard.reports.pdf import footer, table_data, to_pdf
from dashboard.reports.profile import load_profile
from dashboard.reports.provenance import ReportProvenance
from dashboard.reports.table import compute_table
from dashboard.reports.words import say
from dashboard.reports.xlsx import to_xlsx
from dashboard.shell.wording import Words
from data.calendar.cohorts import Notice
from data.columns import ROLES

DRAFT = ReportProvenance(institution="Kampus", made_on="2026-09-03", place="Makassar")
SIGNED = replace(
    DRAFT,
    status="approved",
    prepared_by="siti",
    prepared_name="Siti Rahma",
    prepared_role="accreditation",
    prepared_at="2026-08-31T20:15:00",
    approved_by="dekan",
    approved_at="2026-09-01T17:30:05",
    time_zone="Asia/Makassar",  # 8 hours ahead of UTC
    signatories={"head_of_programme": "Budi"},
    signatory_numbers={"head_of_programme": "NIDN 0012128001"},
)


@pytest.fixture
def table(flow, active, ts2025):
    return compute_table(load_profile("iaps40-8c", "S1"), flow, ts2025, active=active)


def made(pdf: bytes) -> str:
    return re.search(rb"/CreationDate ?\(D:(\d+Z)", pdf)[1].decode()


def test_a_pdf_bears_the_moment_of_its_approval(table):
    assert made(to_pdf(table, SIGNED, "id")) == "20260901173005Z"
    assert made(to_pdf(table, DRAFT, "id")) == "20260903000000Z"
    assert b"/CreationDate" not in to_pdf(table, replace(DRAFT, made_on=""), "id")


def test_times_are_told_with_the_name_of_their_clock(table):
    told = dict(describe.provenance_pairs(table, SIGNED, "en"))
    assert told["Prepared by"] == "Siti Rahma, Accreditation staff, 1 September 2026 04:15 WITA"
    assert told["Approved by"] == "dekan, 2 September 2026 01:30 WITA"
    assert describe.prepared_words(replace(SIGNED, time_zone=""), "id").endswith("31 Agustus 2026 20:15 UTC")
    singapore = describe.prepared_words(replace(SIGNED, time_zone="Asia/Singapore"), "en")
    assert singapore.endswith("1 September 2026 04:15 UTC+08")
    assert describe.prepared_words(DRAFT, "en") == describe.approved_words(DRAFT, "en") == ""


def test_no_file_writes_a_day_in_figures(table):
    """A day that the reader is told is written with its month's name, in every file and language."""
    proof = replace(
        SIGNED,
        imports=(("i1", "2026-08-15", "a.csv"),),
        calendar={"start_month": 9, "graduation_date": "yudisium", "closing_months": [2, 8]},
    )
    noticed = table.with_parts(
        notices=(Notice("ts_not_complete", 0, "2026-08-31"),), snapshot=date(2026, 8, 31)
    )
    expected = {
        "en": ("begins on 1 September; exits in February, August", "15 August 2026", "31 August 2026"),
        "id": (
            "mulai 1 September; keluar pada bulan Februari, Agustus",
            "15 Agustus 2026",
            "31 Agustus 2026",
        ),
    }
    for language, wanted in expected.items():
        book = openpyxl.load_workbook(io.BytesIO(to_xlsx(noticed, proof, language)))
        texts = [
            c.value for page in book for row in page.iter_rows() for c in row if isinstance(c.value, str)
        ]
        printed = " ".join(texts), json.dumps(table_data(noticed, proof, language), ensure_ascii=False)
        for text in printed:
            assert not re.search(r"\d{4}-\d{2}-\d{2}", text)
            assert all(part in text for part in wanted)


def test_months_and_roles_are_called_the_same_on_pages_and_in_files():
    for language in ("id", "en"):
        words = Words(language)
        assert say(language, "months") == words("months.long")
        assert [say(language, f"role_{role}") for role in ROLES] == [words(f"role.{role}") for role in ROLES]


def test_files_name_the_checksum_that_the_audit_log_holds(table):
    sealed = replace(SIGNED, content_sha256="c" * 64, seal="5" * 64)
    told = dict(describe.provenance_pairs(table, sealed, "en"))
    assert told[say("en", "seal")] == "5" * 64 and told[say("en", "sha256")] == "c" * 64
    assert footer(table, sealed, "en").endswith(f"Seal {'5' * 16}…")
    draft = replace(DRAFT, content_sha256="c" * 64)
    assert footer(table, draft, "id").endswith(f"SHA-256 angka {'c' * 16}…")
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, sealed, "en")))
    assert book.properties.description == f"Seal {'5' * 64}"
    assert book.worksheets[0].oddFooter.left.text == f"Seal {'5' * 16}…"


def test_an_entry_of_a_workbook_is_checked_and_marked_when_it_is_changed(table):
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, SIGNED, "en")))
    page = book.worksheets[0]
    entries = {
        cell.coordinate
        for row in page.iter_rows()
        for cell in row
        if not cell.protection.locked and cell.value is not None
    }
    figures = {at for at in entries if isinstance(page[at].value, (int, float))}
    assert figures
    rules = {str(rule.sqref): rule for rule in page.data_validations.dataValidation}
    checked = {at for at in figures if any(at in str(spot).split() for spot in rules)}
    assert checked == figures
    assert {rule.type for rule in rules.values()} == {"whole", "decimal"}  # counts, and the mean study time
    assert all(rule.operator == "greaterThanOrEqual" and rule.formula1 == "0" for rule in rules.values())
    marked = {str(spot.sqref): spot.rules[0].formula[0] for spot in page.conditional_formatting}
    assert {at: f"{at}<>'{book.worksheets[-1].title}'!{at}" for at in figures}.items() <= marked.items()


def test_staff_numbers_and_the_place_stand_in_the_signature_block_of_the_workbook(table):
    page = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, SIGNED, "en"))).worksheets[0]
    texts = [cell.value for row in page.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert "Budi\nNIDN 0012128001" in texts and texts.count("Makassar, ") == 3
