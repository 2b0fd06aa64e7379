"""The gate: what a register must hold for a target to be learned, with registers counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.features.rows import TrainingSet
from fusion.model.examined import Evaluation
from fusion.model.manifest import Manifest, TrainedOn
from fusion.service.cards import model_card
from fusion.validation.fitness import (
    AUC_WITHIN,
    SHARE_WITHIN,
    Fitness,
    auc_error,
    fitness_of,
    judged_on_few,
    missing_exits,
    share_error,
    unfit,
    weigh,
    weigh_training_set,
)
from fusion.validation.report import fitness_text


def test_the_share_is_measured_by_wilsons_interval():
    # 10 of 20: centre .5, half-width 1.96 * sqrt(.25/20 + 1.96^2/1600) / (1 + 1.96^2/20) = .2007
    assert share_error(10, 20) == pytest.approx(0.2007, abs=1e-4)
    assert share_error(0, 0) == 1.0


def test_the_ranking_is_measured_by_hanley_and_mcneils_error():
    # 10 and 10 at .70: Q1 = .7/1.3 = .53846, Q2 = .98/1.7 = .57647; (.21 + 9*.04846 + 9*.08647)/100 = .014244
    assert auc_error(10, 10) == pytest.approx(1.959964 * np.sqrt(0.014244), abs=1e-4)
    assert auc_error(0, 10) == auc_error(10, 0) == 1.0


@pytest.mark.parametrize(
    ("students", "events", "reason"),
    [
        (93, 46, ""),  # Wilson ±.0996
        (92, 46, "few_students"),  # ±.1001
        (200, 16, ""),  # AUC ±.1479
        (200, 15, "few_cases"),  # ±.1525
        (13, 7, "few_students"),
        (4540, 0, "no_events"),  # graduates only
        (4540, 1, "few_cases"),  # one drop-out
        (300, 300, "only_events"),
        (0, 0, "no_outcomes"),
    ],
)
def test_the_limit_itself_is_enough_and_one_below_it_is_not(students, events, reason):
    found = weigh("dropout", students, events, 4)
    assert found.reason == reason and found.fit == (reason == "")
    if reason in ("few_students", "few_cases") and found.needed:
        assert found.needed > students
        assert weigh("dropout", found.needed, round(found.needed * events / students), 4).fit


def test_one_entry_cohort_is_not_enough_unless_the_register_cannot_tell_them_apart():
    assert weigh("late", 400, 200, 1).reason == "one_cohort"
    assert weigh("late", 400, 200, 2).fit
    assert weigh("late", 400, 200, 1, one_cohort=True).fit


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_what_is_fit_has_both_intervals_narrow_enough(events, others):
    found = weigh("late", events + others, events, 3)
    narrow = share_error(events, events + others) <= SHARE_WITHIN and auc_error(events, others) <= AUC_WITHIN
    assert found.fit == narrow


def test_a_student_with_rows_of_several_terms_counts_once(simulated):
    rows = simulated.rows.of_students(sorted(set(simulated.rows.students))[:60])
    outcome = (pd.factorize(rows.students)[0] % 3 == 0).astype(float)
    found = weigh_training_set("dropout", TrainingSet(rows, outcome))
    assert found.students == 60 < len(rows)
    assert found.events == len(set(rows.students[outcome == 1]))
    assert found.cohorts == rows.meta["cohort_term"].nunique()
    assert (
        weigh_training_set("late", TrainingSet(rows.take(np.zeros(0, int)), np.zeros(0))).reason
        == "no_outcomes"
    )


def test_a_model_of_before_the_rule_is_judged_by_the_labels_it_recorded():
    bands = {"late": (0.2, 0.4, 0.6)}
    thirteen = Manifest(bands=bands, trained_on=TrainedOn(13, {"on_time": 6, "delayed": 7}))
    assert unfit(thirteen)["late"].reason == "few_students"
    graduates = Manifest(
        bands=bands | {"dropout": (0.0, 0.005, 0.01)},
        trained_on=TrainedOn(4540, {"on_time": 1900, "delayed": 2640}),
    )
    assert list(unfit(graduates)) == ["dropout"]
    assert fitness_of(Manifest(bands=bands)) == {}  # nothing is known of what taught it: nothing is said


def test_missing_kinds_of_exit_are_named():
    assert missing_exits({"on_time": 5, "delayed": 3}) == ["dropout"]
    assert missing_exits({"on_time": 5, "delayed": 3, "dropout": 1}) == []
    assert missing_exits({}) == []


def test_an_examination_of_seven_students_is_no_examination():
    assert judged_on_few(Evaluation(rows=30, students=7, events=12))
    assert not judged_on_few(Evaluation(rows=1000, students=200, events=400))
    assert judged_on_few(Evaluation())


def test_the_sentence_says_what_is_missing_and_how_many_would_do():
    none = fitness_text(weigh("dropout", 4540, 0, 3))
    assert none.startswith("Only graduates in this register") and "4,540" in none
    few = fitness_text(weigh("late", 13, 7, 2))
    assert "7 of 13" in few and "would do" in few
    assert fitness_text(weigh("late", 400, 200, 2)) == ""


def test_the_card_says_what_was_not_learned_and_gives_it_no_bands():
    manifest = Manifest(
        "risk-g",
        bands={"late": (0.2, 0.4, 0.6), "dropout": (0.0, 0.005, 0.01)},
        trained_on=TrainedOn(4540, {"on_time": 1900, "delayed": 2640}),
    )
    card = model_card(manifest, synthetic=False)
    assert "Only graduates in this register" in card and "graduates only" in card
    bands = card.partition("## Bands of risk")[2].partition("##")[0]
    assert "late" in bands and "dropout" not in bands


def test_the_verdict_survives_the_fact_of_the_store():
    found = weigh("late", 13, 7, 2)
    assert Fitness(**found.as_dict()) == found
