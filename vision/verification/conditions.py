"""Whether a scan can be compared at all: the questioned signature's findings have the first word.

A likelihood ratio says how often such a score comes from the writer and from a forger *on scans like those it
was learned from*. A stamp across, a second signature, another pen or a sheet turned on its side moves the
score as much as another hand does, so with one of them there is no ratio to give, whatever the score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from data.signatures.findings import (
    BLANK,
    BLURRED,
    CLEAR,
    CUT_OFF,
    FOUND,
    LITTLE_INK,
    LOW_RESOLUTION,
    NOT_APPLICABLE,
    OTHER_PEN,
    PRINT_TOUCHES,
    ROTATED,
    SEVERAL_INKS,
    TWO_SIGNATURES,
    Finding,
    found_codes,
    read_findings,
)
from vision.descriptor.covariance import SIDE
from vision.scans.pen import MOST_UNLIKE, PenTrace, unlike_pen
from vision.verification.likelihood import Calibration
from vision.verification.verify import Verification, WriterModel, decisive_limit, judge

REASON_OF = {
    BLANK: "blank",
    LITTLE_INK: "little_ink",
    LOW_RESOLUTION: "low_resolution",
    BLURRED: "blurred",
    CUT_OFF: "cut_off",
    TWO_SIGNATURES: "two_signatures",
    SEVERAL_INKS: "several_inks",
    PRINT_TOUCHES: "print_touches",
    ROTATED: "rotated",
    OTHER_PEN: "other_pen",
}
"""Findings with which nothing is compared, the one that is told first before the others, and the reason's
key."""
HABITS = (SEVERAL_INKS, TWO_SIGNATURES, ROTATED)
"""Findings that do not count where most of the references show them as well: so this person signs."""
LEAST_ENLARGEMENT = 1.1
TURNS = {1: 90.0, 2: 180.0, 3: -90.0}


@dataclass(frozen=True)
class Compared:
    """What scan and score say together.

    Attributes
    ----------
    verification : vision.verification.verify.Verification
        Of the score; without score and ratio where a finding forbids the comparison.
    outcome : {"consistent", "inconclusive", "review"}
    reason : str
        One of `REASON_OF`, or :attr:`vision.verification.verify.Verification.code`.
    findings : tuple of Finding
        Those of the scan, with the pen's, and with the turn where the signature agrees only when turned.
    """

    verification: Verification
    outcome: str
    reason: str
    findings: tuple[Finding, ...]


def compare_scan(
    ink: np.ndarray,
    findings: Sequence[Finding],
    pen: PenTrace,
    *,
    describe: Callable[[np.ndarray], np.ndarray],
    model: WriterModel | None,
    references: int,
    calibration: Calibration,
    reference_pens: Sequence[PenTrace] = (),
    habits: frozenset[str] = frozenset(),
) -> Compared:
    """Compare one questioned signature, if its scan can be compared.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
        From :func:`vision.scans.preprocess.to_ink`.
    findings : sequence of Finding
        Of the same scan.
    pen : PenTrace
        Of the same ink.
    describe : callable
        Ink → descriptor, float32 (d,).
    model : WriterModel or None
    references : int
    calibration : Calibration
    reference_pens : sequence of PenTrace
    habits : frozenset of str
        Codes of `HABITS` that most references show.
    """
    every = [*findings, pen_finding(pen, reference_pens)]
    ink = at_size_of(ink, reference_pens)
    judged = judge(describe(ink), model, references, calibration)
    reason = spoiling_reason(every, habits)
    if reason is None and judged.outcome != "consistent" and judged.score is not None:
        turn = agreeing_turn(ink, describe, model, calibration, judged.score)
        if turn is not None:
            every = [_turned(turn) if one.code == ROTATED else one for one in every]
            reason = REASON_OF[ROTATED]
    if reason is not None:  # a ratio that means nothing must not be read
        judged = replace(judged, outcome="inconclusive", score=None, log10_lr=None)
    return Compared(judged, judged.outcome, reason or judged.code, tuple(every))


def at_size_of(ink: np.ndarray, references: Sequence[PenTrace]) -> np.ndarray:
    """Ink of fewer pixels than the references' brought to their size.

    Descriptors are made of drawings of at most `SIDE` pixels, and measure at the scale of a stroke: a scan of
    half the resolution would be told apart by its pixels.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
    references : sequence of PenTrace
    """
    sides = [one.side for one in references if one.side]
    factor = min(float(np.median(sides)), SIDE) / max(ink.shape) if sides else 1.0
    if factor <= LEAST_ENLARGEMENT or not ink.any():
        return ink
    return cv2.resize(ink, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def spoiling_reason(findings: Sequence[Finding], habits: frozenset[str] = frozenset()) -> str | None:
    """Why nothing can be compared, as a key, or None."""
    found = set(found_codes(findings)) - (habits & set(HABITS))
    return next((reason for code, reason in REASON_OF.items() if code in found), None)


def habits_of(qualities: Sequence[Sequence[dict] | None]) -> frozenset[str]:
    """Codes of `HABITS` that more than half of the references show.

    Parameters
    ----------
    qualities : sequence of list of dict
        The stored findings of each reference.
    """
    checked = [findings for findings in map(read_findings, qualities) if findings is not None]
    shown = [set(found_codes(findings)) for findings in checked]
    return frozenset(code for code in HABITS if 2 * sum(code in one for one in shown) > max(len(shown), 1))


def pen_finding(pen: PenTrace, references: Sequence[PenTrace]) -> Finding:
    """SIG012: the stroke beside the references' strokes, each beside its signature's size."""
    times = unlike_pen(pen, references)
    if times is None:
        return Finding(OTHER_PEN, NOT_APPLICABLE, None, "No stroke to compare with.")
    found = not 1 / MOST_UNLIKE <= times <= MOST_UNLIKE
    reason = (
        f"The stroke is {times:.2f} times as wide as the references' (at most {MOST_UNLIKE:.2f} either way)."
    )
    return Finding(OTHER_PEN, FOUND if found else CLEAR, round(times, 3), reason)


def agreeing_turn(
    ink: np.ndarray,
    describe: Callable[[np.ndarray], np.ndarray],
    model: WriterModel,
    calibration: Calibration,
    score: float,
) -> float | None:
    """Degrees by which the scan must be turned to agree better, and no longer to disagree; None if none
    does."""
    turned = np.stack([describe(np.ascontiguousarray(np.rot90(ink, -times))) for times in TURNS])
    scores = model.score(turned)
    best = int(scores.argmax())
    disagrees = float(calibration.log10_lr(scores[best])) <= -decisive_limit(calibration)
    if scores[best] <= score or disagrees:
        return None
    return list(TURNS.values())[best]


def _turned(degrees: float) -> Finding:
    reason = (
        f"Turned by {degrees:+.0f} degrees the signature agrees better: the scan lies on its side or head."
    )
    return Finding(ROTATED, FOUND, degrees, reason)
