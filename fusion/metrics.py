"""Figures of merit of a risk, each for many sets of row weights at once so that intervals are cheap.

Every function takes ``outcome`` (n,) of 0 and 1, ``risk`` (n,) and ``weight`` (b, n), and returns (b,): one
value per weighting. A bootstrap draw is a weighting by how often each cluster was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class Ranking:
    """Rows sorted once by falling risk, for every figure that depends on the order only.

    Equal risks form one group, so that ties are shared instead of broken by position.

    Parameters
    ----------
    outcome, risk : ndarray (n,)
    weight : ndarray (b, n)
    """

    def __init__(self, outcome: np.ndarray, risk: np.ndarray, weight: np.ndarray) -> None:
        order = np.argsort(-np.asarray(risk), kind="stable")
        ranked = np.asarray(risk)[order]
        start = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        sorted_weight = weight[:, order]
        self.size = np.add.reduceat(sorted_weight, start, axis=1)
        self.events = np.add.reduceat(sorted_weight * outcome[order], start, axis=1)
        self.events_so_far = np.cumsum(self.events, axis=1)
        self.size_so_far = np.cumsum(self.size, axis=1)

    def auc(self) -> np.ndarray:
        """Chance that an event ranks above a non-event, ties counted half; NaN without both classes."""
        above = self.events_so_far - self.events / 2
        pairs = ((self.size - self.events) * above).sum(axis=1)
        events = self.events_so_far[:, -1]
        return _ratio(pairs, events * (self.size_so_far[:, -1] - events))

    def average_precision(self) -> np.ndarray:
        """Area under precision–recall as the step sum Σ (R_k - R_{k-1}) P_k; NaN without events."""
        precision = self.events_so_far / np.maximum(self.size_so_far, 1e-300)
        return _ratio((self.events * precision).sum(axis=1), self.events_so_far[:, -1])

    def caught(self, share: float) -> np.ndarray:
        """Events among the ``share`` of rows with the highest risk; a group cut in two counts in part."""
        capacity = share * self.size_so_far[:, -1]
        last = (self.size_so_far < capacity[:, None]).sum(axis=1)  # the group in which capacity ends
        rows = np.arange(len(last))
        last = np.minimum(last, self.size.shape[1] - 1)
        before = self.size_so_far[rows, last] - self.size[rows, last]
        part = _ratio(capacity - before, self.size[rows, last])
        part = np.where(np.isfinite(part), part, 0.0)
        return self.events_so_far[rows, last] - self.events[rows, last] * (1 - part)

    def precision_at(self, share: float) -> np.ndarray:
        """Share of events among the ``share`` (0…1] of rows with the highest risk."""
        return _ratio(self.caught(share), share * self.size_so_far[:, -1])

    def recall_at(self, share: float) -> np.ndarray:
        """Share of all events that are among the ``share`` of rows with the highest risk."""
        return _ratio(self.caught(share), self.events_so_far[:, -1])

    def lift_at(self, share: float) -> np.ndarray:
        """Precision at a capacity divided by the base rate."""
        rate = _ratio(self.events_so_far[:, -1], self.size_so_far[:, -1])
        return _ratio(self.precision_at(share), rate)


def roc_auc(outcome: np.ndarray, risk: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """:meth:`Ranking.auc`."""
    return Ranking(outcome, risk, weight).auc()


def brier(outcome: np.ndarray, risk: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean squared difference of risk and outcome, 0 (perfect) … 1."""
    return _ratio(weight @ (risk - outcome) ** 2, weight.sum(axis=1))


def calibration_error(outcome, risk, weight, bins: int = 10) -> np.ndarray:
    """Expected calibration error over ``bins`` bins of equal width, weighted by their size."""
    place = np.minimum((np.asarray(risk) * bins).astype(int), bins - 1)
    total = np.zeros(len(weight))
    for number in range(bins):
        inside = place == number
        total += np.abs(weight[:, inside] @ (outcome[inside] - risk[inside]))
    return _ratio(total, weight.sum(axis=1))


def calibration_error_of_parts(outcome, risk, weight, parts: np.ndarray) -> np.ndarray:
    """Mean of :func:`calibration_error` over the parts (folds) of the rows.

    What papers that print a calibration error per fold report. A part holds fewer rows, so chance adds to the
    error of each: the mean over parts is never to be compared with the error over all rows.

    Parameters
    ----------
    parts : ndarray (n,)
        Number of the part of each row.
    """
    outcome, risk = np.asarray(outcome, float), np.asarray(risk, float)
    found = [
        calibration_error(outcome[inside], risk[inside], weight[:, inside])
        for inside in (parts == number for number in np.unique(parts))
    ]
    return np.nanmean(found, axis=0) if found else np.full(len(weight), np.nan)


def calibration_line(outcome, risk, weight) -> tuple[np.ndarray, np.ndarray]:
    """Slope and intercept of logit(outcome) on logit(risk); 1 and 0 are perfect.

    The first weighting is solved by Newton's method, steps halved until the loss falls; each further one
    takes one Newton step from there, the usual one-step bootstrap. NaN where no line fits: one class, or
    risks that separate the outcomes.
    """
    clipped = np.clip(risk, 1e-6, 1 - 1e-6)
    x = np.log(clipped / (1 - clipped))
    first, step = np.array([[1.0], [0.0]]), np.zeros((2, 1))
    for _ in range(60):
        step = _newton(first, x, outcome, weight[:1])
        if not np.isfinite(step).all() or np.abs(step).max() < 1e-9:
            break
        before = _line_loss(first, x, outcome, weight[0])
        while _line_loss(first + step, x, outcome, weight[0]) > before and np.abs(step).max() > 1e-12:
            step = step / 2
        first = first + step
    if not np.isfinite(step).all() or np.abs(step).max() > 1e-3:
        nothing = np.full(len(weight), np.nan)
        return nothing, nothing
    change = _newton(first, x, outcome, weight)
    change[:, 0] = 0.0
    slope, intercept = first + change
    return slope, intercept


def _line_loss(line: np.ndarray, x, outcome, weight) -> float:
    margin = line[1, 0] + line[0, 0] * x
    return float(weight @ (np.logaddexp(0.0, margin) - outcome * margin))


def _newton(line: np.ndarray, x, outcome, weight) -> np.ndarray:
    """One Newton step of the logistic line (slope, intercept), for every weighting: (2, b)."""
    p = 1 / (1 + np.exp(-np.clip(line[1, 0] + line[0, 0] * x, -30, 30)))
    residual, curve = outcome - p, p * (1 - p)
    sums = weight @ np.column_stack([residual, residual * x, curve, curve * x, curve * x * x])
    g0, g1, h00, h01, h11 = sums.T
    determinant = h00 * h11 - h01**2
    return np.stack([_ratio(h00 * g1 - h01 * g0, determinant), _ratio(h11 * g0 - h01 * g1, determinant)])


def within_groups(outcome, risk, weight, groups) -> np.ndarray:
    """ROC-AUC inside each group, averaged by the number of pairs: ranking free of between-group means."""
    total, pairs = np.zeros(len(weight)), np.zeros(len(weight))
    codes = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)[1]
    for group in range(codes.max(initial=-1) + 1):
        inside = codes == group
        y, w = outcome[inside], weight[:, inside]
        mine = (w @ y) * (w @ (1 - y))
        total += np.nan_to_num(roc_auc(y, risk[inside], w)) * mine
        pairs += mine
    return _ratio(total, pairs)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % bootstrap interval; NaN where it cannot be computed."""

    value: float
    low: float
    high: float

    def text(self, digits: int = 3) -> str:
        """``0.812 (0.790–0.833)``; a dash when the figure does not exist."""
        if not np.isfinite(self.value):
            return "—"
        return f"{self.value:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def estimate(values: np.ndarray, *, recentre: bool = False, clusters: int = 0) -> Estimate:
    """First value is the figure itself, the rest are bootstrap draws; percentile interval.

    With ``recentre`` the draws are first moved so that their median is the figure: for figures that rise with
    noise, such as the calibration error, which resampling would otherwise overstate; never below 0. With the
    number of ``clusters`` drawn the interval is stretched for few of them (Student's t, k / (k - 1)), but
    not beyond the outermost draws.
    """
    draws = values[1:][np.isfinite(values[1:])]
    if recentre and len(draws):
        draws = np.maximum(draws + values[0] - np.median(draws), 0.0)
    low, high = np.percentile(draws, [2.5, 97.5]) if len(draws) >= 20 else (np.nan, np.nan)
    if clusters > 1 and len(draws) >= 20:
        stretch = _small_sample(clusters)
        low = max(values[0] - stretch * (values[0] - low), draws.min())
        high = min(values[0] + stretch * (high - values[0]), draws.max())
    return Estimate(float(values[0]), float(low), float(high))


def _small_sample(clusters: int) -> float:
    from scipy.stats import norm, t

    return float(t.ppf(0.975, clusters - 1) / norm.ppf(0.975) * np.sqrt(clusters / (clusters - 1)))


def bootstrap_weights(clusters, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Row weights (draws + 1, n): ones, then how often each row's cluster was drawn with replacement."""
    codes = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)[1]
    count = codes.max(initial=-1) + 1
    if not count:
        return np.ones((draws + 1, 0))
    times = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    return np.vstack([np.ones(len(codes)), times[:, codes]]).astype(float)


def _ratio(over, under) -> np.ndarray:
    over, under = np.asarray(over, float), np.asarray(under, float)
    return np.divide(over, under, out=np.full(np.shape(under), np.nan), where=under > 0)
