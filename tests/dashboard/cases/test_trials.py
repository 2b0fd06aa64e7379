"""Trials on the page: who may take which step and when, and what is said of a result."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.cases import trials
from dashboard.shell.access import may
from dashboard.shell.wording import Words
from data.calendar.study_time import StudyCalendar
from data.cases.trial_protocol import OUTCOMES, Protocol, earliest_reading
from data.cases.trial_queries import Trial
from data.columns import ROLES, TRIAL_ACTS
from data.trust.accounts import Account

EN, BOTH = Words("en"), (Words("en"), Words("id"))
ROOT = Path(__file__).resolve().parents[3]
FIRST, LAST = date(2026, 9, 10), date(2026, 12, 1)
READ_ON = earliest_reading(LAST, 1, StudyCalendar())
AUTHOR, OTHER = Account("dekan", "Dekan", "leadership"), Account("wadek", "Wakil", "leadership")


def a_trial(*kinds: str, counts=None, figures=None, **changed) -> Trial:
    told = {"title": "Talks", "program_code": None, "target": "dropout", "lists": "advisor", "capacity": 20}
    told |= {"window": 10, "block": 4, "outcome": "left", "outcome_terms": 1, "base_rate": 0.3}
    told |= {"difference": 0.1, "planned": 400, "power": 0.6, "draw_from": FIRST, "draw_until": LAST}
    protocol = Protocol(**(told | {"offer_days": 60, "read_on": READ_ON} | changed))
    detail = {
        "approved": {"sha256": protocol.digest()},
        "drawn": {"draw": 1, "lists": 15, "offered": 150, "usual": 150},
        "stopped": {"reason": "enough"},
        "read": {"counts": counts, "figures": figures, "seed": "00"},
    }
    acts = tuple(
        {"kind": kind, "at": datetime(2026, 9, 10), "actor": "wadek", "detail": detail[kind]}
        for kind in kinds
    )
    return Trial("t" * 32, datetime(2026, 9, 1), "dekan", protocol, protocol.digest(), acts)


def result(offered, usual, helped=(90, 20), erased=0, figures=(-0.1, -0.19, -0.01)) -> Trial:
    """A read trial of 150 and 150 with so many outcomes."""
    counts = {
        arm: {"students": 150, "events": events, "erased": erased, "helped": had}
        for arm, events, had in (("offered", offered, helped[0]), ("usual", usual, helped[1]))
    }
    value, low, high = figures
    kept = {"offered": offered / 150, "usual": usual / 150, "value": value, "low": low, "high": high}
    return a_trial("approved", "drawn", "read", counts=counts, figures=kept)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("step", ["register", *trials.STEPS])
def test_only_leadership_takes_a_step_and_every_other_role_is_refused(role, step):
    assert may(role, f"{step} trial") is (role == "leadership")
    if role == "leadership":
        return
    somebody = Account("x", "X", role)
    with pytest.raises(PermissionError, match=role):
        if step == "register":
            trials.register(None, somebody, a_trial().protocol)
        else:
            trials.take(None, somebody, step, a_trial("approved", "drawn"), reason="x")
    for on in (FIRST, READ_ON):
        assert trials.open_steps(a_trial("approved", "drawn"), somebody, on) == []


@pytest.mark.parametrize("role", ROLES)
def test_only_advisors_see_offers(role):
    assert may(role, "see offers") is (role == "advisor")


@pytest.mark.parametrize(
    ("kinds", "person", "on", "steps"),
    [
        ((), AUTHOR, FIRST, ["stop"]),
        ((), Account("DEKAN", "D", "leadership"), FIRST, ["stop"]),
        ((), OTHER, FIRST, ["approve", "stop"]),
        ((), OTHER, LAST + timedelta(days=1), ["stop"]),
        (("approved",), AUTHOR, FIRST, ["draw", "stop"]),
        (("approved",), AUTHOR, FIRST - timedelta(days=1), ["stop"]),
        (("approved", "drawn"), OTHER, LAST, ["draw", "stop"]),
        (("approved", "drawn", "drawn"), OTHER, LAST, ["stop"]),  # 600 of 400
        (("approved", "drawn"), OTHER, READ_ON - timedelta(days=1), ["stop"]),
        (("approved", "drawn"), OTHER, READ_ON, ["read"]),
        (("approved", "drawn", "stopped"), OTHER, LAST, []),
        (("approved", "drawn", "stopped"), OTHER, READ_ON, ["read"]),
        (("approved", "stopped"), OTHER, READ_ON, []),
        (("approved", "drawn", "read"), OTHER, READ_ON, []),
    ],
)
def test_which_steps_are_open_when_and_to_whom(kinds, person, on, steps):
    trial = a_trial(*kinds, counts={}, figures={})
    assert trials.open_steps(trial, person, on) == steps


def test_a_result_is_told_with_its_interval_and_what_it_means():
    lines = trials.result_lines(result(30, 45), EN)
    assert lines[0].startswith("Of 150 students offered help it happened to 20.0%, of 150 others to 30.0%")
    assert "−10.0 points (95% interval −19.0 to −1.0)" in lines[0]
    assert lines[1] == EN("trial.verdict_fewer")
    assert "60%" in lines[2] and "13%" in lines[2]
    assert len(lines) == 3


@pytest.mark.parametrize(("figures", "verdict"), [((-0.1, -0.2, 0.01), "open"), ((0.1, 0.01, 0.2), "more")])
def test_an_interval_that_holds_zero_is_no_proof_of_nothing(figures, verdict):
    assert trials.result_lines(result(30, 45, figures=figures), EN)[1] == EN(f"trial.verdict_{verdict}")


@pytest.mark.parametrize("counts", [(3, 45), (30, 4), (147, 45), (30, 149)])
def test_a_result_that_concerns_fewer_than_five_is_not_told(counts):
    assert trials.result_lines(result(*counts), EN) == [EN("trial.result_small")]


def test_small_counts_beside_a_result_are_hidden():
    lines = trials.result_lines(result(30, 45, helped=(148, 2), erased=1), EN)
    assert lines[2] == EN("trial.helped", offered="*", usual="*")
    assert lines[3] == EN("trial.erased", n="*")
    assert trials.result_lines(result(0, 45), EN)[0].startswith("Of 150")  # nobody: concerns nobody


def small_trial(offered: dict, usual: dict) -> Trial:
    """A read trial of 48 and 48, as far as they were not erased."""
    from fusion.trial.analysis import analyse

    counts = {"offered": offered, "usual": usual}
    trial = a_trial("approved", "drawn", "read", counts=counts, figures=analyse(counts))
    drawn = {"draw": 1, "lists": 15, "offered": 48, "usual": 48}
    acts = tuple(act | {"detail": drawn} if act["kind"] == "drawn" else act for act in trial.acts)
    return replace(trial, acts=acts)


@pytest.mark.parametrize("words", BOTH, ids=("en", "id"))
@pytest.mark.parametrize("gone", [1, 2, 3, 4])
def test_few_erased_of_a_group_are_not_found_by_subtraction(words, gone):
    usual = {"students": 48, "events": 14, "erased": 0, "helped": 9}
    one = {"students": 48 - gone, "events": 12, "erased": gone, "helped": 30}
    for offered, other in ((one, usual), (one | {"helped": 9}, usual | {"helped": 30})):
        trial = small_trial(offered, other)
        told = trials.result_lines(trial, words)
        assert f" {48 - gone} " not in told[0] and told[0].count("50") == 2
        assert "48" in trials.recruitment(trial, words)
        figures = [int(one) for one in re.findall(r"\d+", told[0]) if one not in ("50", "95")]
        assert figures and all(one % trials.COARSE == 0 for one in figures)


def test_figures_of_nobody_erased_or_of_many_are_told_as_they_are():
    usual = {"students": 48, "events": 14, "erased": 0, "helped": 9}
    many = {"students": 42, "events": 12, "erased": 6, "helped": 30}
    assert trials.result_lines(small_trial(many, usual), EN)[0].startswith("Of 42 students offered help")
    assert trials.result_lines(small_trial(many, usual), EN)[-1] == EN("trial.erased", n="6")
    both = {"students": 45, "events": 12, "erased": 3, "helped": 30}
    told = trials.result_lines(small_trial(both, both), EN)
    assert told[0].startswith(
        "Of about 50 students offered help it happened to about 25%, of about 50 others"
    )
    assert told[-1] == EN("trial.erased", n="6")


def test_nothing_is_told_of_outcomes_before_they_are_read():
    assert trials.result_lines(a_trial("approved", "drawn"), EN) == []
    assert "300 of 400 planned students drawn in 1 draws: 150" in trials.recruitment(
        a_trial("approved", "drawn"), EN
    )


@pytest.mark.parametrize("words", BOTH, ids=("en", "id"))
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_protocol_is_shown_whole_in_both_languages(words, outcome):
    trial = a_trial(outcome=outcome, program_code="IF")
    table = trials.protocol_table(trial.protocol, {"IF": "Informatics"}, words)
    text = "\n".join(table.iloc[:, 1])
    for part in ("IF Informatics", "400", words.day(READ_ON), words.day(FIRST), words.percent(0.6)):
        assert part in text
    assert len(table) == 12 and not table.isna().any().any()


def test_every_refusal_and_state_has_words():
    source = (ROOT / "data/cases/trials.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'TrialRefused\(\s*"(\w+)"', source))
    assert len(codes) >= 10
    for words in BOTH:
        assert [code for code in codes if not words.has(f"trial.refused_{code}")] == []
        assert all(words.has(f"trial.state_{state}") for state in ("registered", *TRIAL_ACTS))
        for step in trials.STEPS:
            assert all(
                words.has(f"trial.{key}") for key in (f"step_{step}", f"step_{step}_help", f"done_{step}")
            )
