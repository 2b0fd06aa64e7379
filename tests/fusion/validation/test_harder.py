import numpy as np
import pandas as pd
import pytest

from fusion.features.splits import maturity
from fusion.model.booster import TreeSettings
from fusion.validation.protocols import GAP, PROGRAMME, ROLLING, judge, trials
from fusion.validation.subgroups import holm, search


def test_nobody_stands_on_both_sides_and_nothing_is_known_before_its_day(simulated):
    register = simulated.register
    about, ripe = register.students.set_index("student_key"), maturity(register)
    seen = {}
    for trial in trials(register):
        seen.setdefault(trial.protocol, []).append(trial)
        taught = trial.train_labels.index
        assert not set(taught) & set(trial.test)
        assert (ripe.reindex(taught) <= pd.Timestamp(trial.until)).all()
        assert (ripe.reindex(trial.test) > pd.Timestamp(trial.until)).all()
        entered = about["cohort_term"]
        if trial.protocol == PROGRAMME:
            assert set(about.loc[trial.test, "program_code"]) == {trial.name}
            assert trial.name not in set(about.loc[taught, "program_code"])
        else:
            assert set(entered.loc[trial.test]) == {int(trial.name)}
            assert entered.loc[taught].max() < int(trial.name)
    assert set(seen) == {ROLLING, GAP, PROGRAMME}
    widest = {t.name: t.train_labels for t in seen[ROLLING]}
    for trial in seen[GAP]:  # one cohort more lies between
        near, far = (
            about.loc[k.index, "cohort_term"].max() for k in (widest[trial.name], trial.train_labels)
        )
        assert far < near


def test_two_registrations_of_one_person_do_not_meet_across_the_split(simulated):
    plain = next(t for t in trials(simulated.register) if t.protocol == ROLLING)
    judged, taught = plain.test[0], plain.train_labels.index[0]
    linked = next(t for t in trials(simulated.register, {judged: "p1", taught: "p1"}) if t.name == plain.name)
    assert taught not in linked.train_labels.index
    assert len(linked.train_labels) == len(plain.train_labels) - 1


@pytest.mark.slow
def test_the_model_is_judged_beside_every_simpler_way(simulated):
    table = judge(simulated.register, simulated.rows, "late", settings=TreeSettings(rounds=10), draws=40)
    assert set(table["arm"]) == {"model", "logistic", "rule", "base"}
    assert set(table["protocol"]) == {ROLLING, GAP, PROGRAMME}
    assert table.groupby("arm")["roc_auc"].mean()["model"] > table.groupby("arm")["roc_auc"].mean()["base"]


def test_holm_by_hand():
    assert holm(np.array([0.04, 0.01, 0.03])).tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert len(holm(np.zeros(0))) == 0


def planted(count, wrong, rng):
    """Risks of 0.3 for everybody; women with a grant come to 0.3 + ``wrong``."""
    students = pd.DataFrame(
        {
            "student_key": [f"s{i}" for i in range(count)],
            "cohort_term": 20201,
            "birth_year": 2001,
            "sex": rng.choice(["P", "L"], count),
            "funding_at_entry": rng.choice(["self", "grant"], count),
        }
    )
    both = (students["sex"] == "P") & (students["funding_at_entry"] == "grant")
    outcome = (rng.random(count) < 0.3 + wrong * both).astype(float)
    terms = [students[["student_key"]].assign(as_of_index=i, outcome=outcome, fused=0.3) for i in (1, 2, 7)]
    return pd.concat(terms, ignore_index=True), students


def test_an_intersection_is_found_and_chance_is_not():
    rng = np.random.default_rng(4)
    found = search(*planted(1500, 0.25, rng))
    assert found.iloc[0]["group"] == "P × grant" and found.iloc[0]["found"]
    assert found.iloc[0]["students"] == pytest.approx(375, abs=60)
    quiet = [search(*planted(400, 0.0, rng))["found"].any() for _ in range(40)]
    assert np.mean(quiet) <= 0.1  # at most one in twenty in expectation


def test_small_groups_are_not_tested():
    rng = np.random.default_rng(5)
    risks, students = planted(300, 0.0, rng)
    students.loc[:2, "sex"] = "X"
    found = search(risks, students)
    assert not found["group"].str.contains("X").any() and (found["students"] >= 10).all()
