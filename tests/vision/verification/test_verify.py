"""Classifiers per writer, likelihood ratios and outcomes, on points whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision import metrics
from vision.descriptor.common_scale import DescriptorSpace, squared_distances
from vision.verification import likelihood, verify
from vision.verification.writer_dependent import ClassifierSettings, fit_classifiers, gram

CALIBRATION = likelihood.Calibration(5.0, 0.0, 1.5, 1.5, 100, 1000, 1000, "test")


def clouds(writers=6, each=8, dim=20, spread=0.3, seed=0):
    """Writers as clouds of points around centres of unit variance."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(writers, dim))
    points = centres[:, None] + spread * rng.normal(size=(writers, each, dim))
    return points.reshape(-1, dim).astype(np.float32), np.repeat([f"w{k}" for k in range(writers)], each)


def background(points, owners, **options):
    return verify.Background.build(points, owners, **options)


def test_descriptors_of_two_writers_lie_root_two_apart_whatever_the_length():
    rng = np.random.default_rng(0)
    for dim in (10, 2000):
        points = (5 + 3 * rng.normal(size=(400, dim))).astype(np.float32)
        placed = DescriptorSpace.fit(points).place(points)
        assert squared_distances(placed[:200], placed[200:]).mean() == pytest.approx(2.0, rel=0.05)


def test_a_number_that_never_varies_is_ignored():
    points = np.array([[1.0, 7.0], [3.0, 7.0]], dtype=np.float32)
    placed = DescriptorSpace.fit(points).place(np.array([[3.0, 99.0]]))
    assert placed.tolist() == [[1.0, 0.0]]  # (3 − 2) / 1, and nothing


def test_left_out_scores_equal_those_of_a_refit_without_the_reference():
    points, owners = clouds()
    options = ClassifierSettings()
    kernel = gram(points, points, options)
    fitted = fit_classifiers(kernel, owners, options)
    keep = np.arange(len(points)) != 0
    refit = fit_classifiers(kernel[np.ix_(keep, keep)], owners[keep], options)
    column = refit.writers.index("w0")
    alone = kernel[0, keep] @ refit.weights[:, column] + refit.intercepts[column]
    assert fitted.held_out[0][0] == pytest.approx(alone, abs=1e-9)


def test_one_enrolment_equals_the_joint_solution():
    points, owners = clouds()
    ground = background(points, owners, limit=1000)
    placed = ground.space.place(points)
    joint = fit_classifiers(gram(placed, placed, ground.settings), owners, ground.settings)
    one = verify.fit_writer_model(points[owners == "w2"], ground, "w2")
    questioned, _ = clouds(seed=5)
    kernel = gram(ground.space.place(questioned), placed, ground.settings)
    assert one.score(questioned) == pytest.approx(joint.score(kernel, "w2"), abs=1e-9)


@pytest.mark.parametrize("classifier", ["ridge", "svm"])
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_every_classifier_knows_its_writer(classifier, kernel):
    points, owners = clouds()
    space = DescriptorSpace.fit(points)
    options = ClassifierSettings(classifier=classifier, kernel=kernel)
    train = np.arange(len(points)) % 8 < 6
    placed = space.place(points)
    fitted = fit_classifiers(gram(placed[train], placed[train], options), owners[train], options)
    scores = fitted.scores(gram(placed[~train], placed[train], options))
    assert [fitted.writers[k] for k in scores.argmax(axis=1)] == owners[~train].tolist()


def test_fewer_than_two_writers_are_refused():
    with pytest.raises(ValueError, match="owners: need at least 2 writers"):
        fit_classifiers(np.eye(3), ["a", "a", "a"])
    with pytest.raises(ValueError, match="kernel: must be one of"):
        ClassifierSettings(kernel="cosine")


def test_background_takes_every_writers_first_before_anybodys_second():
    points, owners = clouds(writers=3, each=4)
    ground = background(points, owners, limit=5)
    assert ground.owners.tolist() == ["w0", "w0", "w1", "w1", "w2"]
    assert ground.placed.tolist() == ground.space.place(points[[0, 1, 4, 5, 8]]).tolist()
    many, of_two = clouds(writers=2, each=260, dim=2)
    assert len(background(many, of_two).owners) == 500


def test_scores_are_the_same_for_one_and_for_many_and_from_run_to_run():
    points, owners = clouds(dim=50)
    model = verify.fit_writer_model(points[:5], background(points, owners), "w0")
    many = model.score(points)
    again = verify.fit_writer_model(points[:5], background(points, owners), "w0").score(points)
    assert many.tolist() == again.tolist()
    assert [float(model.score(row[None])[0]) for row in points] == pytest.approx(many.tolist(), abs=1e-6)


def test_own_signatures_are_consistent_and_strangers_go_to_review():
    points, owners = clouds(writers=10, each=12)
    model = verify.fit_writer_model(points[:8], background(points[12:], owners[12:]), "w0")
    own = [verify.judge(row, model, 8, CALIBRATION) for row in points[8:12]]
    stranger = verify.judge(points[20], model, 8, CALIBRATION)
    assert {answer.outcome for answer in own} == {"consistent"}
    assert stranger.outcome == "review"
    assert stranger.log10_lr >= -CALIBRATION.cap_other
    assert own[0].calibration_version == "test" and own[0].classifier_version == verify.CLASSIFIER_VERSION


@pytest.mark.parametrize("references", [0, 1, 2])
def test_fewer_than_three_references_are_always_inconclusive(references):
    points, owners = clouds()
    model = verify.fit_writer_model(points[:2], background(points, owners), "w0")
    answer = verify.judge(points[0], model, references, CALIBRATION)
    assert answer.outcome == "inconclusive" and answer.score is None
    assert (answer.code, answer.references) == ("few_references", references)


def test_a_blank_image_is_inconclusive():
    points, owners = clouds()
    model = verify.fit_writer_model(points[:5], background(points, owners), "w0")
    assert verify.judge(np.zeros(20, np.float32), model, 5, CALIBRATION).code == "no_ink"


def test_a_calibration_from_six_writers_never_decides():
    points, owners = clouds()
    model = verify.fit_writer_model(points[:5], background(points, owners), "w0")
    few = likelihood.fit_logistic([1.0, 2.0, 3.0], [-1.0, -2.0, -3.0], writers=3)
    assert few.cap_same == 0  # log10(3 / 3)
    assert verify.judge(points[0], model, 5, few).outcome == "inconclusive"


@pytest.mark.parametrize(
    ("cap_same", "cap_other", "ratio", "outcome", "code"),
    [
        (0.5, 0.5, 9.0, "consistent", "agrees"),  # capped to 0.5, which is the limit of this calibration
        (0.5, 0.5, 0.5, "consistent", "agrees"),
        (0.5, 0.5, 0.49, "inconclusive", "unclear"),
        (0.5, 0.5, -0.49, "inconclusive", "unclear"),
        (0.5, 0.5, -0.5, "review", "differs"),
        (1.5, 1.5, verify.DECISIVE, "consistent", "agrees"),
        (1.5, 1.5, -verify.DECISIVE, "review", "differs"),
        (1.5, 0.5, 0.5, "consistent", "agrees"),  # the narrower of both caps
        (0.5, 1.5, -0.5, "review", "differs"),
        (0.01, 0.01, 0.01, "consistent", "agrees"),
        (0.0, 1.5, 0.0, "inconclusive", "weak_calibration"),
        (1.5, 0.0, 1.5, "inconclusive", "weak_calibration"),
    ],
)
def test_the_limit_itself_decides_and_what_is_nearer_to_nothing_does_not(
    cap_same, cap_other, ratio, outcome, code
):
    points, owners = clouds()
    model = verify.fit_writer_model(points[:3], background(points, owners), "w0")
    calibration = likelihood.Calibration(0.0, ratio, cap_same, cap_other, 100, 1000, 1000, "test")
    answer = verify.judge(points[1], model, 3, calibration)  # slope 0: every signature has the ratio given
    assert answer.log10_lr == pytest.approx(min(max(ratio, -cap_other), cap_same), abs=0)
    assert (answer.outcome, answer.code) == (outcome, code)
    assert (answer.references, answer.nearest) == (3, 1)


def test_an_outcome_needs_five_times_the_likelihood():
    assert 10**verify.DECISIVE == pytest.approx(5)


def test_two_references_two_writers_and_two_specimens_of_others_are_just_enough():
    points, owners = clouds()
    two = np.r_[0:2, 8:10]  # two specimens of each of two writers
    ground = background(points[two], owners[two])
    model = verify.fit_writer_model(points[:2], ground, "w0")
    assert model.references == len(model.weights) == 2
    assert len(verify.fit_writer_model(points[:3], ground, "w0").held_out) == 3  # a score of each reference
    with pytest.raises(ValueError, match="at least 2 descriptors"):
        verify.fit_writer_model(points[:1], ground, "w0")
    with pytest.raises(ValueError, match="at least 2 descriptors"):
        verify.fit_writer_model(points[0], ground, "w0")
    three = two[:3]  # one specimen of the other writer
    with pytest.raises(ValueError, match="at least 2 specimens of other writers, got 1"):
        verify.fit_writer_model(points[:2], background(points[three], owners[three]), "w0")
    with pytest.raises(ValueError, match="at least 2 writers"):
        background(points[:2], owners[:2])
    with pytest.raises(ValueError, match="one per descriptor"):
        background(points[two], owners[three])


def test_cap_follows_the_rule_of_three():
    assert likelihood.evidence_cap(300) == pytest.approx(2.0)  # a ratio of at most 300 / 3
    assert likelihood.evidence_cap(2) == 0


@pytest.mark.parametrize(
    ("ratio", "key"),
    [
        (0.0, "none"),
        (0.29, "none"),
        (np.log10(2), "weak_same"),
        (-1.0, "moderate_other"),
        (2.5, "moderately_strong_same"),
        (-3.2, "strong_other"),
        (4.0, "very_strong_same"),
    ],
)
def test_ratios_on_the_verbal_scale(ratio, key):
    assert likelihood.verbal_key(ratio) == key


def test_logistic_calibration_finds_a_planted_slope():
    # two normals of unit variance at ±1: ln LR = 2 s, so log10 LR = 2 s / ln 10
    rng = np.random.default_rng(1)
    fitted = likelihood.fit_logistic(rng.normal(1, 1, 40_000), rng.normal(-1, 1, 40_000), 1000, penalty=1e-9)
    assert fitted.slope == pytest.approx(2 / np.log(10), rel=0.03)
    assert fitted.offset == pytest.approx(0, abs=0.03)
    assert fitted.score_at(fitted.log10_lr(0.4)) == pytest.approx(0.4)


def test_scores_without_information_get_a_ratio_of_one():
    rng = np.random.default_rng(2)
    fitted = likelihood.fit_logistic(rng.normal(size=5000), rng.normal(size=5000), 100)
    assert np.abs(fitted.log10_lr([-1, 0, 1])).max() < 0.1


def test_step_calibration_is_monotone_and_capped():
    rng = np.random.default_rng(3)
    steps = likelihood.fit_steps(rng.normal(1, 1, 300), rng.normal(-1, 1, 300), writers=60)
    ratios = steps.log10_lr(np.linspace(-5, 5, 50))
    assert (np.diff(ratios) >= 0).all()
    assert np.abs(ratios).max() == pytest.approx(np.log10(20))


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0.2, 4))
def test_calibration_costs_no_more_than_saying_nothing(seed, gap):
    rng = np.random.default_rng(seed)
    genuine, forged = rng.normal(gap, 1, 400), rng.normal(0, 1, 400)
    fitted = likelihood.fit_logistic(genuine, forged, writers=400)
    ratios = np.log(10) * fitted.log10_lr(genuine), np.log(10) * fitted.log10_lr(forged)
    cost = metrics.cllr(*ratios)
    assert metrics.min_cllr(genuine, forged) - 1e-9 <= cost <= 1.0 + 1e-6
