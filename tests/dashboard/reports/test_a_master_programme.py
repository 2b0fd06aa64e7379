"""Study time of a programme of two years (BAN-PT, table 8.b) as it is printed and signed."""

from __future__ import annotations

import io

import pandas as pd
import pypdf
import pytest

from dashboard.reports.conditions import Selection
from dashboard.reports.pdf import to_pdf
from dashboard.reports.profile import load_profile
from dashboard.reports.provenance import ReportProvenance
from dashboard.reports.suppress import suppress
from dashboard.reports.table import compute_table
from data.calendar.cohorts import build_flow

NAME = ("Magister Keperawatan Medikal Bedah dan Kesehatan Masyarakat Pesisir serta Kepulauan " * 2)[:160]
#  entry year → graduated after four terms, after six, resigned, still studying
COHORTS = {2022: (9, 6, 2, 1), 2023: (11, 5, 1, 0), 2024: (8, 0, 1, 6)}
WORDS = {"id": ("Pengesahan", "Diagram"), "en": ("Signatures", "Chart")}


@pytest.fixture(scope="module")
def flow() -> pd.DataFrame:
    rows = []
    for year, numbers in COHORTS.items():
        ends = (("graduated", 4, f"{year + 2}-07-15"), ("graduated", 6, f"{year + 3}-07-10"))
        for n, (kind, terms, day) in zip(
            numbers, (*ends, ("resigned", 2, f"{year + 1}-03-10"), (None,) * 3), strict=True
        ):
            rows += [(10 * year + 1, kind, terms, day)] * n
    frame = pd.DataFrame(rows, columns=["cohort_term", "exit_type", "terms_to_exit", "exit_date"])
    frame = frame.assign(
        student_key=[f"m{at:03}" for at in range(len(frame))],
        program_code="54131",
        degree_level="S2",
        normal_terms=4,
        entry_type="new",
        exit_term=None,
        gpa_final=[3.5 if kind == "graduated" else None for kind in frame["exit_type"]],
        has_outcome=frame["exit_type"].notna(),
        observed_until="2026-08-31",
    )
    frame = frame.astype({"entry_type": object, "exit_type": object})
    return build_flow(frame, pd.DataFrame(columns=["student_key", "term_id"]))


def table_of(flow: pd.DataFrame):
    return compute_table(load_profile("iaps51-8b", "S2"), flow, Selection(2025, "54131", NAME, "S2"))


def pages_of(table, language: str) -> list[str]:
    data = to_pdf(table, ReportProvenance(institution="Universitas Rekaan"), language)
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    return [" ".join(page.extract_text().split()) for page in pages]


def test_the_bands_of_study_time_are_counted_by_hand(flow):
    table = table_of(flow)
    told = {
        row.key: [table.cell(row.key, column.key).value for column in table.columns]
        for row in table.profile.rows
    }
    assert told == {"TS-3": [18, 15, 9, 6], "TS-2": [17, 16, 11, 5], "TS-1": [15, 8, 8, 0]}
    values = {line.indicator.key: line.value for line in table.lines}
    assert values["PK1MTK"] == pytest.approx(8 / 15) and values["PK2MTK"] == pytest.approx(15 / 18)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("what", ["full", "public", "empty"])
def test_no_page_holds_the_signatures_alone(flow, what, language):
    table = table_of(flow.iloc[:0] if what == "empty" else flow)
    pages = pages_of(suppress(table) if what == "public" else table, language)
    signatures, chart = WORDS[language]
    signed = next(page for page in pages if signatures in page)
    assert chart in signed or pages.index(signed) == 0, signed
    assert NAME in pages[0]


def test_rules_and_formulas_are_written_as_the_language_writes_numbers_and_headings(flow):
    text = " ".join(pages_of(table_of(flow), "id"))
    assert "0,6 ≤ x → 1" in text and "0.6" not in text
    assert "“Jumlah Mahasiswa Diterima”" in text and "accepted" not in text
    assert "0.6 ≤ x → 1" in " ".join(pages_of(table_of(flow), "en"))
