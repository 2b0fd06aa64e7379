"""The summary that the student page hands out, made from a score and its explanation worked out by hand."""

import io
from datetime import datetime
from types import SimpleNamespace

import pandas as pd
import pypdf
import pytest

from dashboard.reports.provenance import Provenance
from dashboard.shell import current_session, stores
from dashboard.shell.wording import Words
from dashboard.students.view import pdf as student_pdf
from fusion.explanation.explain import Contribution, Explanation

STUDENT = {"student_key": "0123456789abcdef", "name": "Budi", "student_number": "2023001"}
STUDENT |= {"program_name": "Informatika", "degree_level": "S1", "cohort_term": 20231}
SCORE = {
    "target": "late",
    "risk": 0.34,
    "risk_low": 0.27,
    "risk_high": 0.42,
    "as_of_index": 2,
    "as_of_term": 20241,
}
TERMS = pd.DataFrame(
    {"term_id": [20231, 20232], "status": ["A", "C"], "gpa_term": [3.1, None], "gpa_cum": [3.1, 3.1]}
).assign(credits_passed=[20, None])
EVENTS = pd.DataFrame(
    [
        {
            "at": datetime(2026, 5, 3, 9),
            "actor": "ani",
            "kind": "contact",
            "detail": {"how": "met in the office"},
        }
    ]
)


def reasons(*, signature: bool) -> Explanation:
    def part(name, value, phi, changeable, modality="records"):
        return Contribution(name, f"no.{name}", name.title(), "g", modality, "", value, phi, changeable)

    parts = [
        part("failures", 2.0, 0.8, True),
        part("intake", 1.0, -0.4, False),
        part("attendance", None, 0.01, True),
    ]
    if signature:
        parts.append(part("signature", None, 0.1, False, "signature"))
    return Explanation("late", 0.0, sum(each.phi for each in parts), tuple(parts))


@pytest.fixture
def pdf_text(monkeypatch):
    monkeypatch.setattr(current_session, "words", lambda: Words("en"))
    for name, value in {
        "programs": {},
        "served_version": None,
        "served_model": None,
        "model": SimpleNamespace(keeps_directions=True),
    }.items():
        monkeypatch.setattr(stores, name, lambda value=value: value)
    monkeypatch.setattr(stores, "store", lambda: None)
    monkeypatch.setattr(student_pdf, "provenance_of", lambda store, zone: Provenance(synthetic=True))

    def made(student, score, explanation, *, for_student=False, language="en"):
        about = (score, explanation, None)
        data = student_pdf._file(Words(language), student, TERMS, EVENTS, about, for_student)
        pages = pypdf.PdfReader(io.BytesIO(data)).pages
        return " ".join(" ".join(page.extract_text() for page in pages).split())

    return made


def test_the_summary_tells_risk_reasons_gaps_and_contacts(pdf_text):
    text = pdf_text(STUDENT, SCORE, reasons(signature=True))
    for words in (
        "Of 100 past students like this one, about 66",  # 100 · (1 − 0.34)
        "Failures 2: raises the risk",
        "Intake 1: lowers the risk",
        "Attendance",
        "met in the office",
        "no established evidence",
        "Synthetic demo data",
    ):
        assert words in text


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_copy_for_the_student_tells_no_risk_no_fixed_factor_and_no_notes(pdf_text, language):
    asked = (STUDENT | {"advisor": "ani"}, SCORE | {"risk": 1.0}, reasons(signature=False))
    text = pdf_text(*asked, for_student=True, language=language)
    for words in ("100", "66", "raises the risk", "menaikkan", "Intake", "met in the office"):
        assert words not in text.replace("2023001", ""), words
    lead = {"en": "This page is yours", "id": "Lembar ini untuk Anda"}[language]
    assert Words(language).term(20232) in text and "2023/2 " not in text  # one name of a term on a page
    assert lead in text and "Failures: 2" in text and "ani" in text and "2023001" in text
    talk = pdf_text(*asked, language=language)
    assert {"en": "not to be handed over", "id": "bukan untuk diserahkan"}[language] in talk
    assert "ani" in talk and "met in the office" in talk


def test_the_advisor_stands_on_it_by_name(pdf_text, monkeypatch):
    offered = []
    monkeypatch.setattr(stores, "time_zone", lambda: "")
    monkeypatch.setattr(student_pdf.current_session, "words", lambda: Words("en"))
    monkeypatch.setattr(student_pdf, "name_of", {"advisor.0001": "Rina Lestari"}.get)
    monkeypatch.setattr(student_pdf.auditing, "handed_out", lambda made, *what, **how: made)
    monkeypatch.setattr(student_pdf.stores, "is_synthetic", lambda: True)
    monkeypatch.setattr(student_pdf.st, "download_button", lambda label, data, **how: offered.append(data))
    mine = STUDENT | {"advisor": "advisor.0001", "student_key": "a" * 16}
    student_pdf.student_pdf(mine, TERMS, EVENTS, None, None)
    assert len(offered) == 2
    for make in offered:
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(make())).pages)
        assert "Rina Lestari" in text and "advisor.0001" not in text


def test_without_a_score_the_summary_claims_no_risk(pdf_text):
    text = pdf_text(STUDENT, None, None)
    assert "Of 100 past students" not in text and "raises the risk" not in text and "Budi" in text


def test_a_reader_who_may_not_identify_gets_no_name(pdf_text):
    hidden = {name: value for name, value in STUDENT.items() if name not in ("name", "student_number")}
    text = pdf_text(hidden, SCORE, reasons(signature=False))
    assert "Budi" not in text and "2023001" not in text and "no established evidence" not in text
