import numpy as np
import pandas as pd
import pytest

from fusion.model.conformal import coverage, fit_conformal
from fusion.validation.lists import examine_lists, on_list


def history():
    """Four students of one cohort at three as-of terms; a and b meet the outcome."""
    risks = {"a": [0.2, 0.9, 0.8], "b": [0.9, 0.8, 0.9], "c": [0.8, 0.1, 0.1], "d": [0.1, 0.2, 0.2]}
    rows = [
        (student, 20201, index, float(student in "ab"), risk)
        for student, values in risks.items()
        for index, risk in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["student_key", "cohort_term", "as_of_index", "outcome", "fused"])


def test_half_of_the_cohort_is_on_the_list():
    table = history().assign(listed=on_list(history(), 0.5))
    assert table.groupby("as_of_index")["listed"].sum().tolist() == [2, 2, 2]


def test_lead_time_stability_and_cost_of_the_list_by_hand():
    report = examine_lists(history(), 0.5)
    # b is first listed at 0, a at 1; both were enrolled at 2: leads 2 and 1.
    assert report.lead_time["first_alert"].tolist() == [0, 1]
    assert report.median_lead == 1.5
    # Listed: {b, c}, then {a, b}, then {a, b}: half stayed, then all.
    assert report.stability["stayed"].tolist() == [0.5, 1.0]
    assert report.alerts_per_case == 3 / 2
    assert report.figures().median_lead == 1.5


def test_a_list_without_cases_has_no_lead_time():
    report = examine_lists(history().assign(outcome=0.0), 0.5)
    assert np.isnan(report.median_lead) and np.isnan(report.alerts_per_case)
    assert np.isnan(report.figures().alerts_per_case)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_sets_hold_the_truth_as_often_as_promised_in_every_programme(alpha):
    rng = np.random.default_rng(0)

    def sample(count):
        programme = rng.choice(["easy", "hard"], count)
        truth = rng.normal(0, np.where(programme == "easy", 3, 0.7))
        risk = 1 / (1 + np.exp(-truth))
        return risk, (rng.random(count) < risk).astype(float), programme

    sets = fit_conformal(*sample(4000), alpha=alpha)
    risk, outcome, programme = sample(6000)
    for name in ("easy", "hard"):
        mine = programme == name
        held = coverage(sets.answers(risk[mine], programme[mine]), outcome[mine])
        assert held["covered"] == pytest.approx(1 - alpha, abs=0.03)


def test_too_few_students_promise_nothing_but_either():
    sets = fit_conformal([0.1, 0.9], [0, 1], ["x", "x"])
    assert sets.answers(np.array([0.01, 0.5, 0.99]), ["x", "new", "x"]).tolist() == ["either"] * 3
    assert np.isnan(coverage(np.array([], dtype=object), np.array([]))["covered"])
    with pytest.raises(ValueError, match="alpha"):
        fit_conformal([0.1], [0], ["x"], alpha=1.5)
