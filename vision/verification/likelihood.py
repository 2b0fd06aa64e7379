"""From a score to a likelihood ratio: how much more often such a score comes from the writer than from a
forger, said in words, and never beyond what the trials behind it can support."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

SCALE = (
    (1e4, "very strong support"),
    (1e3, "strong support"),
    (1e2, "moderately strong support"),
    (1e1, "moderate support"),
    (2e0, "weak support"),
)
"""Lower ends and words of the verbal scale of the ENFSI guideline for evaluative reporting (2015)."""
NO_SUPPORT = "none"


def verbal_key(log10_lr: float) -> str:
    """The likelihood ratio on the verbal scale, as a key: ``strong_same``, ``weak_other``, ``none``.

    Parameters
    ----------
    log10_lr : float
    """
    size = 10 ** abs(log10_lr)
    for lower, words in SCALE:
        if size >= lower * (1 - 1e-9):
            side = "same" if log10_lr > 0 else "other"
            return f"{words.removesuffix(' support').replace(' ', '_')}_{side}"
    return NO_SUPPORT


def evidence_cap(trials: int) -> float:
    """Largest |log10 LR| that so many independent trials support.

    With no error in n trials the rate may still be as high as 3 / n (rule of three), so a ratio above n / 3
    has never been seen.
    """
    if trials < 1:
        raise ValueError(f"trials: must be at least 1, got {trials}")
    return max(0.0, float(np.log10(trials / 3)))


def doubted(log10_lrs: np.ndarray, doubt: float) -> np.ndarray:
    """Ratios drawn towards 0 by a doubt (log10), never past it."""
    return np.sign(log10_lrs) * np.maximum(np.abs(log10_lrs) - doubt, 0.0)


@dataclass(frozen=True)
class Calibration:
    """log10 LR = slope × score + offset, drawn towards 0 by a doubt, capped.

    Attributes
    ----------
    slope, offset : float
        Slope at least 0.
    cap_same, cap_other : float
        Largest log10 LR for the same writer, and for another writer.
    writers, genuine, forged : int
        How many of each it was learned from.
    version : str
    doubt : float
        How far (log10) the line may lie beside the truth for writers that it was not learned from; every
        ratio is drawn towards "no support" by so much, and none beyond it.
    doubt_same, doubt_other : float
        What is taken off, besides, for the same writer and for another one.
    """

    slope: float
    offset: float
    cap_same: float
    cap_other: float
    writers: int
    genuine: int
    forged: int
    version: str = "unnamed"
    doubt: float = 0.0
    doubt_same: float = 0.0
    doubt_other: float = 0.0

    def log10_lr(self, scores) -> np.ndarray:
        """Capped log10 likelihood ratios of scores, float64, same shape."""
        raw = self.slope * np.asarray(scores, dtype=np.float64) + self.offset
        found = doubted(raw, self.doubt)
        found = np.where(found > 0, np.maximum(found - self.doubt_same, 0.0), found)
        found = np.where(found < 0, np.minimum(found + self.doubt_other, 0.0), found)
        return np.clip(found, -self.cap_other, self.cap_same)

    def doubting(self, same: float, other: float) -> Calibration:
        """The same line for scans that were mended: ratios drawn further towards 0 on either side.

        Parameters
        ----------
        same, other : float
            log10 LR taken off support for the same writer, and off support for another; at least 0.
        """
        if same < 0 or other < 0:
            raise ValueError(f"same, other: must be at least 0, got {same} and {other}")
        return replace(self, doubt_same=self.doubt_same + same, doubt_other=self.doubt_other + other)

    def score_at(self, log10_lr: float) -> float:
        """The score whose uncapped log10 LR this is."""
        if self.slope <= 0:
            raise ValueError(
                f"slope: scores say nothing, no score has log10 LR {log10_lr} (slope {self.slope})"
            )
        return (log10_lr + np.sign(log10_lr) * self.doubt - self.offset) / self.slope

    def to_dict(self) -> dict:
        """Plain numbers for JSON."""
        return asdict(self)


def fit_logistic(
    genuine, forged, writers: int, version: str = "unnamed", penalty: float = 1e-3
) -> Calibration:
    """Logistic calibration with both kinds of trial weighing the same, so that the prior cancels.

    Parameters
    ----------
    genuine, forged : array_like of float
        Scores of held-out trials.
    writers : int
        Number of distinct writers behind them. Trials of one writer depend on each other, so the cap counts
        writers, not trials.
    version : str
    penalty : float
        Ridge on slope and offset, against infinite slopes when no trial is misplaced.
    """
    genuine, forged = np.ravel(genuine).astype(float), np.ravel(forged).astype(float)
    if not genuine.size or not forged.size:
        raise ValueError(f"genuine, forged: need trials of both kinds, got {genuine.size} and {forged.size}")
    scores = np.concatenate([genuine, forged])
    middle, spread = scores.mean(), scores.std() + 1e-12
    design = np.stack([(scores - middle) / spread, np.ones_like(scores)], axis=1)
    labels = np.concatenate([np.ones(genuine.size), np.zeros(forged.size)])
    weights = np.where(labels == 1, 0.5 / genuine.size, 0.5 / forged.size)
    slope, offset = _newton(design, labels, weights, penalty)
    slope = max(slope, 0.0)
    ln10, cap = np.log(10), evidence_cap(writers)
    return Calibration(
        slope=float(slope / spread / ln10),
        offset=float((offset - slope * middle / spread) / ln10),
        cap_same=cap,
        cap_other=cap,
        writers=int(writers),
        genuine=int(genuine.size),
        forged=int(forged.size),
        version=version,
    )


def _newton(design, labels, weights, penalty: float, steps: int = 50) -> np.ndarray:
    """Weighted logistic regression with a small ridge, by Newton's method with halved steps."""
    found = np.zeros(design.shape[1])

    def cost(at) -> float:
        z = design @ at
        return float(weights @ (np.logaddexp(0, z) - labels * z) + 0.5 * penalty * at @ at)

    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -500, 500)))
        slope = design.T @ (weights * (chance - labels)) + penalty * found
        bend = (design * (weights * chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.solve(bend + penalty * np.eye(len(found)), slope)
        size = 1.0
        while size > 1e-6 and cost(found - size * step) > cost(found):
            size /= 2
        found = found - size * step
        if np.abs(size * step).max() < 1e-10:
            break
    return found


@dataclass(frozen=True)
class StepCalibration:
    """Calibration by pool adjacent violators: monotone steps instead of a line.

    Attributes
    ----------
    scores, log10_lrs : float64 (k,)
        Ascending; between them the ratio is interpolated.
    cap : float
        Largest |log10 LR|.
    """

    scores: np.ndarray
    log10_lrs: np.ndarray
    cap: float

    def log10_lr(self, scores) -> np.ndarray:
        """Capped log10 likelihood ratios of scores, float64, same shape."""
        return np.interp(np.asarray(scores, dtype=np.float64), self.scores, self.log10_lrs)


def fit_steps(genuine, forged, writers: int) -> StepCalibration:
    """Pool-adjacent-violators calibration of held-out trials, capped by the number of writers."""
    from vision.metrics import pav_log_lr

    genuine, forged = np.ravel(genuine).astype(float), np.ravel(forged).astype(float)
    ratios = np.concatenate(pav_log_lr(genuine, forged)) / np.log(10)
    cap = evidence_cap(writers)
    scores, first = np.unique(np.concatenate([genuine, forged]), return_index=True)
    return StepCalibration(scores, np.clip(ratios[first], -cap, cap), cap)
