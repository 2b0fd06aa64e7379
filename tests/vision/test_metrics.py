"""Error rates against values worked out by hand, and properties that must hold for any scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision import intervals, metrics

scores = st.lists(st.integers(-20, 20).map(lambda n: n / 4), min_size=1, max_size=25)


def test_far_and_frr_count_a_score_on_the_threshold_as_accepted():
    assert metrics.far([0.2, 0.5, 0.9], 0.5) == pytest.approx(2 / 3)
    assert metrics.frr([0.4, 0.5, 0.9, 1.0], 0.5) == pytest.approx(1 / 4)
    assert metrics.gar([0.4, 0.5, 0.9, 1.0], 0.5) == pytest.approx(3 / 4)


def test_eer_of_separated_scores_is_zero_with_the_threshold_in_the_gap():
    rate, threshold = metrics.equal_error([3.0, 4.0], [1.0, 2.0])
    assert rate == 0
    assert 2 < threshold <= 3


def test_eer_of_swapped_scores_is_one():
    assert metrics.eer([1.0, 2.0], [3.0, 4.0]) == pytest.approx(1.0)


def test_eer_where_the_rates_meet_on_a_threshold():
    # genuine 1 3 4 5, forged 0 0.5 2 3.5: at t = 3 one genuine (1) is rejected, one forged (3.5) accepted.
    assert metrics.eer([1, 3, 4, 5], [0, 0.5, 2, 3.5]) == pytest.approx(0.25)


def test_eer_is_interpolated_between_two_thresholds():
    # genuine 1 3, forged 0 0 2: (FAR, FRR) runs (1,0) t=0, (1/3,0) t=1, (1/3,1/2) t=2, (0,1/2) t=3.
    # The rates cross on the vertical piece from (1/3,0) to (1/3,1/2), at 1/3.
    assert metrics.eer([1, 3], [0, 0, 2]) == pytest.approx(1 / 3)


def test_eer_of_tied_scores_is_that_of_a_coin():
    assert metrics.eer([1.0] * 4, [1.0] * 9) == pytest.approx(0.5)
    assert np.isfinite(metrics.equal_error([1.0], [1.0])[1])


def test_auc_counts_ties_one_half():
    # pairs: 2>1, 2=2 (half), 2<3; 4>1, 4>2, 4>3 → 4.5 of 6
    assert metrics.auc([2, 4], [1, 2, 3]) == pytest.approx(0.75)


def test_cllr_of_no_information_is_one_bit():
    assert metrics.cllr([0.0, 0.0], [0.0]) == pytest.approx(1.0)


def test_cllr_of_a_ratio_of_three_both_ways():
    # genuine LR 3: log2(1 + 1/3); forged LR 1/3: log2(1 + 1/3)
    assert metrics.cllr([np.log(3)], [-np.log(3)]) == pytest.approx(np.log2(4 / 3))


def test_cllr_punishes_confident_error():
    # genuine LR 1/7 costs log2(8) = 3, forged LR 1 costs 1: mean 2
    assert metrics.cllr([-np.log(7)], [0.0]) == pytest.approx(2.0)


def test_min_cllr_by_hand_with_one_pooled_pair():
    # order: f(0) g(1) f(2) g(3): PAV pools the middle two at posterior 1/2, LR 1; the ends are certain.
    # genuine: LR 1 → 1 bit, LR inf → 0; the same for forged: ½(½ + ½) = ½
    assert metrics.min_cllr([1, 3], [0, 2]) == pytest.approx(0.5)


def test_classification_rates_by_hand():
    rates = metrics.classification_rates([1, 2, 3], [0, 2.5], threshold=2)
    assert rates["accuracy"] == pytest.approx(3 / 5)
    assert rates["precision"] == pytest.approx(2 / 3)
    assert rates["recall"] == pytest.approx(2 / 3)
    assert rates["f1"] == pytest.approx(2 / 3)


def test_best_accuracy_threshold_separates_what_can_be_separated():
    accuracy, threshold = metrics.best_accuracy_threshold([1, 5, 6, 7], [0, 2, 3])
    assert accuracy == pytest.approx(6 / 7)
    assert 3 < threshold <= 5


def test_det_axes_are_normal_deviates():
    far_deviate, frr_deviate = metrics.det_curve([1, 3], [0, 2])
    assert metrics.error_curve([1, 3], [0, 2]).far.tolist() == [1, 0.5, 0.5, 0, 0]
    assert far_deviate[1] == pytest.approx(0.0, abs=1e-12)
    assert frr_deviate[-1] == pytest.approx(3.719, abs=1e-3)  # the 1 - 1e-4 quantile


def test_empty_and_nan_scores_are_refused_by_name():
    with pytest.raises(ValueError, match="forged: at least one"):
        metrics.eer([1.0], [])
    with pytest.raises(ValueError, match="genuine: scores must be numbers"):
        metrics.auc([np.nan], [1.0])


def test_rule_of_three_is_close_to_three_over_n():
    assert intervals.rule_of_three(300) == pytest.approx(0.00994, abs=1e-5)
    assert intervals.binomial_interval(0, 300).low == 0
    # Clopper–Pearson of 0 in n: 1 - (alpha/2)^(1/n)
    assert intervals.binomial_interval(0, 10).high == pytest.approx(1 - 0.025**0.1)


def test_bootstrap_draws_whole_writers():
    writers = [np.zeros(50), np.ones(50)]  # a writer is all wrong or all right
    figure = intervals.bootstrap_by_writer(
        lambda drawn: float(np.mean(np.concatenate(drawn))), writers, np.random.default_rng(0)
    )
    assert (figure.value, figure.low, figure.high) == (0.5, 0.0, 1.0)


def test_bootstrap_is_repeatable_and_says_when_it_cannot_be_made():
    writers = [1.0, 2.0, 4.0]
    one = intervals.bootstrap_by_writer(np.mean, writers, np.random.default_rng(3))
    two = intervals.bootstrap_by_writer(np.mean, writers, np.random.default_rng(3))
    assert one == two
    single = intervals.bootstrap_by_writer(np.mean, [1.0], np.random.default_rng(3))
    assert single.to_dict() == {"value": 1.0, "low": None, "high": None}


@given(scores, scores)
def test_rates_run_monotonically_between_their_ends(genuine, forged):
    curve = metrics.error_curve(genuine, forged)
    assert (np.diff(curve.far) <= 0).all() and (np.diff(curve.frr) >= 0).all()
    assert curve.far[0] == 1 and curve.far[-1] == 0 and curve.frr[0] == 0 and curve.frr[-1] == 1


@given(scores, scores)
def test_eer_and_auc_ignore_any_increasing_change_of_scale(genuine, forged):
    stretched = [np.exp(x) * 3 + 1 for x in genuine], [np.exp(x) * 3 + 1 for x in forged]
    assert metrics.eer(*stretched) == pytest.approx(metrics.eer(genuine, forged))
    assert metrics.auc(*stretched) == pytest.approx(metrics.auc(genuine, forged))
    assert metrics.min_cllr(*stretched) == pytest.approx(metrics.min_cllr(genuine, forged))


@given(scores, scores)
def test_turning_the_scores_round_turns_the_rates_round(genuine, forged):
    turned = [-x for x in genuine], [-x for x in forged]
    assert metrics.eer(*turned) == pytest.approx(1 - metrics.eer(genuine, forged))
    assert metrics.auc(*turned) == pytest.approx(1 - metrics.auc(genuine, forged))


@given(scores, scores)
def test_no_calibration_beats_min_cllr(genuine, forged):
    least = metrics.min_cllr(genuine, forged)
    assert -1e-9 <= least <= 1 + 1e-9  # LR = 1 for all is a monotone calibration and costs one bit
    assert least <= metrics.cllr(genuine, forged) + 1e-9
    assert least <= metrics.cllr(np.array(genuine) - 1, np.array(forged) - 1) + 1e-9


@given(scores, scores)
def test_the_eer_threshold_lies_between_scores_that_decide(genuine, forged):
    rate, threshold = metrics.equal_error(genuine, forged)
    assert 0 <= rate <= 1
    assert np.isfinite(threshold)
    assert min(genuine + forged) <= threshold <= np.nextafter(max(genuine + forged), np.inf)


@given(scores, scores, st.integers(-20, 20).map(lambda n: n / 4))
def test_rates_are_shares_counted_one_by_one(genuine, forged, threshold):
    assert metrics.far(forged, threshold) * len(forged) == pytest.approx(sum(x >= threshold for x in forged))
    assert metrics.frr(genuine, threshold) * len(genuine) == pytest.approx(
        sum(x < threshold for x in genuine)
    )
    curve = metrics.error_curve(genuine, forged)
    for at, far, frr in zip(curve.thresholds, curve.far, curve.frr, strict=True):
        assert metrics.far(forged, at) == pytest.approx(far) and metrics.frr(genuine, at) == pytest.approx(
            frr
        )


@given(scores, scores)
def test_cllr_does_not_care_which_side_is_called_genuine(genuine, forged):
    turned = metrics.cllr([-x for x in forged], [-x for x in genuine])
    assert turned == pytest.approx(metrics.cllr(genuine, forged))
    assert metrics.cllr(genuine, forged) >= 0


@given(scores)
def test_cllr_falls_as_right_answers_grow_surer(sizes):
    surer = [abs(x) + 1 for x in sizes]
    assert metrics.cllr(surer, [-x for x in surer]) < metrics.cllr(np.abs(sizes), -np.abs(sizes)) <= 1 + 1e-12
