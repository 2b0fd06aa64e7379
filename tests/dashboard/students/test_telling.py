"""The sentence of a score: counts where past students were counted, what the model expects elsewhere."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.charts.bands import risk_scale
from dashboard.shell.wording import Words
from dashboard.students.telling import counted

EN, ID = Words("en"), Words("id")


def score(target: str, risk: float, low: float | None = None, high: float | None = None) -> dict:
    return {"target": target, "risk": risk, "risk_low": low, "risk_high": high}


def test_a_range_is_told_of_past_students_who_were_counted():
    assert counted(score("late", 0.66, 0.58, 0.73), EN) == (
        "Of 100 past students like this one, about **34** graduated within the normal time. Range 27–42."
    )


@pytest.mark.parametrize(
    ("target", "risk", "english", "indonesian"),
    [
        ("late", 0.943, "about **6** to graduate", "sekitar **6** lulus"),
        ("dropout", 0.51, "about **51** to leave", "sekitar **51** keluar"),
    ],
)
def test_where_nobody_was_counted_nothing_is_said_of_past_students(target, risk, english, indonesian):
    for words, told in ((EN, english), (ID, indonesian)):
        text = counted(score(target, risk), words)
        assert told in text and words("student.no_range") in text
        assert counted(score(target, risk, 0.2, 0.97), words).split("**")[0] not in text


@pytest.mark.parametrize(
    ("target", "risk", "about"), [("late", 0.9985, 1), ("dropout", 0.002, 1), ("late", 0.001, 99)]
)
def test_no_sentence_promises_that_nobody_or_everybody_will(target, risk, about):
    assert f"**{about}**" in counted(score(target, risk), EN)


def test_the_scale_reads_out_the_same_range_as_the_sentence():
    one = score("dropout", 0.022, 0.0045, 0.078)
    assert "Range 0–8." in counted(one, EN)
    alt = risk_scale(one["risk"], one["risk_low"], one["risk_high"], [0.03, 0.08, 0.14], EN).alt
    assert "at 2 of 100, range 0 to 8" in alt


@pytest.mark.parametrize(
    ("index", "english", "indonesian"),
    [(0, "the start of Odd 2024/25", "awal Ganjil 2024/25"), (1, "Odd 2024/25", "Ganjil 2024/25")],
)
def test_before_the_first_term_is_complete_a_score_is_of_its_start(index, english, indonesian):
    from dashboard.students.view.parts import point_of

    one = {"as_of_term": 20241, "as_of_index": index}
    assert (point_of(one, EN), point_of(one, ID)) == (english, indonesian)


@pytest.mark.parametrize(
    ("rows", "standing", "completed"),
    [
        ([(20241, 1), (20242, 2)], None, 2),
        ([(20241, 1), (20242, 2), (20243, 2)], None, 2),  # a short term is no term of the plan
        ([(20241, 1)], {"terms_over": 3}, 3),  # enrolled: terms without a row are over all the same
        ([], {"terms_over": 1}, 1),
        ([], None, 0),
    ],
)
def test_terms_completed_are_those_that_the_score_and_the_plan_count(rows, standing, completed):
    from dashboard.students.view.parts import _completed

    assert _completed(pd.DataFrame(rows, columns=["term_id", "term_index"]), standing) == completed


def test_who_has_left_is_said_with_the_term(monkeypatch):
    from dashboard.students.view import parts

    for words, told in ((EN, "Resigned, Odd 2024/25"), (ID, "Mengundurkan diri, Ganjil 2024/25")):
        monkeypatch.setattr(parts.current_session, "words", lambda words=words: words)
        assert parts.exit_of({"exit_type": "resigned", "exit_term": 20241.0}) == told
        assert parts.exit_of({"exit_type": "deceased", "exit_term": float("nan")}) in ("Deceased", "Wafat")
        assert parts.exit_of({"exit_type": None}) == parts.exit_of({"exit_type": float("nan")}) == ""
