"""Margin → risk that means what it says, with a range taken from comparable past students.

The curve is logistic (two numbers, fitted on margins of students the trees never saw). It ends where the past
ends: of so many past students no smaller share can be told than Jeffreys' mean of a share when nobody met the
outcome, ``0.5 / (students + 1)``, and no larger one than what it leaves. Where records part the outcomes
without an exception a logistic curve alone would say one in 100,000 after some hundred students. The range is
empirical: of the past students at the same as-of term those with the most similar risk are looked up, and
the range is the Jeffreys interval of the share among them who met the outcome. So "of 100 past students like
this about 34 did, range 27–42" can be counted in the archive. Neighbouring windows are drawn together until
neither end of a range falls where the risk rises (:func:`_rising`): of two scores of one term the higher
never has the lower range. Where nobody can be counted (too few past students at that as-of term, or a risk
beyond the outermost of them) there is no range.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fusion.model.booster import sigmoid
from fusion.model.linear import bounded_logistic

FEWEST, MOST = 30, 1000  # past students behind a range
LEAST_OF_TERM = 100  # past students at an as-of term below which nothing is counted there
GRID = 40  # risks at which the range is looked up beforehand
NEVER = 0.5  # Jeffreys' half a student, where nobody met the outcome or everybody did
NO_LEAST = np.array([-np.inf])  # the curve's slope is not bounded
EVENED = 0.35  # weight of the regression where ranges are made to rise; the rest is the narrowest such range


@dataclass(frozen=True)
class Calibrator:
    """A logistic curve and the looked-up shares behind the range.

    Parameters
    ----------
    slope, intercept : float
        ``risk = least + (1 - 2 * least) * sigmoid(intercept + slope * margin)``.
    bins : ndarray (b, 6)
        Windows of similar students: ``as_of_index``, mean risk, low, high, students, events; rising in the
        mean risk within an as-of index.
    least : float
        The risk below which the past students can bear none, and as far from 1; 0 in models from before.
    step : float
        Log-odds added to every risk since (:meth:`moved`).
    """

    slope: float
    intercept: float
    bins: np.ndarray
    least: float = 0.0
    step: float = 0.0

    def risk(self, margin) -> np.ndarray:
        """Calibrated risk, 0…1; it rises with the margin."""
        curve = sigmoid(self.intercept + self.slope * np.asarray(margin, float))
        risk = self.least + (1 - 2 * self.least) * curve
        return sigmoid(_logit(risk) + self.step) if self.step else risk

    def interval(self, risk, as_of_index) -> tuple[np.ndarray, np.ndarray]:
        """95 % range around each risk, always containing it; neither end falls as the risk rises.

        Parameters
        ----------
        risk : ndarray (n,)
        as_of_index : ndarray of int (n,)

        Returns
        -------
        (low, high) : ndarray (n,)
            NaN where no past students were counted: at as-of terms of fewer than :data:`LEAST_OF_TERM`, and
            for risks beyond the mean risk of the outermost windows.
        """
        risk, as_of = np.asarray(risk, float), np.asarray(as_of_index).astype(int)
        low, high = np.full(len(risk), np.nan), np.full(len(risk), np.nan)
        for index in np.unique(as_of):
            mine = as_of == index
            windows = self._bins(index)
            if len(windows):
                low[mine], high[mine] = _look_up(windows, risk[mine])
        return np.minimum(low, risk), np.maximum(high, risk)

    @property
    def counted(self) -> tuple[int, ...]:
        """The as-of terms at which enough past students stood for shares of them to be counted."""
        return tuple(sorted({int(index) for index in self.bins[:, 0] if index >= 0}))

    def past_students(self, risk: float, as_of_index: int) -> tuple[int, int]:
        """Past students behind a range, and how many of them met the outcome; 0 without one."""
        bins = self._bins(as_of_index)
        if not len(bins) or not bins[0, 1] <= risk <= bins[-1, 1]:
            return 0, 0
        nearest = bins[np.abs(bins[:, 1] - risk).argmin()]
        return int(nearest[4]), int(nearest[5])

    def moved(self, step: float) -> Calibrator:
        """The same curve and ranges with ``step`` added on the log-odds."""
        bins = self.bins.copy()
        bins[:, 1:4] = sigmoid(_logit(bins[:, 1:4]) + step)
        return replace(self, bins=bins, step=self.step + step)

    def _bins(self, as_of_index: int) -> np.ndarray:
        return self.bins[self.bins[:, 0] == as_of_index]


def fit_calibrator(margin, outcome, as_of_index) -> Calibrator:
    """Fit on out-of-fold margins.

    Parameters
    ----------
    margin, outcome, as_of_index : ndarray (n,)
        Margin of a model that had not seen the row's student; 0 or 1; completed terms. A student has one row
        per as-of term, so none is counted twice in a window.

    Notes
    -----
    Fewer than 10 of either outcome leave the margins as they are (slope 1, intercept 0). The curve is fitted
    to outcomes drawn in a little, to ``(events + 1) / (events + 2)`` and ``1 / (others + 2)``, so that it
    does not grow steep without end where records part them (J. C. Platt, "Probabilistic outputs for support
    vector machines", Advances in Large Margin Classifiers (1999) 61–74); counted are students, not their
    rows.
    """
    margin, outcome = np.asarray(margin, float), np.asarray(outcome, float)
    as_of = np.asarray(as_of_index).astype(int)
    students, events = _students(outcome, as_of)
    least, slope, intercept = NEVER / (students + 1), 1.0, 0.0
    if min(outcome.sum(), (1 - outcome).sum()) >= 10 and np.ptp(margin) > 0:
        wanted = np.where(outcome > 0, (events + 1) / (events + 2), 1 / (students - events + 2))
        inside = (wanted - least) / (1 - 2 * least)  # what the curve between the two ends has to meet
        found, start = bounded_logistic(margin[:, None], inside, np.zeros((1, 1)), NO_LEAST, -NO_LEAST)
        if found[0] > 0:  # a falling curve would turn the ranking over: noise, not a correction
            slope, intercept = float(found[0]), start
    curve = Calibrator(slope, intercept, np.zeros((0, 6)), least)
    return replace(curve, bins=_all_bins(curve.risk(margin), outcome, as_of))


def _students(outcome: np.ndarray, as_of: np.ndarray) -> tuple[int, float]:
    """Students, and how many met the outcome, at the as-of term where most of them stood."""
    if not len(as_of):
        return 0, 0.0
    mine = as_of == np.bincount(as_of).argmax()
    return int(mine.sum()), float(outcome[mine].sum())


def _look_up(windows: np.ndarray, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds by interpolation between the windows; NaN beyond the outermost ones."""
    low, high = (
        np.interp(risk, windows[:, 1], ends, left=np.nan, right=np.nan)
        for ends in _rising(windows[:, 2], windows[:, 3])
    )
    return low, high


def _rising(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the ranges of windows in the order of their risk, without their falls.

    Shares counted in neighbouring windows go up and down by chance; the curve from margin to risk only rises.
    Two ways keep what holds: where lower ends lie below a rising truth, so does the highest of them so far,
    and upper ends likewise; and so does isotonic regression, which keeps the order of two curves and leaves a
    rising one as it is. The first gives the narrowest ranges and follows a single window drawn by chance, the
    second evens it out. Their mean with :data:`EVENED` covers as often as what was counted, and is narrower
    (``benchmarks/coverage.py``).
    """
    from scipy.optimize import isotonic_regression

    even = np.stack([isotonic_regression(ends).x for ends in (low, high)])
    narrow = np.stack([np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]])
    if (narrow[0] > narrow[1]).any():  # windows that exclude each other: nothing narrow holds them all
        return even[0], even[1]
    lower, upper = EVENED * even + (1 - EVENED) * narrow
    return lower, upper


def _logit(probability) -> np.ndarray:
    inner = np.clip(probability, 1e-9, 1 - 1e-9)
    return np.log(inner / (1 - inner))


def _all_bins(risk, outcome, as_of) -> np.ndarray:
    parts = []
    for index in np.unique(as_of):
        mine = as_of == index
        if mine.sum() >= LEAST_OF_TERM:
            parts.append(_windows(risk[mine], outcome[mine], index))
    return np.vstack(parts) if parts else np.zeros((0, 6))


def window_size(students: int) -> int:
    """How many similar students stand behind a range, of so many past ones.

    Few enough to be alike and many enough to count: with these numbers ranges hold the true risk in about
    95 % of cases whatever the size of the archive (``benchmarks/coverage.py``).
    """
    wanted = max(3.4 * np.sqrt(students), students / 9)
    return min(students, int(np.clip(wanted, FEWEST, MOST)))


def _windows(risk: np.ndarray, outcome: np.ndarray, index: int) -> np.ndarray:
    """Overlapping windows of students sorted by risk: mean risk, and the Jeffreys interval of their share."""
    from scipy.stats import beta

    order = np.argsort(risk, kind="stable")
    size = window_size(len(risk))
    starts = np.unique(np.linspace(0, len(risk) - size, GRID).round().astype(int))
    sums = [np.concatenate([[0.0], np.cumsum(values[order])]) for values in (risk, outcome)]
    mean, events = ((total[starts + size] - total[starts]) for total in sums)
    low = np.where(events > 0, beta.ppf(0.025, events + 0.5, size - events + 0.5), 0.0)
    high = np.where(events < size, beta.ppf(0.975, events + 0.5, size - events + 0.5), 1.0)
    same = np.ones(len(starts))
    return np.column_stack([index * same, mean / size, low, high, size * same, events])


def step_to_share(risk: np.ndarray, share: float) -> float:
    """Log-odds to add to every risk so that their mean equals a share observed; 0 for a share of 0 or 1.

    One number is moved, because a new cohort's base rate changes sooner than the order of its students.
    """
    from scipy.optimize import brentq

    margin = _logit(np.asarray(risk, float))
    if not len(margin) or share in (0.0, 1.0):
        return 0.0
    return float(brentq(lambda step: float(sigmoid(margin + step).mean()) - share, -20, 20))
