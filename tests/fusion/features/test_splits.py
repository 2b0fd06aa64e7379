import numpy as np
import pandas as pd
import pytest

from fusion.features.assemble import training_set
from fusion.features.splits import binary, forward_split, grouped_folds, labels, mature_labels, maturity


def test_a_forward_split_trains_on_what_was_known_and_tests_later_cohorts(simulated):
    register = simulated.register
    split = forward_split(register)
    ripe = maturity(register)
    assert set(split.train).isdisjoint(split.test)
    assert (ripe[split.train] <= pd.Timestamp(split.simulated_date)).all()
    assert (ripe[split.test] > pd.Timestamp(split.simulated_date)).all()
    assert 0.2 < len(split.test) / (len(split.train) + len(split.test)) < 0.5


def test_training_rows_of_a_forward_split_end_on_the_simulated_day(simulated):
    split = forward_split(simulated.register)
    part = training_set(
        simulated.rows.of_students(split.train), split.train_labels, "dropout", split.simulated_date
    )
    assert part.rows.meta["cutoff"].max() <= pd.Timestamp(split.simulated_date)


def test_cohorts_under_way_teach_nothing_although_their_drop_outs_are_known(simulated):
    register = simulated.register
    everything, mature = labels(register), mature_labels(register)
    young = everything.index.difference(mature.index)
    assert (everything[young] == "dropout").any()
    assert not mature.isin(["censored"]).any()


def test_past_the_normal_time_lateness_is_no_longer_a_risk(simulated):
    known = mature_labels(simulated.register)
    assert training_set(simulated.rows, known, "late").rows.table["terms_left"].min() == 1
    assert training_set(simulated.rows, known, "dropout").rows.table["terms_left"].min() == 0


def test_late_means_delayed_or_dropped_out():
    label = pd.Series(["on_time", "delayed", "dropout"])
    assert binary(label, "late").tolist() == [0, 1, 1]
    assert binary(label, "dropout").tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="target"):
        binary(label, "graduated")


def test_a_students_rows_stay_on_one_side_of_every_fold():
    rng = np.random.default_rng(0)
    students = np.repeat([f"s{n}" for n in range(30)], 3)
    outcome = np.repeat(rng.integers(0, 2, 30), 3)
    tested = np.zeros(90, int)
    for train, test in grouped_folds(students, outcome, 5, rng):
        assert set(students[train]).isdisjoint(students[test])
        assert 0 < outcome[test].mean() < 1
        tested += test
    assert (tested == 1).all()


def test_a_register_of_one_cohort_has_no_forward_split(make_simulated):
    assert forward_split(make_simulated(60, 0, cohorts=1).register) is None
