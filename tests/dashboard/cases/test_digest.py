"""What a week's digest holds, on five students worked out by hand, and the file it becomes."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from typer.testing import CliRunner

from dashboard.cases import digest
from dashboard.cases.digest_pdf import acted_line, digest_pdf, lines
from dashboard.reports.provenance import Provenance
from dashboard.shell.wording import Words

TODAY, EN = date(2026, 5, 20), Words("en")
NEW, OLD = pd.Timestamp(2026, 5, 18), pd.Timestamp(2026, 4, 1)
LISTED = pd.DataFrame(
    {
        "student_key": ["entered", "rose", "held", "waits", "met"],
        "risk": [0.70, 0.50, 0.80, 0.66, 0.75],
        "previous_risk": [0.40, 0.40, 0.80, 0.50, 0.30],
        "band": ["high", "moderate", "very_high", "high", "high"],
        "previous_band": ["moderate", "moderate", "very_high", "high", "low"],
        "scored_at": [NEW, NEW, NEW, OLD, NEW],
        "name": ["Ani", None, "Citra", "Dewi", "Eka"],
        "student_number": ["01", "02", "03", None, "05"],
    }
)
MET = pd.DataFrame({"student_key": ["met", "rose"], "at": [pd.Timestamp(2026, 5, 19), OLD]})
NO_STEPS = MET.head(0)
DUE = pd.DataFrame(
    {
        "student_key": ["held", "waits"],
        "due_on": ["2026-05-19", "2026-05-25"],
        "kind": ["contact", "intervention"],
        "detail": [{"how": "phone"}, {"what": "tutoring"}],
        "name": ["Citra", "Dewi"],
        "student_number": ["03", None],
    }
)


def keys(rows: pd.DataFrame) -> list[str]:
    return rows["student_key"].tolist()


def test_a_week_holds_who_entered_the_bands_and_who_rose_but_nobody_met_since():
    week = digest.build(LISTED, MET, [], DUE, TODAY)
    assert (week.first, week.last) == (date(2026, 5, 14), TODAY)
    assert keys(week.new) == ["entered"]
    assert keys(week.worse) == ["rose"]
    assert keys(week.waiting) == ["waits"]
    assert (week.acted, week.changed) == (1, 4)
    assert digest.overdue(week) == 1


def test_whoever_is_quiet_is_left_in_peace():
    week = digest.build(LISTED, NO_STEPS, ["entered", "waits", "met"], DUE.head(0), TODAY)
    assert (keys(week.new), keys(week.worse), keys(week.waiting)) == ([], ["rose"], [])


def test_a_step_before_the_scoring_does_not_count_as_acting_on_it():
    before = pd.DataFrame({"student_key": ["entered"], "at": [pd.Timestamp(2026, 5, 17)]})
    assert digest.build(LISTED, before, [], DUE, TODAY).acted == 0


def test_a_week_without_news_says_so():
    held = LISTED[LISTED["student_key"] == "held"]
    week = digest.build(held, NO_STEPS, [], DUE.head(0), TODAY)
    assert week.empty
    assert acted_line(week, EN) == EN("digest.acted_none")


def test_the_lines_say_how_the_risk_moved():
    assert lines(LISTED.head(2), EN) == [
        "Ani · 01: risk 40 → 70 of 100, high",
        "02: risk 40 → 50 of 100, moderate",
    ]
    first = LISTED.head(1).assign(previous_risk=None, name=None, student_number=None)
    assert lines(first, EN) == ["entered: risk 70 of 100, first score, high"]


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_digest_prints_in_both_languages(language):
    week = digest.build(LISTED, MET, [], DUE, TODAY)
    assert digest_pdf(week, Provenance(synthetic=True), Words(language), "Rina").startswith(b"%PDF")


def test_the_command_writes_an_advisors_week_and_refuses_others(small_university, tmp_path, monkeypatch):
    from dashboard.__main__ import app
    from data import store as stores

    monkeypatch.setattr(stores, "open_store", lambda *_, **__: small_university.store)
    monkeypatch.setattr(type(small_university.store), "close", lambda self: None)
    out = tmp_path / "week" / "digest.pdf"
    command = ["digest", "--account", small_university.advisor, "--out", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(b"%PDF")
    refused = CliRunner().invoke(app, ["digest", "--account", "nobody", "--out", str(out)])
    assert refused.exit_code == 2
