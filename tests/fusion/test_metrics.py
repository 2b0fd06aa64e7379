import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from fusion import metrics

ONE = np.ones((1, 8))
OUTCOME = np.array([0, 0, 0, 0, 1, 1, 1, 1.0])
RISK = np.array([0.1, 0.2, 0.3, 0.8, 0.4, 0.6, 0.7, 0.9])


def test_figures_of_eight_rows_are_those_worked_out_by_hand():
    # 16 pairs; the non-event at 0.8 beats three events: 13 pairs right.
    assert metrics.roc_auc(OUTCOME, RISK, ONE)[0] == pytest.approx(13 / 16)
    # From the top: 0.9 event, 0.8 not, 0.7, 0.6, 0.4 events.
    ranking = metrics.Ranking(OUTCOME, RISK, ONE)
    assert ranking.average_precision()[0] == pytest.approx((1 + 2 / 3 + 3 / 4 + 4 / 5) / 4)
    assert ranking.precision_at(0.5)[0] == pytest.approx(3 / 4)
    assert ranking.recall_at(0.5)[0] == pytest.approx(3 / 4)
    assert ranking.lift_at(0.25)[0] == pytest.approx(1.0)
    assert metrics.brier(OUTCOME, RISK, ONE)[0] == pytest.approx(1.40 / 8)


def test_calibration_error_of_two_bins_by_hand():
    outcome, risk = np.array([0, 1, 1, 1.0]), np.array([0.25, 0.25, 0.75, 0.75])
    # Lower bin: 0.5 observed, 0.25 said; upper: 1 observed, 0.75 said.
    assert metrics.calibration_error(outcome, risk, np.ones((1, 4)), bins=2)[0] == pytest.approx(0.25)


def test_a_perfectly_calibrated_risk_has_slope_one_and_intercept_zero():
    rng = np.random.default_rng(0)
    risk = rng.uniform(0.05, 0.95, 40_000)
    outcome = (rng.random(40_000) < risk).astype(float)
    slope, intercept = metrics.calibration_line(outcome, risk, np.ones((1, 40_000)))
    assert slope[0] == pytest.approx(1, abs=0.04) and intercept[0] == pytest.approx(0, abs=0.04)


def test_ties_share_their_place():
    outcome, risk = np.array([1, 0, 1, 0.0]), np.full(4, 0.5)
    weight = np.ones((1, 4))
    assert metrics.roc_auc(outcome, risk, weight)[0] == 0.5
    assert metrics.Ranking(outcome, risk, weight).precision_at(0.25)[0] == 0.5


def test_one_class_gives_no_auc_and_no_error():
    zeros = np.zeros(8)
    assert np.isnan(metrics.roc_auc(zeros, RISK, ONE)[0])
    assert np.isnan(metrics.Ranking(zeros, RISK, ONE).average_precision()[0])
    assert metrics.estimate(np.array([np.nan, np.nan])).text() == "—"


def test_the_ranking_within_groups_ignores_differences_between_them():
    outcome = np.array([0, 1, 0, 1.0])
    risk = np.array([0.1, 0.2, 0.8, 0.9])
    weight = np.ones((1, 4))
    assert metrics.roc_auc(outcome, risk, weight)[0] == pytest.approx(0.75)
    assert metrics.within_groups(outcome, risk, weight, ["x", "x", "y", "y"])[0] == 1.0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(1, 3)), min_size=4, max_size=40))
def test_weighted_figures_agree_with_scikit_learn(rows):
    outcome, risk, weight = (np.array(column, float) for column in zip(*rows, strict=True))
    risk = risk / 6
    if 0 < outcome.sum() < len(outcome):
        assert metrics.roc_auc(outcome, risk, weight[None])[0] == pytest.approx(
            roc_auc_score(outcome, risk, sample_weight=weight)
        )
        assert metrics.Ranking(outcome, risk, weight[None]).average_precision()[0] == pytest.approx(
            average_precision_score(outcome, risk, sample_weight=weight)
        )
    assert metrics.brier(outcome, risk, weight[None])[0] == pytest.approx(
        brier_score_loss(outcome, risk, sample_weight=weight, pos_label=1)
    )


def test_bootstrap_weights_draw_whole_clusters():
    weight = metrics.bootstrap_weights(["a", "a", "b", "c"], 50, np.random.default_rng(1))
    assert weight.shape == (51, 4)
    assert (weight[0] == 1).all()
    assert (weight[:, 0] == weight[:, 1]).all()
    assert (weight[1:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_cluster_intervals_cover_where_row_intervals_do_not():
    rng = np.random.default_rng(5)
    covered = {"clusters": 0, "rows": 0}
    for _ in range(200):
        share = rng.beta(4, 4, 30)
        cluster = np.repeat(np.arange(30), 10)
        outcome = (rng.random(300) < share[cluster]).astype(float)
        for name, groups in (("clusters", cluster), ("rows", np.arange(300))):
            weight = metrics.bootstrap_weights(groups, 100, rng)
            e = metrics.estimate(weight @ outcome / weight.sum(axis=1))
            covered[name] += e.low <= 0.5 <= e.high
    assert covered["clusters"] >= 180  # 90 % with 30 clusters and 100 draws
    assert covered["rows"] < covered["clusters"]


def test_the_calibration_line_converges_for_risks_far_too_sure_of_themselves():
    rng = np.random.default_rng(6)
    margin = rng.normal(size=400)
    outcome = (rng.random(400) < 1 / (1 + np.exp(-margin))).astype(float)
    sure = 1 / (1 + np.exp(-12 * margin))
    weight = metrics.bootstrap_weights(np.arange(400), 100, rng)
    slope, intercept = metrics.calibration_line(outcome, sure, weight)
    clipped = np.clip(sure, 1e-6, 1 - 1e-6)
    theirs = LogisticRegression(C=np.inf).fit(np.log(clipped / (1 - clipped))[:, None], outcome)
    assert slope[0] == pytest.approx(theirs.coef_[0, 0], abs=1e-4)
    low, high = np.percentile(slope[1:], [2.5, 97.5])
    assert low < slope[0] < high
    assert np.isnan(metrics.calibration_line(np.ones(400), sure, weight)[0]).all()


def test_intervals_from_few_clusters_are_stretched_and_stay_within_the_draws():
    values = np.r_[0.5, np.linspace(0.4, 0.6, 101), 0.2, 0.8]
    plain, few = metrics.estimate(values), metrics.estimate(values, clusters=10)
    # Student's t with 9 degrees of freedom over the normal quantile, times the root of 10 / 9
    stretch = 2.2622 / 1.95996 * np.sqrt(10 / 9)
    assert few.high - 0.5 == pytest.approx((plain.high - 0.5) * stretch, abs=1e-4)
    assert few.low < plain.low
    assert metrics.estimate(values, clusters=2).high == 0.8
    many = metrics.estimate(values, clusters=5000)
    assert many.high == pytest.approx(plain.high, abs=1e-4)


def test_a_recentred_interval_holds_its_figure():
    values = np.r_[0.01, np.linspace(0.02, 0.04, 50)]
    assert metrics.estimate(values).low > 0.01
    centred = metrics.estimate(values, recentre=True)
    assert 0 <= centred.low <= 0.01 <= centred.high
