"""Cohort report, student page, case file, Markdown: what they say, and what they must not."""

import io

import numpy as np
import pandas as pd
import pikepdf
import pypdf
import pytest
from PIL import Image

from dashboard.reports import documents
from dashboard.reports.case_file import CaseFile, Specimen, case_file
from dashboard.reports.charts import _number_axis
from dashboard.reports.cohort_report import PARTS, _hide, cohort_report, cohort_tables
from dashboard.reports.markdown_pdf import markdown_pdf, to_blocks
from dashboard.reports.provenance import Provenance, file_hash, provenance_of, today
from dashboard.reports.student_summary import StudentSummary, student_summary
from data.records.told_terms import averaged
from data.settings import software_version
from data.store import set_fact

PROVENANCE = Provenance(institution="Universitas Contoh", synthetic=True)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def is_tagged(pdf: bytes) -> bool:
    with pikepdf.open(io.BytesIO(pdf)) as book, book.open_metadata() as meta:
        return bool(book.Root.MarkInfo.Marked) and meta["pdfuaid:part"] == "1"


def scan(seed: int) -> bytes:
    pixels = np.full((60, 180), 255, np.uint8)
    pixels[20 + seed : 24 + seed, 20:160] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_cohort_report_equals_the_hand_count(flow):
    tables = cohort_tables(flow)
    assert tables.outcomes.loc[2019, list(PARTS)].tolist() == [3, 2, 1, 0, 1, 0, 1]
    assert tables.outcomes.loc[2019, "on_time_rate"] == pytest.approx(3 / 8)
    assert tables.retained.loc[2019, 2] == pytest.approx(6 / 7)
    assert np.isnan(tables.retained.loc[2025, 1])


def test_immature_cohorts_stand_apart_and_have_no_rate(flow):
    pdf = cohort_report(cohort_tables(flow), PROVENANCE, "en", snapshot="2026-08-31")
    text = text_of(pdf)
    assert is_tagged(pdf)
    assert text.index("Mature cohorts") < text.index("2019/2020") < text.index("Immature cohorts:")
    assert text.index("Immature cohorts:") < text.index("2025/2026")


def test_small_counts_of_the_cohort_report_are_hidden_outside(flow):
    tables = cohort_tables(flow, external=True)
    assert not tables.outcomes[list(PARTS)].isin([1, 2, 3, 4]).any().any()
    assert tables.outcomes.loc[2019, list(PARTS)].isna().sum() >= 2
    text = text_of(cohort_report(tables, PROVENANCE, "en"))
    assert "hidden (*)" in text


def test_the_internal_cohort_report_hides_nothing_and_says_that_it_is_confidential(flow):
    tables = cohort_tables(flow)
    assert tables.outcomes[list(PARTS)].notna().all().all() and not tables.hidden.any().any()
    assert "CONFIDENTIAL" in text_of(cohort_report(tables, PROVENANCE, "en"))


def test_only_what_is_printed_needs_protecting_in_the_cohort_report():
    counts = pd.DataFrame(0, index=pd.Index([2019, 2020], name="entry_year"), columns=["entrants", *PARTS])
    counts.loc[2019, ["entrants", "on_time", "late"]] = (8, 5, 3)
    counts.loc[2020, ["entrants", "on_time", "late"]] = (30, 20, 10)
    shown = _hide(counts)
    assert shown.loc[2020].notna().all()  # no printed sum over cohorts gives the three of 2019 away
    assert pd.isna(shown.loc[2019, "late"]) and shown.loc[2019].isna().sum() >= 2


@pytest.mark.parametrize("external", [False, True])
def test_a_programme_without_students_has_a_cohort_report_that_says_so(flow, external):
    tables = cohort_tables(flow, "99999", external=external)
    assert "no students of this programme" in text_of(cohort_report(tables, PROVENANCE, "en"))
    assert "Tidak ada mahasiswa" in text_of(cohort_report(tables, PROVENANCE, "id"))


def test_the_title_of_a_scenario_stands_on_the_page_of_its_table(flow):
    for external in (False, True):
        scenarios = pd.DataFrame({"low": [0.31], "mid": [0.41], "high": [0.51]}, index=[2024])
        told = {"program": "Program Studi " + "Panjang " * 18, "scenarios": scenarios}
        pdf = cohort_report(cohort_tables(flow, external=external), PROVENANCE, "en", **told)
        (page,) = (
            page.extract_text()
            for page in pypdf.PdfReader(io.BytesIO(pdf)).pages
            if "41.0%" in page.extract_text()
        )
        assert "Part of no accreditation table" in " ".join(page.split())


def test_a_word_without_a_place_to_break_stays_on_the_page():
    name = "x" * 150
    for pdf in (
        student_summary(summary(name=name), PROVENANCE, "en"),
        documents.document(
            "T", [documents.table(["a", "b"], [[name, name]]), documents.items([name])], PROVENANCE, "en"
        ),
    ):
        lines = text_of(pdf).splitlines()
        assert max(line.count("x") for line in lines) < 130  # broken over several lines
        assert sum(line.count("x") for line in lines) >= 150


def test_an_axis_is_written_like_the_labels():
    from matplotlib.figure import Figure

    for form, value, said in (("0.0%", 0.5, "50,0%"), ("0.00", 2.5, "2,50"), ("0", 1200, "1.200")):
        axes = Figure().subplots()
        axes.set_ylim(0, 2 * value)
        _number_axis(axes, form, "id")
        assert axes.yaxis.get_major_formatter()(value, 0) == said
        assert form != "0" or all(float(place).is_integer() for place in axes.get_yticks())


def test_a_scenario_is_named_a_forecast_and_no_part_of_accreditation(flow):
    scenarios = pd.DataFrame({"low": [0.3], "mid": [0.4], "high": [0.5]}, index=[2024])
    text = text_of(cohort_report(cohort_tables(flow), PROVENANCE, "en", scenarios=scenarios))
    assert "Part of no accreditation table" in " ".join(text.split())
    assert "40.0%" in text


def summary(**changes) -> StudentSummary:
    terms = pd.DataFrame(
        {
            "term_id": [20231, 20232, 20241],
            "term": ["Odd 2023/24", "Even 2023/24", "Odd 2024/25"],
            "status": ["A", "A", "C"],
            "gpa_term": [3.1, 2.4, None],
            "gpa_cum": [3.1, 2.75, 2.75],
            "credits_passed": [20, 17, None],
        }
    )
    facts = {
        "name": "Budi",
        "student_number": "2023001",
        "program": "Informatika (S1)",
        "cohort": "2023/2024",
        "as_of": "2025-03-02",
        "sentence": "Of 100 past students like this, about 34 finished in 8 semesters; range 27–42.",
        "reasons": ("Two courses failed in the last term",),
        "fixed_reasons": (),
        "missing": ("Attendance of term 2024/1",),
        "contacts": (),
        "terms": terms,
    }
    return StudentSummary(**facts | changes)


def test_the_student_page_is_one_page_with_reasons_gaps_and_rights():
    pdf = student_summary(summary(), PROVENANCE, "en", footer="model v1")
    text = " ".join(text_of(pdf).split())
    assert is_tagged(pdf) and len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 1
    for words in (
        "about 34 finished",
        "Two courses failed",
        "Attendance of term",
        "Even 2023/24",
        "2.75",
        "ask for an explanation",
    ):
        assert words in text
    assert "no established evidence" not in text


def test_a_cumulative_average_that_is_a_mean_is_printed_and_called_so():
    bare = summary().terms.assign(term_index=[1, 2, 3], gpa_cum=None, credits_attempted=20)
    text = " ".join(text_of(student_summary(summary(terms=averaged(bare)), PROVENANCE, "id")).split())
    assert "IPK (rata-rata IPS)" in text and "2,75" in text
    assert "rata-rata IPS" not in text_of(student_summary(summary(), PROVENANCE, "id"))


def test_the_notice_on_signatures_is_printed_when_one_took_part():
    text = " ".join(text_of(student_summary(summary(signature_used=True), PROVENANCE, "en")).split())
    assert "no established evidence" in text


def test_a_student_who_may_not_be_identified_has_no_name_on_the_page():
    text = text_of(student_summary(summary(name="", student_number=""), PROVENANCE, "id"))
    assert "Budi" not in text and "Nomor mahasiswa" not in text


def case(n_references: int, outcome: str) -> CaseFile:
    def specimen(n):
        return Specimen(f"sp{n}", "2024-09-01", "enrollment", "ab" * 32, scan(n))

    return CaseFile(
        case_number="C-17",
        subject="2023001",
        questioned=specimen(0),
        references=tuple(specimen(n) for n in range(1, n_references + 1)),
        outcome=outcome,
        score="0.82 (0.74–0.90)",
        likelihood="12 (moderate support)",
        thresholds="tepat-1, FAR 0.01",
        findings=(("SIG004", "Low resolution", "found", "150 dpi"),),
        custody=(("2026-08-01 09:00", "budi", "captured", "ab" * 32),),
        decisions=(("2026-08-02 10:00", "siti", "ask to sign again", "first action"),),
    )


def test_the_case_file_shows_hashes_custody_and_that_it_is_no_forensic_opinion():
    pdf = case_file(case(3, "review"), PROVENANCE, "en")
    text = text_of(pdf)
    assert is_tagged(pdf)
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    assert all("not a forensic opinion" in page and "CONFIDENTIAL" in page for page in pages)
    joined = "".join(text.split())
    assert "ab" * 32 in joined and file_hash(scan(0)) in joined
    assert "ask to sign again" in " ".join(text.split()) and "SIG004" in text


@pytest.mark.parametrize("outcome", ["genuine", "forged"])
def test_a_signature_is_never_called_genuine_or_forged(outcome):
    with pytest.raises(ValueError, match=outcome):
        case(3, outcome)


def test_fewer_than_three_references_are_always_inconclusive():
    with pytest.raises(ValueError, match="inconclusive"):
        case(2, "consistent")
    text = " ".join(text_of(case_file(case(2, "inconclusive"), PROVENANCE, "id")).split())
    assert "selalu tidak dapat disimpulkan" in text


MARKDOWN = """# Model card

Trained on **cohorts** up to `2021`, *with care*.

## Metrics

| figure | value |
|---|---:|
| AUC | 0.81 |

- one
- two

> Signatures add nothing measurable here.

```
seed = 1
```
"""


def test_markdown_becomes_a_tagged_pdf_with_its_table():
    pdf = markdown_pdf(MARKDOWN, PROVENANCE, "en", footer="model v1")
    text = " ".join(text_of(pdf).split())
    assert is_tagged(pdf)
    for words in ("Model card", "Metrics", "AUC", "0.81", "add nothing measurable", "seed = 1", "model v1"):
        assert words in text


def test_markdown_is_read_into_blocks():
    kinds = [block["kind"] for block in to_blocks(MARKDOWN)]
    assert kinds == ["heading", "text", "heading", "table", "list", "note", "code"]
    assert to_blocks(MARKDOWN)[3]["right"] == [False, True]


def test_markdown_without_a_title_is_refused():
    with pytest.raises(ValueError, match="level 1"):
        markdown_pdf("no title", PROVENANCE, "en")


def test_typst_markup_in_markdown_is_printed_as_text():
    text = text_of(markdown_pdf('# A\n\n#panic("x") <script>\n', PROVENANCE, "en"))
    assert '#panic("x") <script>' in text


def test_a_picture_that_is_no_png_is_refused():
    with pytest.raises(ValueError, match="PNG"):
        documents.pictures([(b"GIF89a", "x", "x")])


def test_a_ragged_table_is_refused():
    with pytest.raises(ValueError, match="2 cells"):
        documents.table(["a", "b"], [["1"]])


def test_every_file_says_whose_people_the_store_holds_and_of_which_institution(store):
    assert (provenance_of(store).institution, provenance_of(store).synthetic) == ("", False)
    set_fact(store, "institution", "Universitas Contoh")
    set_fact(store, "synthetic", True)
    assert provenance_of(store) == Provenance("Universitas Contoh", True, made_on=today(""))
    assert provenance_of(store).software == f"Tepat {software_version()}"
