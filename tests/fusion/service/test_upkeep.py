from dataclasses import replace

import numpy as np
import pytest

from benchmarks.registers import make_register
from fusion.features.assemble import all_rows, training_set
from fusion.features.build import register_date
from fusion.features.splits import mature_labels
from fusion.model.booster import TreeSettings
from fusion.model.fit import fit_model
from fusion.model.manifest import Manifest
from fusion.monitoring.drift import psi_limit
from fusion.monitoring.monitor import look, sides
from fusion.monitoring.recalibrate import recalibrate
from fusion.service.upkeep import levelled_name, taught_until

READ_AFTER = 14  # terms after the first of seven yearly intakes: of the last three little is known yet


@pytest.mark.parametrize(("shift", "trusted"), [(0.0, True), (2.0, False), (-2.0, False)])
def test_the_watch_says_that_young_cohorts_differ_before_their_outcome_is_known(shift, trusted):
    options = {"signed": 0, "cohorts": 7, "shift": shift, "read_after": READ_AFTER}
    register = make_register(1800, np.random.default_rng(41), **options)
    until = register_date(register)
    assert mature_labels(register).index.isin(sides(register, until, np.random.default_rng(0))[0]).all()
    found = look(register, all_rows(lambda index: register), until, np.random.default_rng(0))
    assert found.trusted is trusted and found.later > 500
    alarms = {sign.kind for sign in found.alarms}
    assert alarms == (set() if trusted else {"exits"})


def test_the_watch_takes_a_register_that_does_not_know_when_somebody_left():
    register = make_register(600, np.random.default_rng(41), signed=0, cohorts=7, read_after=READ_AFTER)
    ends = register.outcomes.assign(terms_to_exit=np.nan)
    assert ends["exit_type"].notna().any()
    undated = replace(register, outcomes=ends)
    found = look(undated, all_rows(lambda index: undated), register_date(register), np.random.default_rng(0))
    assert found.later > 0 and found.signs


def test_newly_matured_cohorts_move_the_level_of_a_served_model(make_simulated):
    sample = make_simulated(1200, 5, shift=1.0, signed=0.5)
    labels = mature_labels(sample.register)
    cohort = sample.register.students.set_index("student_key")["cohort_term"].reindex(labels.index)
    past, later = labels[(cohort < 20141).to_numpy()], labels[(cohort >= 20141).to_numpy()]
    training_sets = {"late": training_set(sample.rows, past, "late")}
    model = fit_model(training_sets, seed=0, settings=TreeSettings(rounds=40))
    rows = sample.rows.of_students(later.index)
    moved, notes = recalibrate(model, rows, later)
    judged = training_set(rows, later, "late")
    before, after = (m.risk(judged.rows, "late") for m in (model, moved))
    assert notes["late"].step > 0.2 and notes["late"].students == len(later)
    assert abs(after.mean() - judged.outcome.mean()) < 0.01 < judged.outcome.mean() - before.mean()
    frame = moved.score(judged.rows, "late").frame
    told = frame.dropna(subset=["risk_low"])
    assert (
        len(told) and (told["risk_low"] <= told["risk"]).all() and (told["risk"] <= told["risk_high"]).all()
    )


def test_too_few_matured_students_move_nothing(simulated):
    labels = mature_labels(simulated.register)
    model = fit_model(
        {"late": training_set(simulated.rows, labels, "late")}, seed=0, settings=TreeSettings(rounds=5)
    )
    same, notes = recalibrate(model, simulated.rows, labels.iloc[:20])
    assert notes == {} and same.targets == model.targets


def test_the_watch_probes_embeddings_and_counts_both_sides(simulated):
    day = taught_until(Manifest(), max(simulated.register.outcomes["observed_until"]).date())
    found = look(simulated.register, simulated.rows, day, np.random.default_rng(0))
    assert found.taught + found.later == len(simulated.register.students)
    probes = {row.attribute: row for row in found.probes}
    assert {"sex", "program_code"} <= set(probes)
    assert not probes["sex"].predicts and probes["sex"].chance == 0.5


def test_small_samples_need_a_larger_index_to_alarm():
    assert psi_limit(10, 10_000, 10_000) == 0.25
    # chi-squared with 9 degrees of freedom exceeds 27.877 once in a thousand
    assert psi_limit(10, 50, 50) == pytest.approx(27.877 * 2 / 50, abs=1e-3)


def test_the_name_of_a_level_says_the_same_for_the_same_move_and_keeps_what_else_it_says():
    one, other = ({"late": 0.5, "dropout": -0.1}, {"late": 0.5})
    name = levelled_name("risk-1", one)
    assert name == levelled_name("risk-1", dict(reversed(one.items()))) != levelled_name("risk-1", other)
    assert levelled_name(name, other) == levelled_name("risk-1", other)
    records = levelled_name(f"{name}-records", other)
    assert records.startswith("risk-1-records-level-") and len(records) <= 64
