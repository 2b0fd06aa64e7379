"""Error rates of a verification system: FAR, FRR, GAR, EER, DET, AUC, Cllr.

Scores are similarities: a higher score speaks for "same writer". A trial is accepted when its score is **at
or above** the threshold, so FRR(t) is the share of genuine trials below t, and FAR(t) the share of forged
(or random) trials at or above t. Intervals resample *writers*, never single signatures: signatures of one
writer are not independent of each other. They live in ``vision/intervals.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class ErrorCurve:
    """FAR and FRR at every threshold that changes a decision.

    Attributes
    ----------
    thresholds : float64 (k,)
        Ascending; the last one is +inf (nothing accepted).
    far, frr : float64 (k,), 0 to 1
        FAR falls from 1 to 0 along the thresholds, FRR rises from 0 to 1.
    """

    thresholds: np.ndarray
    far: np.ndarray
    frr: np.ndarray

    @property
    def gar(self) -> np.ndarray:
        """Genuine acceptance rate, 1 − FRR, at each threshold."""
        return 1.0 - self.frr


def _checked(genuine, forged) -> tuple[np.ndarray, np.ndarray]:
    out = []
    for name, values in (("genuine", genuine), ("forged", forged)):
        values = np.asarray(values, dtype=np.float64).ravel()
        if values.size == 0:
            raise ValueError(f"{name}: at least one score is needed, got none")
        if np.isnan(values).any():
            raise ValueError(f"{name}: scores must be numbers, got {int(np.isnan(values).sum())} NaN")
        out.append(values)
    return out[0], out[1]


def far(forged, threshold: float) -> float:
    """Share of forged trials with a score at or above the threshold."""
    return float(np.mean(np.asarray(forged, dtype=np.float64) >= threshold))


def frr(genuine, threshold: float) -> float:
    """Share of genuine trials with a score below the threshold."""
    return float(np.mean(np.asarray(genuine, dtype=np.float64) < threshold))


def gar(genuine, threshold: float) -> float:
    """Share of genuine trials accepted at the threshold, 1 − FRR."""
    return 1.0 - frr(genuine, threshold)


def error_curve(genuine, forged) -> ErrorCurve:
    """FAR and FRR at each distinct score; tied scores move together.

    Parameters
    ----------
    genuine, forged : array_like of float
        Scores, higher for "same writer"; at least one each.

    Returns
    -------
    ErrorCurve
    """
    genuine, forged = _checked(genuine, forged)
    thresholds = np.unique(np.concatenate([genuine, forged]))
    below_genuine = np.searchsorted(np.sort(genuine), thresholds, side="left")
    below_forged = np.searchsorted(np.sort(forged), thresholds, side="left")
    rejected = np.append(below_genuine, genuine.size) / genuine.size
    accepted = 1.0 - np.append(below_forged, forged.size) / forged.size
    return ErrorCurve(np.append(thresholds, np.inf), accepted, rejected)


def equal_error(genuine, forged) -> tuple[float, float]:
    """EER and its threshold, interpolated linearly where FAR and FRR cross.

    With tied scores both rates jump at one threshold; the crossing then lies on the straight line of the
    DET curve between the two points (the rate that tossing a coin among the tied trials would reach).

    Returns
    -------
    eer : float, 0 to 1
    threshold : float
        A finite score between the two thresholds around the crossing.
    """
    curve = error_curve(genuine, forged)
    gap = curve.frr - curve.far  # rises from -1 to +1
    right = int(np.argmax(gap >= 0))
    if gap[right] == 0.0 or right == 0:
        return float(curve.frr[right]), float(_finite(curve.thresholds, right))
    left = right - 1
    share = -gap[left] / (gap[right] - gap[left])
    rate = curve.frr[left] + share * (curve.frr[right] - curve.frr[left])
    low, high = curve.thresholds[left], curve.thresholds[right]
    return float(rate), float(low if np.isinf(high) else low + share * (high - low))


def _finite(thresholds: np.ndarray, index: int) -> float:
    """The threshold, or the middle of the gap below it so that neither side sits on a score."""
    value = thresholds[index]
    if np.isinf(value):
        return float(np.nextafter(thresholds[index - 1], np.inf))
    return float(value if index == 0 else 0.5 * (thresholds[index - 1] + value))


def eer(genuine, forged) -> float:
    """Equal error rate, 0 to 1 (see :func:`equal_error`)."""
    return equal_error(genuine, forged)[0]


def auc(genuine, forged) -> float:
    """Probability that a genuine score beats a forged one; ties count one half (Mann–Whitney)."""
    genuine, forged = _checked(genuine, forged)
    ordered = np.sort(forged)
    below = np.searchsorted(ordered, genuine, side="left")
    upto = np.searchsorted(ordered, genuine, side="right")
    return float(np.mean(0.5 * (below + upto)) / forged.size)


def det_curve(genuine, forged, floor: float = 1e-4) -> tuple[np.ndarray, np.ndarray]:
    """The DET curve on normal-deviate axes.

    Parameters
    ----------
    floor : float, 0 < floor < 0.5
        Rates are kept within [floor, 1 − floor], as the deviate of 0 is infinite.

    Returns
    -------
    far_deviate, frr_deviate : float64 (k,)
    """
    from scipy.special import ndtri

    if not 0 < floor < 0.5:
        raise ValueError(f"floor: must lie between 0 and 0.5, got {floor}")
    curve = error_curve(genuine, forged)
    return (
        ndtri(np.clip(curve.far, floor, 1 - floor)),
        ndtri(np.clip(curve.frr, floor, 1 - floor)),
    )


def best_accuracy_threshold(genuine, forged) -> tuple[float, float]:
    """The threshold with the highest accuracy, ties to the lowest FAR; returns (accuracy, threshold)."""
    genuine, forged = _checked(genuine, forged)
    curve = error_curve(genuine, forged)
    right = (1 - curve.frr) * genuine.size + (1 - curve.far) * forged.size
    best = int(len(right) - 1 - np.argmax(right[::-1]))
    return float(right[best] / (genuine.size + forged.size)), _finite(curve.thresholds, best)


def cllr(genuine_log_lr, forged_log_lr) -> float:
    """Cost of log-likelihood ratios in bits (Brümmer and du Preez 2006).

    0 is perfect, 1 is what a system that always answers LR = 1 costs; a badly calibrated one costs more.

    Parameters
    ----------
    genuine_log_lr, forged_log_lr : array_like of float
        Natural-log likelihood ratios ln P(evidence | same writer) / P(evidence | other writer).
    """
    genuine, forged = _checked(genuine_log_lr, forged_log_lr)
    return float(0.5 * (np.logaddexp(0, -genuine).mean() + np.logaddexp(0, forged).mean()) / LN2)


def min_cllr(genuine, forged) -> float:
    """Cllr after the best monotone calibration of the scores themselves (pool adjacent violators).

    What :func:`cllr` exceeds this by is loss of calibration; this part is loss of discrimination.
    """
    genuine, forged = _checked(genuine, forged)
    genuine_lr, forged_lr = pav_log_lr(genuine, forged)
    return cllr(genuine_lr, forged_lr)


def pav_log_lr(genuine, forged) -> tuple[np.ndarray, np.ndarray]:
    """Natural-log likelihood ratios by isotonic regression on the same trials; ends may be ±inf."""
    from sklearn.isotonic import isotonic_regression

    genuine, forged = _checked(genuine, forged)
    scores = np.concatenate([genuine, forged])
    same = np.concatenate([np.ones(genuine.size), np.zeros(forged.size)])
    values, where, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean = np.bincount(where, weights=same) / counts  # tied scores get one ratio
    posterior = np.clip(isotonic_regression(mean, sample_weight=counts.astype(float)), 0, 1)
    prior = np.log(genuine.size / forged.size)
    with np.errstate(divide="ignore"):
        log_lr = np.log(posterior) - np.log1p(-posterior) - prior
    return log_lr[where[: genuine.size]], log_lr[where[genuine.size :]]


def classification_rates(genuine, forged, threshold: float) -> dict[str, float]:
    """Accuracy, precision, recall and F1 for "accepted as genuine" at a threshold.

    Precision is NaN when nothing is accepted.
    """
    genuine, forged = _checked(genuine, forged)
    hits, false_hits = int((genuine >= threshold).sum()), int((forged >= threshold).sum())
    accepted = hits + false_hits
    precision = hits / accepted if accepted else float("nan")
    recall = hits / genuine.size
    return {
        "accuracy": (hits + forged.size - false_hits) / (genuine.size + forged.size),
        "precision": precision,
        "recall": recall,
        "f1": 2 * hits / (accepted + genuine.size),
    }
