import numpy as np
import pandas as pd
import pytest

from fusion.features.fuse import no_signatures
from fusion.features.rows import Rows
from fusion.model.competing import durations
from fusion.monitoring.drift import (
    calibration_by_cohort,
    category_psi,
    domain_sign,
    early_exit_sign,
    feature_signs,
    psi,
    score_sign,
    watch,
)


def test_psi_of_two_bins_by_hand():
    old = np.r_[np.zeros(50), np.ones(50)]
    new = np.r_[np.zeros(25), np.ones(75)]
    expected = (0.25 - 0.5) * np.log(0.25 / 0.5) + (0.75 - 0.5) * np.log(0.75 / 0.5)
    assert psi(old, new) == pytest.approx(expected)
    assert category_psi(list("ab" * 50), list("abbb" * 25)) == pytest.approx(expected)
    assert psi(old, old) == 0 and psi(old, np.array([])) == 0


def test_missing_values_are_a_bin_of_their_own():
    old = np.arange(100.0)
    new = np.where(np.arange(100) < 40, np.nan, np.arange(100))
    assert psi(old, new) > 0.25


def test_changed_features_and_missingness_are_named(simulated):
    rows = simulated.rows
    half = np.arange(len(rows)) % 2 == 0
    table = rows.table.assign(
        gpa_last=rows.table["gpa_last"] - 1.0, attendance_mean=np.nan, tuition_band=rows.table["tuition_band"]
    )
    moved = type(rows)(table, rows.meta, rows.signatures, rows.position)
    alarms = {(s.kind, s.name) for s in feature_signs(rows.take(half), moved.take(~half)) if s.alarm}
    assert ("feature", "gpa_last") in alarms and ("missingness", "attendance_mean") in alarms
    assert not any(name == "tuition_band" for _, name in alarms)
    assert not [s for s in feature_signs(rows.take(half), rows.take(~half)) if s.alarm]
    assert feature_signs(rows.take(half), rows.take(np.arange(3))) == []


def test_a_new_scanner_is_told_apart_and_chance_is_not():
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=(200, 30)), rng.normal(size=(150, 30))
    assert not domain_sign(old, new, rng).alarm
    assert domain_sign(old, new + 0.8 * (np.arange(30) < 10), rng).alarm
    assert domain_sign(old, new[:5], rng) is None


def ends_of(register):
    joined = register.outcomes.merge(
        register.students[["student_key", "program_code", "cohort_term"]], on="student_key"
    )
    return durations(joined)


@pytest.mark.parametrize(("shift", "trusted"), [(0.0, True), (1.2, False), (-1.2, False)])
def test_a_planted_shift_of_the_base_rate_alarms_before_the_outcome_is_known(make_simulated, shift, trusted):
    sample = make_simulated(1500, 31, shift=shift)
    cohorts = sample.register.students.set_index("student_key")["cohort_term"]
    old, new = (cohorts.index[cohorts < 20141], cohorts.index[cohorts >= 20141])
    ends = ends_of(sample.register).set_index("student_key")
    drift = watch(
        sample.rows.of_students(old),
        sample.rows.of_students(new),
        ends.loc[old].reset_index(),
        ends.loc[new].reset_index(),
        np.random.default_rng(0),
    )
    assert drift.trusted is trusted
    assert drift.ordered[: len(drift.alarms)] == drift.alarms or len(drift.alarms) > 1
    assert set(drift.ordered) == set(drift.signs)
    if not trusted:
        assert [sign.kind for sign in drift.alarms] == ["exits"]


def test_early_exits_need_students_on_both_sides():
    few = pd.DataFrame({"student_key": ["a", "b"], "event": [1.0, 0.0], "stratum": [1, 1]})
    assert early_exit_sign(few, few) is None
    assert score_sign(np.ones(3), np.ones(3)) is None


def test_the_exit_alarm_compares_students_with_their_like():
    """Twice as many weak students leave as strong ones; young cohorts of more weak ones are no alarm."""

    def side(weak, strong, name):
        parts = [
            (f"{name}{k}{i}", float(i < n * rate), k)
            for k, (n, rate) in enumerate((weak, strong))
            for i in range(n)
        ]
        return pd.DataFrame(parts, columns=["student_key", "event", "stratum"])

    old = side((200, 0.2), (200, 0.1), "o")
    more_weak = early_exit_sign(old, side((300, 0.2), (60, 0.1), "n"))
    assert not more_weak.alarm and more_weak.seen == 66 and more_weak.expected == 66
    worse = early_exit_sign(old, side((200, 0.35), (200, 0.2), "n"))
    assert worse.alarm and worse.seen == 110 and worse.expected == 85


def test_a_list_of_names_that_was_renewed_is_a_sign_and_no_alarm_where_it_moves_no_level():
    rng = np.random.default_rng(2)
    meta = pd.DataFrame({"student_key": [f"s{i}" for i in range(300)], "as_of_index": 1, "program_code": "A"})
    old = pd.DataFrame({"path": "before", "gpa": rng.normal(3, 0.3, 300)})
    new = pd.DataFrame({"path": "renamed", "gpa": rng.normal(2.4, 0.3, 300)})
    old, new = (
        Rows(t, meta.assign(student_key=meta["student_key"] + n), no_signatures(), np.full(300, -1))
        for t, n in ((old, "o"), (new, "n"))
    )
    plain = {sign.name: sign for sign in feature_signs(old, new)}
    assert plain["path"].alarm and plain["gpa"].alarm
    found = {s.name: s for s in feature_signs(old, new, lambda rows: [-2 * rows.table["gpa"].to_numpy()])}
    assert found["path"].value > found["path"].limit and not found["path"].alarm
    assert found["gpa"].alarm


def test_calibration_by_cohort_says_where_it_fails():
    rng = np.random.default_rng(1)
    rows = []
    for cohort, true_rate in ((20101, 0.3), (20111, 0.6)):
        for n in range(300):
            rows.append((f"{cohort}-{n}", cohort, 2, float(rng.random() < true_rate), 0.3))
    risks = pd.DataFrame(rows, columns=["student_key", "cohort_term", "as_of_index", "outcome", "fused"])
    table = calibration_by_cohort(risks).set_index("cohort_term")
    assert table.loc[20101, "trusted"] and not table.loc[20111, "trusted"]


def test_a_calibrated_model_is_trusted_though_who_leaves_early_has_early_rows():
    """Drop-out is rare at the end: the last row of each student says "0.02" for all who stayed, and the risk
    of those who left stood in earlier rows. Judged at one term, risk and outcome agree."""
    rng, rows = np.random.default_rng(3), []
    for n in range(2000):
        leaves = int(rng.choice([2, 4, 9], p=[0.08, 0.08, 0.84]))
        for index, risk in ((0, 0.16), (2, 0.08 / 0.92), (4, 0.02)):
            if index < leaves:
                rows.append((f"s{n}", 20201, index, float(leaves < 9), risk))
    risks = pd.DataFrame(rows, columns=["student_key", "cohort_term", "as_of_index", "outcome", "fused"])
    table = calibration_by_cohort(risks)
    assert table["as_of_index"].tolist() == [2] and table["trusted"].all()
    last = risks.sort_values("as_of_index").drop_duplicates("student_key", keep="last")
    assert abs(last["fused"].mean() - last["outcome"].mean()) > 0.05  # what the last rows would have said
