"""The outlook on cohorts of a handful of students, worked out by hand."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.cohorts import prospects
from dashboard.cohorts.summaries import outcomes, wilson
from dashboard.models.health import concerns, health_of
from dashboard.shell.wording import Words
from data import queries
from data.engine.clock import now
from data.trust.scope import Scope
from fusion.model.manifest import read_manifest

PROGRAMS = pd.DataFrame({"program_code": ["IF"], "normal_terms": [8]})
LAST = 20252  # the even term of 2025/26


def flow(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["program_code", "cohort_term", "state", "terms_to_exit", "students"])


OLD = (
    ("IF", 20201, "graduated", 8, 2),
    ("IF", 20201, "resigned", 2, 1),
    ("IF", 20201, "transferred", 3, 1),
    ("IF", 20201, "resigned", -1, 5),
)
YOUNG = (
    ("IF", 20231, "enrolled", -1, 6),
    ("IF", 20231, "graduated", 5, 1),
    ("IF", 20231, "resigned", 1, 2),
    ("IF", 20231, "deceased", 2, 1),
)
COHORTS = outcomes(flow(*OLD, *YOUNG), PROGRAMS, "cohort_term", LAST)


def test_students_are_seen_until_they_leave_or_until_now():
    ripe = prospects.seen(flow(*OLD, *YOUNG), PROGRAMS, LAST, mature=True)
    assert sorted(map(tuple, ripe[["term", "cause", "students"]].to_numpy().tolist())) == [
        (2, "dropout", 1),
        (3, "other", 1),
        (8, "graduated", 2),
    ]
    young = prospects.seen(flow(*OLD, *YOUNG), PROGRAMS, LAST, mature=False)
    studying = young[young["cause"] == ""]
    assert (studying["term"].tolist(), studying["students"].tolist()) == (
        [6],
        [6],
    )  # Odd 2023/24 … Even 2025/26


def test_incidence_counts_up_to_the_shares_that_came_true():
    many = flow(("IF", 20201, "graduated", 8, 60), ("IF", 20201, "resigned", 2, 40))
    table = prospects.incidence(many, PROGRAMS, LAST, mature=True)
    last = table.groupby("cause")["share"].max()
    assert last["graduated"] == pytest.approx(0.6)
    assert last["dropout"] == pytest.approx(0.4)
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()


def test_a_cohort_under_way_is_expected_to_finish_as_its_scores_say():
    expected = pd.DataFrame(
        {
            "program_code": ["IF"],
            "cohort_term": [20231],
            "scored": [3],
            "late": [1.5],
            "late_low": [0.9],
            "late_high": [2.1],
        }
    )
    (row,) = prospects.scenarios(COHORTS, expected).to_dict("records")
    assert (row["n"], row["done"], row["enrolled"], row["scored"]) == (9, 1, 6, 3)
    assert row["rate"] == pytest.approx((1 + 6 * 0.5) / 9)
    assert row["low"] == pytest.approx((1 + 6 * 0.3) / 9)
    assert row["high"] == pytest.approx((1 + 6 * 0.7) / 9)


def test_mature_cohorts_and_those_without_scores_have_no_scenario():
    none = pd.DataFrame(columns=["program_code", "cohort_term", "scored", "late", "late_low", "late_high"])
    assert prospects.scenarios(COHORTS, none).empty


def grouped(group: str, on_time: int, others: int) -> list[tuple]:
    return [
        (group, "IF", 20201, "graduated", 8, on_time),
        (group, "IF", 20201, "graduated", 10, others),
    ]


def test_groups_are_ranked_and_small_ones_left_out():
    rows = [*grouped("L", 10, 30), *grouped("P", 30, 10), *grouped("few", 4, 5), *grouped("", 40, 0)]
    columns = ["group", "program_code", "cohort_term", "state", "terms_to_exit", "students"]
    table = prospects.groups(pd.DataFrame(rows, columns=columns), PROGRAMS, LAST)
    assert table["group"].tolist() == ["P", "L"]
    assert table["rate"].tolist() == [0.75, 0.25]
    gap = prospects.largest_gap(table)
    assert (gap.high_group, gap.low_group, gap.difference) == ("P", "L", 0.5)
    assert 0.25 < gap.low < 0.5 < gap.high < 0.7
    assert prospects.largest_gap(table.head(1)) is None


def test_newcombes_published_interval_is_met():
    # R. G. Newcombe (1998), table II: 56/70 against 48/80, method 10: 0.0524 to 0.3339
    table = pd.DataFrame({"group": ["a", "b"], "n": [70, 80], "on_time_n": [56, 48]})
    table["rate"] = table["on_time_n"] / table["n"]
    table["low"], table["high"] = wilson(table["on_time_n"], table["n"])
    gap = prospects.largest_gap(table)
    assert (round(gap.low, 4), round(gap.high, 4)) == (0.0524, 0.3339)


def test_the_store_counts_groups_and_expectations_without_a_single_student(small_university):
    store, everybody = small_university.store, Scope.system()
    flow_counts = queries.flow_counts(store, everybody)["students"].sum()
    by_sex = queries.flow_by_group(store, everybody, "sex")
    assert by_sex["students"].sum() == flow_counts
    assert set(by_sex["group"]) >= {"L", "P"}
    expected = queries.expected_late(store, everybody)
    assert expected["scored"].sum() == queries.caseload_size(store, everybody, "late")
    assert (expected["late_low"] <= expected["late_high"]).all()
    assert queries.last_scored(store, everybody) <= now()
    with pytest.raises(ValueError, match="attribute must be one of"):
        queries.flow_by_group(store, everybody, "name")


def manifest(model: float, rule: float, trusted: bool, students: int = 200) -> dict:
    def figures(value):
        judged = {"rows": 4 * students, "students": students, "events": 2 * students}
        return {"figures": {"precision_at_20": [value, None, None]}, **judged}

    arms = {"fused": figures(model), "on-track rule": figures(rule)}
    cohorts = [
        {"target": "late", "cohort_term": 20201, "trusted": not trusted},
        {"target": "late", "cohort_term": 20211, "trusted": trusted},
    ]
    return {"assessment": {"evaluations": {"late": arms}, "cohorts": cohorts}}


@pytest.mark.parametrize(
    ("about", "scored", "said"),
    [
        (manifest(0.6, 0.5, True), datetime(2026, 5, 1), []),
        (manifest(0.5, 0.5, True), datetime(2026, 5, 1), ["no_better_than_rule"]),
        (manifest(0.6, 0.5, False), datetime(2025, 5, 1), ["drifted", "old_scores"]),
        (
            manifest(0.6, 0.5, True) | {"monitor": {"trusted": False, "enough": True}},
            datetime(2026, 5, 1),
            ["young_differ"],
        ),
        (manifest(0.9, 0.5, True, students=7), datetime(2026, 5, 1), ["few_judged"]),
        # 24 with and 24 without the event are the fewest that tell a useful ranking from chance
        (manifest(0.9, 0.5, True, students=48), datetime(2026, 5, 1), []),
        (manifest(0.9, 0.5, True, students=46), datetime(2026, 5, 1), ["few_judged"]),
        (manifest(0.6, 0.5, True) | {"format": 2}, datetime(2026, 5, 1), ["train_again"]),
        (manifest(0.6, 0.5, True) | {"format": 3}, datetime(2026, 5, 1), []),
        ({}, None, ["unexamined"]),
    ],
)
def test_a_models_health_is_told_from_its_record(about, scored, said):
    assert concerns(read_manifest(about), scored, date(2026, 5, 20)) == said


@pytest.mark.parametrize("language", ["en", "id"])
def test_what_is_to_be_known_of_one_risk_does_not_stand_among_what_is_known_of_another(language):
    words, about = Words(language), manifest(0.5, 0.5, True)
    evaluations = about["assessment"]["evaluations"]
    evaluations["dropout"] = manifest(0.9, 0.5, True, students=7)["assessment"]["evaluations"]["late"]
    read = read_manifest(about | {"monitor": {"trusted": False, "enough": True}})
    found = health_of(read, datetime(2026, 5, 1), date(2026, 5, 20), ["late"], words)
    assert found.general == [words("health.young_differ")]
    assert found.of_target == {
        "late": [f"{words('target.late')}: {words('health.rule_served')}"],
        "dropout": [f"{words('target.dropout')}: {words('health.few_judged')}"],
    }


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize(("target", "other"), [("late", "dropout"), ("dropout", "late")])
def test_the_overview_tells_the_health_of_its_own_risk_and_folds_the_other(language, target, other):
    at = AppTest.from_function(
        _health, default_timeout=60, kwargs={"language": language, "target": target}
    ).run()
    assert not at.exception
    words = Words(language)
    (folded,) = at.expander
    assert folded.label == words("health.of_other", target=words(f"target.{other}"))
    assert [one.value for one in folded.markdown] == [f"about {other}"]
    open_lines = [one.value for one in at.markdown if one.value not in [one.value for one in folded.markdown]]
    assert any(f"about {target}" in line for line in open_lines)
    assert not any(f"about {other}" in line for line in open_lines)


def _health(language: str, target: str):
    from types import SimpleNamespace
    from unittest.mock import patch

    import streamlit as st

    from dashboard.cohorts.view import prospects
    from dashboard.models.health import Health

    st.session_state["language"] = language
    found = Health([], {"late": ["about late"], "dropout": ["about dropout"]})
    with (
        patch.object(prospects.stores, "served_model", lambda: SimpleNamespace(manifest=None)),
        patch.object(prospects.stores, "rule_served", lambda one: False),
        patch.object(prospects.stores, "time_zone", lambda: ""),
        patch.object(prospects.caches, "read_once", lambda ask: None),
        patch.object(prospects, "health_of", lambda *about: found),
        patch.object(prospects.parts, "model_line", lambda: "model"),
    ):
        prospects.health(target)
