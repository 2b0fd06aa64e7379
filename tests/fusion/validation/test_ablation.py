import numpy as np
import pytest

from fusion.features.rows import TrainingSet
from fusion.metrics import Estimate, roc_auc
from fusion.model.examined import FORWARD, HELD_OUT
from fusion.validation.ablation import ablate, judge, shuffle_positions
from fusion.validation.assess import assess
from fusion.validation.baselines import base_rate, on_track_rule
from fusion.validation.equivalence import gain_of
from fusion.validation.report import ablation_text, assessment_text

UP, LEVEL = Estimate(0.02, 0.01, 0.03), Estimate(0.00, -0.01, 0.01)
LITTLE, MUCH = Estimate(0.001, 0.0, 0.006), Estimate(0.004, 0.001, 0.02)
UNKNOWN = Estimate(np.nan, np.nan, np.nan)


@pytest.mark.parametrize(
    ("gain", "p", "students", "cases", "reachable", "beside", "verdict"),
    [
        (UP, 0.005, 500, 100, MUCH, (), "adds"),
        (UP, 0.005, 500, 100, MUCH, ("sex",), "stands_for"),
        (UP, 0.2, 500, 100, LITTLE, (), "nothing"),
        (UP, 0.2, 500, 100, MUCH, (), "few"),
        (LEVEL, 0.5, 500, 100, LITTLE, ("sex",), "nothing"),
        (LEVEL, 0.5, 500, 100, MUCH, (), "few"),
        (LEVEL, 0.01, 500, 100, MUCH, (), "few"),  # no gain on the later cohorts
        (UP, 0.01, 500, 100, Estimate(0.004, 0.0, 0.02), (), "few"),  # no signal over all students
        (UP, 0.01, 500, 100, UNKNOWN, (), "adds"),
        (Estimate(0.0, -0.001, 0.001), 0.5, 500, 100, UNKNOWN, (), "few"),  # a narrow interval proves nothing
        (UP, 0.005, 60, 100, MUCH, (), "few"),
        (UP, 0.005, 500, 12, MUCH, (), "few"),
        (UNKNOWN, 0.5, 500, 100, LITTLE, (), "few"),
    ],
)
def test_the_verdict_follows_the_interval_the_permutations_what_could_be_there_and_the_numbers(
    gain, p, students, cases, reachable, beside, verdict
):
    assert judge(gain, p, students, cases, reachable, beside) == verdict


def test_a_signal_of_known_size_is_turned_into_the_auc_that_it_adds():
    """Drawn by coins: an independent signal of variance 0.5 beside margins of variance 1."""
    rng = np.random.default_rng(0)
    known, signal = rng.normal(size=60_000), rng.normal(0, 0.5**0.5, 60_000)
    outcome = (rng.random(60_000) < 1 / (1 + np.exp(-known - signal))).astype(float)
    once = np.ones((1, 60_000))
    gain = roc_auc(outcome, known + signal, once)[0] - roc_auc(outcome, known, once)[0]
    assert gain_of(0.5, 1 / (1 + np.exp(-known))) == pytest.approx(gain, abs=0.006)
    assert gain_of(0.0, 1 / (1 + np.exp(-known))) == 0


@pytest.mark.slow
def test_noise_embeddings_do_not_add_and_do_no_harm(make_simulated):
    sample = make_simulated(1500, 11)
    result = assess(sample.register, sample.rows, seed=1, targets=("late",), draws=200)
    ablation = result.ablations["late"]
    assert result.protocol == FORWARD
    assert ablation.verdict == "nothing"
    assert ablation.differences["roc_auc"].value > -0.005


@pytest.mark.slow
def test_a_planted_trait_adds(make_simulated):
    sample = make_simulated(1500, 12, link=0.75)
    result = assess(sample.register, sample.rows, seed=1, targets=("late",), draws=200)
    ablation = result.ablations["late"]
    assert ablation.verdict == "adds"
    assert ablation.p_value <= 0.05
    assert "Verdict: the signature: adds" in ablation_text(ablation)
    text = assessment_text(result)
    assert "forward by cohort" in text and "programme base rate" in text and "AUC within programme" in text


def test_without_any_specimen_everything_works_and_nothing_can_be_told(make_simulated):
    sample = make_simulated(400, 13, signed=0.0)
    result = assess(sample.register, sample.rows, seed=1, targets=("late",), draws=50)
    assert result.ablations["late"].verdict == "few"
    assert result.targets["late"].evaluations["records"].figures["roc_auc"].value > 0.55
    assert (result.targets["late"].risks["fused"] == result.targets["late"].risks["records"]).all()


def test_a_single_cohort_is_judged_on_students_held_out(make_simulated):
    sample = make_simulated(300, 14, cohorts=1)
    register = sample.register
    programs = register.programs.assign(normal_terms=6)  # one day on which the whole cohort is mature

    def read_on(day):
        return type(register)(
            **{
                **vars(register),
                "programs": programs,
                "outcomes": register.outcomes.assign(observed_until=day),
            }
        )

    assert assess(read_on("2012-01-01"), sample.rows, seed=1, draws=20) is None  # nobody may teach yet
    aged = read_on("2030-01-01")
    result = assess(aged, sample.rows, seed=1, targets=("late",), draws=20)
    assert result.protocol == HELD_OUT and result.test_students == 105


def test_signatures_are_swapped_only_within_programme_and_intake(simulated):
    rows = simulated.rows
    given = shuffle_positions(rows, np.random.default_rng(0))
    owner = rows.signatures.keys[given]
    students = simulated.register.students.set_index("student_key")
    cells = ["program_code", "cohort_term"]
    theirs = students.loc[owner, cells].to_numpy(object)
    assert (theirs == rows.meta[cells].to_numpy(object)).all()
    assert (owner != rows.students.astype(str)).mean() > 0.7
    for student in np.unique(rows.students)[:20]:
        assert len(set(owner[rows.students == student])) == 1


def test_an_unsigned_test_set_is_not_judged(simulated):
    from fusion.features.assemble import training_set
    from fusion.features.splits import mature_labels
    from fusion.model.booster import TreeSettings
    from fusion.model.fit import fit_model

    train = training_set(simulated.rows, mature_labels(simulated.register), "late")
    model = fit_model({"late": train}, settings=TreeSettings(rounds=20))
    empty = TrainingSet(train.rows.unsigned(), train.outcome)
    assert ablate(model, train, empty, "late", np.random.default_rng(0)).verdict == "few"


def test_baselines_give_past_shares(hand_register):
    from fusion.features.assemble import rows_as_of

    rows = rows_as_of(hand_register, 2)
    train = TrainingSet(rows, np.array([0.0, 0.0, 1.0]))
    # One programme: (1 event + 20 rows at 1/3) / (3 + 20).
    assert base_rate(train, rows) == pytest.approx([(1 + 20 / 3) / 23] * 3)
    # a: GPA 2.5 and 30 of 36 credits, both missed; b: 3.5 and 18 of 36, below 60 %; c: GPA 1.0.
    low, high = (0 + 20 / 3) / 21, (1 + 20 / 3) / 22
    assert on_track_rule(train, rows) == pytest.approx([low, high, high])
