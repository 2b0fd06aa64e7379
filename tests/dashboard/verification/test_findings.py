"""A finding is told in the reader's language, from its stored code, status and value."""

import numpy as np
import pytest

from dashboard.shell.wording import LANGUAGES, Words
from dashboard.verification import findings
from data.signatures.findings import CHECKS, Finding, as_rows, found_codes, read_findings
from vision.scans.quality import check_specimen

EN, ID = Words("en"), Words("id")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_check_has_a_sentence_for_found_and_clear_and_an_advice(language):
    words = Words(language)
    for code in CHECKS:
        for status in ("found", "clear"):
            text = findings.sentence(Finding(code, status, 2.0), words)
            assert text and "{" not in text, (code, status)
        assert words.has(f"finding_advice.{code}")


def test_a_finding_gives_its_value_and_limit_in_each_languages_numbers():
    blurred = Finding("SIG004", "found", 1.2)
    assert findings.sentence(blurred, EN) == (
        "Too blurred to compare: softness 1.20, and 1 is the most at which strokes can be told."
    )
    assert "1,20" in findings.sentence(blurred, ID)
    tilted = Finding("SIG009", "found", -41.6)
    assert findings.sentence(tilted, EN).startswith("The signature lies −42 degrees off")


def test_sharpness_is_graded_in_words_and_an_earlier_measure_is_not_told_on_todays_scale():
    def told(status, value):
        return findings.sentence(Finding("SIG004", status, value), EN)

    assert told("clear", 0.3).startswith("Sharp enough")
    assert told("clear", 0.7) == "A little soft, compared all the same: softness 0.70 of 1."
    assert told("found", 1.3).startswith("Too blurred to compare")
    assert told("found", 0.21).startswith("Blurred, as an earlier check found it")
    rows = [Finding("SIG004", "clear", value) for value in (0.3, 0.7)]
    assert findings.soft(rows) == rows[1:] and findings.soft(None) == []


def test_a_copy_needs_no_number_for_its_value_is_a_fingerprint():
    copy = Finding("SIG010", "found", "0f" * 32)
    assert "0f0f" not in findings.sentence(copy, EN)
    assert findings.sentence(copy, EN).startswith("Another specimen")


def test_every_answer_of_a_blank_sheet_has_a_sentence_and_one_advice():
    rows = check_specimen(np.full((120, 400), 250, np.uint8))
    assert [row.status for row in rows] == ["found"] + ["not_applicable"] * 10
    assert all(findings.sentence(row, EN) for row in rows)
    assert findings.advice(rows, EN) == [EN("finding_advice.SIG001")]


def test_advice_is_given_for_what_was_found_only():
    rows = [Finding("SIG004", "found"), Finding("SIG009", "clear")]
    assert findings.advice(rows, ID) == [ID("finding_advice.SIG004")]


def test_an_unchecked_specimen_has_no_findings():
    assert findings.found(None) == []
    assert findings.sentence(Finding("SIG999", "found", 1), EN) == ""


def test_findings_are_kept_and_read_as_they_were():
    made = check_specimen(np.full((120, 400), 250, np.uint8))
    rows = as_rows(made)
    assert set(rows[0]) == {"code", "title", "status", "value", "reason"} and rows[0]["title"] == "Blank"
    assert read_findings(rows) == tuple(made) and found_codes(made) == ["SIG001"]
    assert read_findings(None) is None and read_findings(float("nan")) is None and read_findings([]) == ()
