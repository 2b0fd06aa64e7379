"""Whether a scan can be compared at all: the questioned signature's findings have the first word.

A likelihood ratio says how often such a score comes from the writer and from a forger *on scans like those it
was learned from*. A stamp across, a second signature, another pen or a sheet turned on its side moves the
score as much as another hand does, so with one of them there is no ratio to give, whatever the score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from data.signatures.findings import (
    BLANK,
    BLURRED,
    CLEAR,
    CUT_OFF,
    FOUND,
    LEFT_OUT,
    LITTLE_INK,
    LOW_RESOLUTION,
    NOT_APPLICABLE,
    OF_A_PAGE,
    OTHER_PEN,
    PRINT_TOUCHES,
    ROTATED,
    SEVERAL_INKS,
    TWO_SIGNATURES,
    WHOLE_PAGE,
    Finding,
    found_codes,
    read_findings,
)
from vision.descriptor.covariance import SIDE
from vision.scans.pen import LEAST_UNLIKE, MOST_UNLIKE, PenTrace, pen_trace, redrawn, unlike_pen
from vision.scans.quality import check_and_clean
from vision.verification.likelihood import Calibration
from vision.verification.verify import Verification, WriterModel, judge

REASON_OF = {
    WHOLE_PAGE: "whole_page",
    BLANK: "blank",
    LITTLE_INK: "little_ink",
    LOW_RESOLUTION: "low_resolution",
    BLURRED: "blurred",
    LEFT_OUT: "left_out",
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
MOST_REDRAWN = (1.0, 4.0)
"""Times the references' width that a stroke may have to be redrawn; beyond, another pen forbids it. A thinner
one has lost too much of the hand."""
LEAST_ENLARGEMENT = 1.1
TURNS = {1: 90.0, 2: 180.0, 3: -90.0}


DOUBTS = {"turned": (0.1, 0.1), "pen": (0.1, np.inf)}
"""log10 LR taken off after a remedy: off support for the same writer, and off support for another. Four ways
to lay a sheet are four chances to agree; a redrawn stroke has lost some of the hand, so that it may still
agree, but that it does not says nothing (docs/decisions/0009-outcomes-of-verification.md)."""


@dataclass(frozen=True)
class Reading:
    """A scan as it is compared.

    Attributes
    ----------
    ink : ndarray of uint8, shape (h, w)
        From :func:`vision.scans.preprocess.to_ink`.
    findings : tuple of Finding
    pen : PenTrace
    """

    ink: np.ndarray
    findings: tuple[Finding, ...]
    pen: PenTrace

    @classmethod
    def of(
        cls,
        pixels: np.ndarray,
        others: Mapping[str, str] | None = None,
        of_page: Sequence[Finding] = (),
    ) -> Reading:
        """Of a decoded scan (uint8, (h, w) or (h, w, 3)), checked beside other specimens' fingerprints; with
        what was found on the page that it was cut from (:attr:`vision.scans.images.Piece.of_page`)."""
        findings, ink = check_and_clean(pixels, others)
        return cls(ink, (*findings, *of_page), pen_trace(ink))

    def of_page(self) -> tuple[Finding, ...]:
        """What was found on the page around it, which its pixels no longer show."""
        return tuple(one for one in self.findings if one.code in OF_A_PAGE)


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


@dataclass(frozen=True)
class _Judged:
    verification: Verification
    findings: tuple[Finding, ...]
    reason: str | None

    @property
    def agreement(self) -> float:
        """The score, whatever was found on the sheet; minus infinity without one."""
        return -np.inf if self.verification.score is None else self.verification.score

    @property
    def ratio(self) -> float:
        """log10 LR, minus infinity where nothing may be said."""
        value = self.verification.log10_lr
        return -np.inf if self.reason is not None or value is None else value


def compare_scan(
    pixels: np.ndarray,
    reading: Reading,
    *,
    describe: Callable[[np.ndarray], np.ndarray],
    model: WriterModel | None,
    references: int,
    calibration: Calibration,
    reference_pens: Sequence[PenTrace] = (),
    habits: frozenset[str] = frozenset(),
) -> Compared:
    """Compare one questioned signature, if its scan can be compared.

    A sheet that lies on its side or its head is turned where it agrees better so, and a stroke much wider
    than the references' is redrawn at their width; either costs some of the ratio (`DOUBTS`).

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
        The decoded scan.
    reading : Reading
        Of `pixels`.
    describe : callable
        Ink → descriptor, float32 (d,).
    model : WriterModel or None
    references : int
    calibration : Calibration
    reference_pens : sequence of PenTrace
    habits : frozenset of str
        Codes of `HABITS` that most references show.
    """

    def judged(one: Reading, *remedies: str) -> _Judged:
        return _judged(one, describe, model, references, calibration, reference_pens, habits, remedies)

    best = judged(reading)
    if model is not None and best.verification.outcome != "consistent" and reading.ink.any():
        for times in likely_turns(reading.ink, reading.findings):
            if times == 2 and best.reason is not None:
                continue  # on its head a sheet shows the same findings: they forbid an outcome as before
            turned = judged(replace(reading, ink=_rotated(reading.ink, times)), "turned")
            if turned.agreement <= best.agreement:
                continue  # what is taken off for a turn is no better agreement
            if times != 2:  # on its side a sheet must be read anew
                turned = judged(Reading.of(_rotated(pixels, times), of_page=reading.of_page()), "turned")
            if turned.ratio > best.ratio and (
                best.reason is None or turned.verification.outcome == "consistent"
            ):  # what is found on the sheet is not excused by turning it, unless the hand agrees so
                said = tuple(_turned(TURNS[times]) if one.code == ROTATED else one for one in turned.findings)
                best = replace(turned, findings=said)
    found = best.verification
    if best.reason is not None:  # a ratio that means nothing must not be read
        found = replace(found, outcome="inconclusive", score=None, log10_lr=None)
    return Compared(found, found.outcome, best.reason or found.code, best.findings)


def _judged(reading, describe, model, references, calibration, reference_pens, habits, remedies) -> _Judged:
    seen = pen_finding(reading.pen, reference_pens)
    every = (*reading.findings, seen)
    ink = at_size_of(reading.ink, reference_pens)
    if seen.is_found and MOST_REDRAWN[0] <= seen.value <= MOST_REDRAWN[1]:
        ink = redrawn(ink, pen_trace(ink), reference_pens)
        every, remedies = (*reading.findings, replace(seen, status=CLEAR)), (*remedies, "pen")
    same, other = np.sum([DOUBTS[one] for one in remedies], axis=0) if remedies else (0.0, 0.0)
    reason = spoiling_reason(every, habits)
    if reason is not None:
        found = judge(describe(ink), model, references, calibration)
        return _Judged(found, (*reading.findings, seen), reason)
    found = judge(describe(ink), model, references, calibration.doubting(float(same), float(other)))
    return _Judged(found, (*reading.findings, seen), None)


def was_mended(findings: Sequence[Finding] | None) -> bool:
    """Whether a scan with an outcome was turned for it, or its stroke redrawn.

    A signature that runs aslant, as most of its references do, was not; its finding tells its own tilt.
    """
    found = [one for one in findings or () if one.is_found]
    turned = any(one.code == ROTATED and one.value in TURNS.values() for one in found)
    return turned or any(one.code == OTHER_PEN for one in found)


def likely_turns(ink: np.ndarray, findings: Sequence[Finding]) -> tuple[int, ...]:
    """Quarter turns that a sheet may have to be turned by: a long signature shows which they can be."""
    tilt = next((one for one in findings if one.code == ROTATED), None)
    if tilt is None or tilt.status == NOT_APPLICABLE or not isinstance(tilt.value, float):
        return (2, 1, 3)
    return (1, 3) if abs(tilt.value) > 45 else (2,)


def _rotated(pixels: np.ndarray, times: int) -> np.ndarray:
    """A quarter turn clockwise, so many times."""
    return np.ascontiguousarray(np.rot90(pixels, -times))


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
    if OTHER_PEN in found:
        found.discard(LITTLE_INK)  # a line looks short beside a stroke so wide
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
    found = not LEAST_UNLIKE <= times <= MOST_UNLIKE
    reason = (
        f"The stroke is {times:.2f} times as wide as the references' "
        f"(from {LEAST_UNLIKE:.2f} to {MOST_UNLIKE:.2f})."
    )
    return Finding(OTHER_PEN, FOUND if found else CLEAR, round(times, 3), reason)


def _turned(degrees: float) -> Finding:
    reason = (
        f"Turned by {degrees:+.0f} degrees the signature agrees better: the scan lies on its side or head."
    )
    return Finding(ROTATED, FOUND, degrees, reason)
