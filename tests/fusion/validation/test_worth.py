import numpy as np
import pandas as pd
import pytest

from fusion.model.examined import ARMS, BASE, EITHER, EVERYBODY, FUSED, MODEL, RULE
from fusion.validation.worth import choose, decision_curve, list_worth, listed, net_benefit


def table(risk, outcome, advisor=None):
    """One row per student of one cohort at two completed terms; every arm but the model says the same."""
    n = len(risk)
    base = float(np.mean(outcome))
    frame = pd.DataFrame(
        {
            "student_key": [f"s{i}" for i in range(n)],
            "program_code": "A",
            "cohort_term": 20201,
            "as_of_index": 2,
            "outcome": np.asarray(outcome, float),
            **{arm: base for arm in ARMS},
        }
    )
    return frame.assign(**{FUSED: risk}), pd.DataFrame(
        {"student_key": frame["student_key"], "advisor": advisor}
    )


def test_a_list_is_each_advisors_own_and_ties_at_its_end_share_what_is_left():
    # a: 4 students, room for 2 at half: .9 and one of the two .5; b: 2 students, room for 1
    on = listed(np.array(list("aaaabb")), np.array([0.9, 0.5, 0.5, 0.1, 0.2, 0.3]), 0.5)
    assert on.tolist() == [1, 0.5, 0.5, 0, 0, 1]


def test_precision_recall_and_lift_of_real_lists_by_hand():
    """Two advisors of five students, one listed each: the first list finds its case, the other not."""
    risk = [0.9, 0.1, 0.1, 0.2, 0.3, 0.8, 0.2, 0.1, 0.3, 0.4]
    outcome = [1, 0, 0, 0, 1, 0, 1, 0, 0, 1]
    rows, students = table(risk, outcome, ["a"] * 5 + ["b"] * 5)
    found = list_worth(rows, students, rows["student_key"].to_numpy(object), np.random.default_rng(0), 40)
    model = next(row for row in found if row.arm == FUSED)
    assert (model.lists, model.students, model.events, model.as_of_index) == (2, 10, 4, 2)
    assert model.precision.value == 0.5 and model.recall.value == 0.25 and model.lift.value == 1.25
    rule = next(row for row in found if row.arm == RULE)  # no order at all: a list finds the base rate
    assert rule.precision.value == pytest.approx(0.4) and rule.lift.value == pytest.approx(1)


def test_net_benefit_by_hand():
    """At a threshold of a quarter three talks for nothing cost as much as one case brings."""
    outcome, treat = np.array([1.0, 0, 0, 1]), np.array([1.0, 1, 0, 0])
    assert net_benefit(outcome, treat, 0.25, np.ones((1, 4)))[0] == pytest.approx((1 - 1 / 3) / 4)


def test_the_curve_of_a_talk_with_everybody_and_of_nobody():
    rows, _ = table(np.full(10, 0.01), [1] * 3 + [0] * 7)
    points = {(p.arm, p.threshold): p.net_benefit for p in decision_curve(rows)}
    assert points[EVERYBODY, 0.1] == pytest.approx(0.3 - 0.7 / 9, abs=1e-6)
    assert points[FUSED, 0.1] == 0  # the model lists nobody


@pytest.mark.parametrize(("quality", "use"), [(3.0, MODEL), (0.0, EITHER), (-3.0, RULE)])
def test_which_to_use_follows_what_the_later_cohorts_came_to(quality, use):
    """A model that knows, one that says what the simple ways say, and one that has it the wrong way round."""
    rng = np.random.default_rng(1)
    trait = rng.normal(size=600)
    outcome = (rng.random(600) < 1 / (1 + np.exp(1 - 2 * trait))).astype(float)
    rows, _ = table(1 / (1 + np.exp(1 - quality * trait)), outcome)
    weak = 1 / (1 + np.exp(1 - 0.7 * (trait + rng.normal(size=600))))
    rows = rows.assign(**{RULE: weak, BASE: outcome.mean()})
    if not quality:
        rows[FUSED] = weak
    groups = rows["student_key"].to_numpy(object)
    found = choose(rows, float(outcome.mean()), groups, np.random.default_rng(0), 200)
    assert found.use == use and found.best_simple == RULE
    assert found.gain_over[RULE].value == pytest.approx(
        found.net_benefit[FUSED].value - found.net_benefit[RULE].value, abs=2e-6
    )
