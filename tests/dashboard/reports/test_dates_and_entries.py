"""When a file says that it was made, on whose clock, and how a workbook takes what is entered into it."""

import io
import re
from dataclasses import replace

import openpyxl
import pytest

from dashboard.reports import describe
from dashboard.reports.pdf import to_pdf
from dashboard.reports.profile import load_profile
from dashboard.reports.provenance import ReportProvenance
from dashboard.reports.table import compute_table
from dashboard.reports.xlsx import to_xlsx

DRAFT = ReportProvenance(institution="Kampus", made_on="2026-09-03", place="Makassar")
SIGNED = replace(
    DRAFT,
    status="approved",
    prepared_by="siti",
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
    assert told["Prepared by"] == "siti, 2026-09-01 04:15 WITA"
    assert told["Approved by"] == "dekan, 2026-09-02 01:30 WITA"
    assert "UTC" in describe.signed("siti", "2026-08-31T20:15:00")


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
