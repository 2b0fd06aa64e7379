import numpy as np
import pytest

from fusion.model.booster import sigmoid
from fusion.model.calibrate import EVENED, Calibrator, fit_calibrator, step_to_share


def sample(count, rng, slope=0.5, shift=0.7):
    margin = rng.normal(0, 1.5, count)
    return margin, (rng.random(count) < sigmoid(shift + slope * margin)).astype(float)


def test_the_curve_finds_a_known_slope_and_intercept():
    margin, outcome = sample(20_000, np.random.default_rng(0))
    curve = fit_calibrator(margin, outcome, np.zeros(20_000))
    assert curve.slope == pytest.approx(0.5, abs=0.03)
    assert curve.intercept == pytest.approx(0.7, abs=0.05)


def test_ranges_cover_the_true_risk_of_comparable_students():
    """For each risk the truth is the chance of the event given the margin: 93 to 97 % of ranges hold it."""
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(120):
        margin, outcome = sample(1600, rng)
        curve = fit_calibrator(margin, outcome, np.full(1600, 3))
        new = rng.normal(0, 1.5, 400)
        low, high = curve.interval(curve.risk(new), np.full(400, 3))
        truth = sigmoid(0.7 + 0.5 * new)
        inside = np.isfinite(low)
        assert 0.5 < inside.mean() < 1
        covered += ((low <= truth) & (truth <= high))[inside].tolist()
    assert 0.93 <= np.mean(covered) <= 0.97


def test_no_range_beyond_the_outermost_past_students_nor_where_few_stood():
    """A range is counted among people: where there are none it is not drawn out from its neighbours."""
    margin, outcome = sample(600, np.random.default_rng(9))
    as_of = np.r_[np.full(540, 2), np.full(60, 3)]
    curve = fit_calibrator(margin, outcome, as_of)
    windows = curve.bins
    assert set(windows[:, 0]) == {2.0} and curve.counted == (2,)
    ends = np.array([windows[0, 1], windows[-1, 1]])
    assert np.isfinite(curve.interval(ends, [2, 2])).all()
    assert np.isnan(curve.interval(ends + [-1e-3, 1e-3], [2, 2])).all()
    assert curve.past_students(ends[1] + 0.01, 2) == (0, 0)
    assert np.isnan(curve.interval(ends.mean(keepdims=True), [3])).all()


@pytest.mark.parametrize("seed", range(8))
def test_neither_end_of_a_range_falls_where_the_risk_rises(seed):
    """What-if once told of a higher risk with a lower range: windows side by side differ by chance."""
    rng = np.random.default_rng(seed)
    margin, outcome = sample(400, rng, slope=1.0, shift=-2.0)
    curve = fit_calibrator(margin, outcome, np.full(400, 2))
    counted = curve.bins[:, 2:4]
    assert (np.diff(counted, axis=0) < 0).any()  # the shares counted do fall
    risk = np.linspace(curve.bins[0, 1], curve.bins[-1, 1], 500)
    for one in (curve, curve.moved(-0.8)):
        low, high = one.interval(
            one.risk((np.log(risk / (1 - risk)) - curve.intercept) / curve.slope), [2] * 500
        )
        told = np.isfinite(low)
        assert told.sum() > 400
        assert (np.diff(low[told]) >= -1e-12).all() and (np.diff(high[told]) >= -1e-12).all()
        assert (low[told] <= high[told]).all()


def test_ends_that_fall_are_drawn_between_the_narrowest_range_and_the_regression():
    rows = [  # mean risk, low, high
        *((0.1, 0.04, 0.20), (0.2, 0.10, 0.30), (0.3, 0.08, 0.26), (0.4, 0.20, 0.50)),
    ]
    bins = np.array([(1, *row, 50, 10) for row in rows])
    low, high = Calibrator(1.0, 0.0, bins).interval(np.array([0.1, 0.2, 0.3, 0.4]), [1] * 4)
    middle = EVENED * 0.09 + (1 - EVENED) * 0.10  # pooled 0.09 and 0.09; highest so far 0.10 and 0.10
    assert low == pytest.approx([0.04, middle, middle, 0.20])
    upper = EVENED * 0.28 + (1 - EVENED) * 0.26  # pooled 0.28 and 0.28; lowest from here on 0.26 and 0.26
    assert high == pytest.approx([0.20, upper, max(upper, 0.3), 0.50])


def test_windows_that_exclude_each_other_are_pooled_alone():
    bins = np.array([(1, 0.2, 0.30, 0.50, 50, 10), (1, 0.3, 0.05, 0.15, 50, 10)])
    low, high = Calibrator(1.0, 0.0, bins).interval(np.array([0.2, 0.3]), [1, 1])
    assert low == pytest.approx([0.175, 0.175]) and high == pytest.approx([0.325, 0.325])


def test_windows_of_a_term_hold_the_students_who_stood_there_whatever_came_later():
    """Who leaves early has few rows: a row per student, their last one, would count mostly who left."""
    rng = np.random.default_rng(10)
    left = rng.random(400) < 0.2
    as_of = np.r_[np.zeros(400), np.ones((~left).sum())]
    outcome = np.r_[left, np.zeros((~left).sum())].astype(float)
    curve = fit_calibrator(rng.normal(-1.4, 0.3, len(as_of)), outcome, as_of)
    low, high = curve.interval(np.array([np.median(curve.bins[:, 1])]), [0])
    assert low[0] < 0.2 < high[0]


def test_more_past_students_make_no_wider_a_range_and_few_make_none():
    rng = np.random.default_rng(2)
    margin, outcome = sample(120, rng)
    few = fit_calibrator(margin, outcome, np.zeros(120))
    margin, outcome = sample(4000, rng)
    many = fit_calibrator(margin, outcome, np.zeros(4000))
    widths = [np.ptp(c.interval(np.array([0.6]), np.array([0]))) for c in (few, many)]
    assert widths[1] < widths[0]
    margin, outcome = sample(99, rng)
    for none in (fit_calibrator([], [], np.zeros(0)), fit_calibrator(margin, outcome, np.zeros(99))):
        assert none.counted == () and none.past_students(0.6, 0) == (0, 0)
        assert np.isnan(none.interval(np.array([0.6]), np.array([0]))).all()


def test_the_window_behind_a_range_counts_students():
    margin, outcome = sample(800, np.random.default_rng(3))
    curve = fit_calibrator(margin, outcome, np.full(800, 2))
    students, events = curve.past_students(0.8, 2)
    assert students == 96 and 67 <= events <= 87  # 3.4 times the square root of 800
    assert curve.past_students(0.8, 7) == (0, 0)  # an as-of term never seen
    assert curve.past_students(0.9, 2) == (0, 0)  # beyond the mean risk of the 96 most at risk


def test_too_few_cases_leave_the_margins_alone():
    curve = fit_calibrator([0.0, 1.0], [0, 1], [0, 0])
    assert (curve.slope, curve.intercept) == (1.0, 0.0)


def test_a_shifted_intercept_meets_the_new_rate_and_keeps_the_order():
    rng = np.random.default_rng(4)
    margin, outcome = sample(3000, rng)
    curve = fit_calibrator(margin, outcome, np.zeros(3000))
    later, later_outcome = sample(3000, rng, shift=-0.5)
    moved = curve.moved(step_to_share(curve.risk(later), later_outcome.mean()))
    assert moved.risk(later).mean() == pytest.approx(later_outcome.mean(), abs=1e-6)
    assert (np.argsort(moved.risk(later)) == np.argsort(curve.risk(later))).all()
    assert step_to_share(curve.risk(later), 0.0) == 0.0


def parted(rng, students=300, events=45, terms=6):
    """Students whose records part the outcomes without an exception, at several as-of terms each."""
    met = np.r_[np.ones(events), np.zeros(students - events)]
    margin = np.where(met > 0, rng.normal(6, 1, students), rng.normal(-8, 2, students))
    outcome, as_of = np.tile(met, terms), np.repeat(np.arange(terms), students)
    return np.tile(margin, terms) + rng.normal(0, 0.3, terms * students), outcome, as_of


def test_no_risk_is_told_that_the_past_students_could_not_bear():
    """The second university once told of 1 in 100,000: its records part drop-outs from the others."""
    margin, outcome, as_of = parted(np.random.default_rng(6))
    curve = fit_calibrator(margin, outcome, as_of)
    ends = curve.risk(np.array([-60.0, 60.0]))
    assert ends == pytest.approx([0.5 / 301, 1 - 0.5 / 301])
    risk = curve.risk(margin)
    assert risk.min() > 0.5 / 301 and risk.max() < 1 - 0.5 / 301
    assert np.median(risk[outcome == 0]) == pytest.approx(1 / 257, rel=0.6)  # Platt: one of the others + 2
    assert risk.mean() == pytest.approx(outcome.mean(), abs=0.002)
    assert (np.diff(curve.risk(np.linspace(-12, 9, 200))) > 0).all()  # the order stays


def test_rows_of_one_student_bear_no_more_than_one():
    few = parted(np.random.default_rng(7), terms=1)
    many = [np.tile(few[0], 8), np.tile(few[1], 8), np.repeat(np.arange(8), 300)]
    once, often = fit_calibrator(*few), fit_calibrator(*many)
    assert once.least == often.least == pytest.approx(0.5 / 301)
    assert often.slope == pytest.approx(once.slope, rel=1e-3)


def test_a_large_archive_bears_small_risks():
    margin, outcome = sample(20_000, np.random.default_rng(8), slope=1.0, shift=-5.0)
    curve = fit_calibrator(margin, outcome, np.zeros(20_000))
    assert curve.risk(np.array([-4.0]))[0] == pytest.approx(sigmoid(-9.0), abs=2e-4)
    assert curve.least == pytest.approx(0.5 / 20_001)


def test_a_moved_level_moves_the_ends_along_and_adds_up():
    margin, outcome, as_of = parted(np.random.default_rng(6))
    curve = fit_calibrator(margin, outcome, as_of)
    moved = curve.moved(0.5).moved(0.3)
    before, after = (np.log(c.risk(margin) / (1 - c.risk(margin))) for c in (curve, moved))
    assert after - before == pytest.approx(np.full(len(margin), 0.8), abs=1e-6)
    assert (moved.slope, moved.intercept, moved.least) == (curve.slope, curve.intercept, curve.least)
