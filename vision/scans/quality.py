"""Checks of a signature specimen, SIG001 to SIG011: found, clear or not applicable, with the value and the
reason. (SIG012, another pen, needs references: :mod:`vision.scans.pen`; SIG013, ink outside the frame, the
page: :mod:`vision.scans.form_finder`.)

Every length is measured in widths of the stroke or in sizes of the signature, from the pixels alone: the
resolution that a file states is as often wrong as right, and the same pixels must get the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from data.signatures import findings
from data.signatures.findings import CLEAR, FOUND, NOT_APPLICABLE, OF_ONE_SCAN, Finding
from vision.scans.fingerprint import copy_limit, image_distance, image_fingerprint
from vision.scans.ink_colours import two_colours
from vision.scans.paper_lines import find_printed_lines, touching, without_printed_lines
from vision.scans.pen import PenTrace, pen_trace
from vision.scans.pieces import Pieces, pieces_of
from vision.scans.preprocess import cropped_writing, flatten_paper, ink_mask, pen_gray, to_gray
from vision.scans.sharpness import BLURRED, SOFT, softness

LEAST_WIDTH = 150
"""Pixels; a signature whose longer side is shorter has strokes too thin to measure."""
LEAST_INK = 24.0
"""Widths of the stroke: of a shorter line there is a mark but hardly a signature."""
GAP_DOWN, GAP_ACROSS = 7.0, 28.0
"""Widths of the stroke between two groups of ink, one above the other or side by side, that one signature has
at most; or so many times its own height, whichever is more (`GAP_DOWN_SIZE`, `GAP_ACROSS_SIZE`)."""
GAP_DOWN_SIZE, GAP_ACROSS_SIZE = 0.12, 1.2
MOST_TOUCHED = 0.25
"""Share of a printed line's length that strokes may meet: where they cross, both are told apart."""
MOST_TILT = 30.0
"""Degrees from the horizontal."""


@dataclass(frozen=True)
class _Scan:
    """What several checks need, computed once."""

    gray: np.ndarray
    flat: np.ndarray
    ink: np.ndarray
    lines: list
    writing: np.ndarray
    pen: PenTrace
    colour: np.ndarray | None

    @cached_property
    def pieces(self) -> Pieces:
        """Of the writing; a blank sheet is not asked for them."""
        return pieces_of((self.writing > 0).astype(np.uint8))


def check_specimen(
    gray: np.ndarray, others: Mapping[str, str] | None = None, *, colour: np.ndarray | None = None
) -> list[Finding]:
    """Run every check on one specimen.

    Parameters
    ----------
    gray : ndarray of uint8, shape (h, w)
        The scan, 255 white.
    others : mapping of str to str, optional
        Fingerprints (:func:`vision.scans.fingerprint.image_fingerprint`) of other specimens by their id, for
        SIG010.
    colour : ndarray of uint8, shape (h, w, 3), optional
        The same scan in RGB, where it has colours: a blue pen and a red stamp may be equally dark.

    Returns
    -------
    list of Finding
        Eleven, in the order of their codes.

    Raises
    ------
    ValueError
        When `gray` is not a two-dimensional uint8 array, or `colour` is not of its size.
    """
    if gray.ndim != 2 or gray.dtype != np.uint8 or not gray.size:
        raise ValueError(
            f"gray must be a non-empty uint8 array of two dimensions, got {gray.dtype} {gray.shape}"
        )
    if colour is not None and colour.shape != (*gray.shape, 3):
        raise ValueError(f"colour must have shape {(*gray.shape, 3)}, got {colour.shape}")
    return _checked(_prepare(gray, colour), others)


def _checked(scan: _Scan, others: Mapping[str, str] | None) -> list[Finding]:
    blank = _blank(scan)
    if blank.is_found:
        codes = [code for code in OF_ONE_SCAN if code != findings.BLANK]
        return [blank, *(_not_applicable(code, "There is no ink to judge.") for code in codes)]
    checks = (_little_ink, _resolution, _blur, _cut_off, _inks, _printed, _two_signatures, _rotated)
    copy = find_copy(image_fingerprint(scan.writing), others)
    return [blank, *(check(scan) for check in checks), copy, _touching(scan)]


def check_pixels(pixels: np.ndarray, others: Mapping[str, str] | None = None) -> list[Finding]:
    """:func:`check_specimen` of a decoded image (:func:`vision.scans.images.decode_image`), gray or RGB."""
    return _checked(_prepare(*_pen_and_colour(pixels)), others)


def check_and_clean(
    pixels: np.ndarray, others: Mapping[str, str] | None = None
) -> tuple[list[Finding], np.ndarray]:
    """:func:`check_pixels` and :func:`vision.scans.preprocess.to_ink` of one decoded image, whose paper,
    stamp and lines are looked for once.

    Returns
    -------
    findings : list of Finding
    ink : ndarray of uint8, shape (h', w')
    """
    scan = _prepare(*_pen_and_colour(pixels))
    found = _checked(scan, others)
    return found, cropped_writing(scan.writing.copy(), scan.pieces)[0]


def _pen_and_colour(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Gray levels of the pen, and the image itself where its colours still say something."""
    gray = pen_gray(pixels)
    if pixels.ndim != 3 or not np.array_equal(gray, to_gray(pixels)):
        return gray, None  # a stamp was taken away; what is left has the pen's colour
    return gray, pixels


def _prepare(gray: np.ndarray, colour: np.ndarray | None) -> _Scan:
    flat = flatten_paper(gray)
    ink = np.where(ink_mask(flat), flat, 0).astype(np.uint8)
    lines = find_printed_lines(ink)
    writing = without_printed_lines(ink, lines)
    return _Scan(gray, flat, ink, lines, writing, pen_trace(writing), colour)


def _finding(code: str, found: bool, value: float, reason: str) -> Finding:
    return Finding(code, FOUND if found else CLEAR, round(float(value), 3), reason)


def _not_applicable(code: str, reason: str) -> Finding:
    return Finding(code, NOT_APPLICABLE, None, reason)


def _blank(scan: _Scan) -> Finding:
    """No ink, or nothing but what a printed line leaves behind when it is taken away."""
    written = scan.writing
    if scan.lines:
        written = written.copy()
        for line in scan.lines:
            _clear_along(written, line, 2 * line.thickness + 4)
    share = np.count_nonzero(written) / written.size
    contrast = float(np.percentile(written[written > 0], 75)) if share else 0.0
    found = share < 0.0002 or contrast < 24
    return _finding(
        findings.BLANK, found, share, f"{share:.3%} of the scan is ink, of contrast {contrast:.0f} of 255."
    )


def _clear_along(image: np.ndarray, line, reach: int) -> None:
    view = image.T if line.upright else image
    along, across = line.positions.T
    for shift in range(-reach, reach + 1):
        rows = across + shift
        inside = (rows >= 0) & (rows < view.shape[0])
        view[rows[inside], along[inside]] = 0


def _little_ink(scan: _Scan) -> Finding:
    width = max(scan.pen.width, 1.0)
    length = np.count_nonzero(scan.writing) / width**2
    reason = f"The line is about {length:.0f} times as long as wide; a signature's at least {LEAST_INK:.0f}."
    return _finding(findings.LITTLE_INK, length < LEAST_INK, length, reason)


def _resolution(scan: _Scan) -> Finding:
    _, _, across, tall = cv2.boundingRect(scan.writing)
    width = max(across, tall)
    reason = f"The signature is {width} pixels long (at least {LEAST_WIDTH})."
    return _finding(findings.LOW_RESOLUTION, width < LEAST_WIDTH, width, reason)


def _blur(scan: _Scan) -> Finding:
    value = softness(scan.flat, scan.writing, scan.pen)
    words = "too blurred to compare" if value >= BLURRED else "a little soft" if value >= SOFT else "sharp"
    return _finding(
        findings.BLURRED, value >= BLURRED, value, f"Edges are {words}: softness {value:.2f} of 1."
    )


def _cut_off(scan: _Scan) -> Finding:
    ink = _strokes(scan)
    rim = np.concatenate([ink[:2].max(0), ink[-2:].max(0), ink[:, :2].max(1), ink[:, -2:].max(1)])
    touching = int(np.count_nonzero(rim > 0))
    rows, columns = np.flatnonzero(scan.writing.any(1)), np.flatnonzero(scan.writing.any(0))
    height, width = scan.writing.shape
    tight = sum((rows[0] <= 2, rows[-1] >= height - 3, columns[0] <= 2, columns[-1] >= width - 3))
    if tight >= 3:
        return _not_applicable(findings.CUT_OFF, "The scan is cropped to the ink, so nothing can be said.")
    reason = f"{touching} pixels of ink lie on the border of the scan."
    return _finding(findings.CUT_OFF, touching >= 3, touching, reason)


def _strokes(scan: _Scan) -> np.ndarray:
    """The writing without dirt: pieces smaller than a short dash, which a cut stroke is not."""
    keep = scan.pieces.areas >= 3 * max(scan.pen.width, 1.0) ** 2
    keep[0] = False
    return np.where(keep[scan.pieces.labels], scan.writing, 0).astype(np.uint8)


def _inks(scan: _Scan) -> Finding:
    """Two populations of darkness or of colour, in the cores of strokes, each a large share of the ink."""
    if scan.colour is not None:
        gap = two_colours(scan.colour, scan.writing)
        if gap is not None:
            reason = f"Two colours of ink lie {gap:.1f} standard deviations apart."
            return _finding(findings.SEVERAL_INKS, True, gap, reason)
    core = cv2.erode((scan.writing > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    tones = scan.flat[core] if np.count_nonzero(core) > 200 else scan.flat[scan.writing > 0]
    if len(tones) < 200:
        return _not_applicable(findings.SEVERAL_INKS, "Too little ink to compare its darkness.")
    level, _ = cv2.threshold(tones.reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    pale, dark = tones[tones <= level].astype(float), tones[tones > level].astype(float)
    if not len(pale) or not len(dark):
        return _finding(findings.SEVERAL_INKS, False, 0.0, "All ink has the same darkness.")
    share = min(len(pale), len(dark)) / len(tones)
    gap = (dark.mean() - pale.mean()) / (np.sqrt((pale.var() + dark.var()) / 2) + 4)
    reason = f"Two tones of ink lie {gap:.1f} standard deviations apart; the rarer has {share:.0%} of it."
    return _finding(findings.SEVERAL_INKS, bool(gap > 4.0 and share > 0.12), gap, reason)


def _printed(scan: _Scan) -> Finding:
    count = len(scan.lines)
    return _finding(
        findings.PRINTED_LINES, count > 0, count, f"{count} straight lines run past the signature."
    )


def _touching(scan: _Scan) -> Finding:
    """Strokes that run into a printed line: taking it away takes some of them, leaving it adds to them."""
    if not scan.lines:
        return _not_applicable(findings.PRINT_TOUCHES, "There is no printed line.")
    share = touching(scan.ink, scan.writing, scan.lines)
    reason = f"Strokes meet a printed line along {share:.1%} of its length (at most {MOST_TOUCHED:.0%})."
    return _finding(findings.PRINT_TOUCHES, share > MOST_TOUCHED, share, reason)


def _two_signatures(scan: _Scan) -> Finding:
    """Two large groups of ink one above the other, or side by side with a wide gap."""
    mask = scan.writing > 0
    total = np.count_nonzero(mask)
    height = np.ptp(np.flatnonzero(mask.any(1))) + 1
    width = max(scan.pen.width, 1.0)
    below = _widest_gap(mask.sum(axis=1), total, least_share=0.3)
    beside = _widest_gap(mask.sum(axis=0), total, least_share=0.3)
    value = max(
        below / max(GAP_DOWN * width, GAP_DOWN_SIZE * height),
        beside / max(GAP_ACROSS * width, GAP_ACROSS_SIZE * height),
    )
    reason = f"The widest gap between two groups of ink is {value:.1f} times the widest of one signature."
    return _finding(findings.TWO_SIGNATURES, value >= 1.0, value, reason)


def _widest_gap(profile: np.ndarray, total: int, least_share: float) -> int:
    """Longest run without ink that leaves at least a share of it on both sides."""
    places = np.flatnonzero(profile)
    gaps = np.diff(places) - 1
    before = np.cumsum(profile)[places[:-1]] / total
    allowed = gaps * ((before >= least_share) & (before <= 1 - least_share))
    return int(allowed.max()) if len(allowed) else 0


def _rotated(scan: _Scan) -> Finding:
    rows, columns = np.nonzero(scan.writing)
    covariance = np.cov(np.stack([columns, -rows]).astype(float))
    values, vectors = np.linalg.eigh(covariance)
    if values[1] < 5.0 * max(values[0], 1e-6):
        return _not_applicable(findings.ROTATED, "The signature is too compact to have a direction.")
    tilt = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    tilt = (tilt + 90) % 180 - 90
    reason = f"The ink runs {tilt:+.0f} degrees from the horizontal (at most {MOST_TILT:.0f})."
    return _finding(findings.ROTATED, abs(tilt) > MOST_TILT, tilt, reason)


def find_copy(fingerprint: str, others: Mapping[str, str] | None) -> Finding:
    """SIG010 for a fingerprint.

    Parameters
    ----------
    fingerprint : str
        From :func:`vision.scans.fingerprint.image_fingerprint`.
    others : mapping of str to str, optional
        Fingerprints of other specimens by their id.

    Returns
    -------
    Finding
        Its value is `fingerprint`, so that later specimens can be compared with this one.
    """
    distances = {name: image_distance(fingerprint, other) for name, other in (others or {}).items()}
    if not distances:
        return Finding(findings.COPY, CLEAR, fingerprint, "No other specimen looks like this one.")
    nearest = min(distances, key=lambda name: distances[name])
    limit = copy_limit(fingerprint, others[nearest])
    found = distances[nearest] <= limit
    reason = f"Specimen {nearest} differs in {distances[nearest]} of 256 bits (a copy: at most {limit})."
    return Finding(findings.COPY, FOUND if found else CLEAR, fingerprint, reason)
