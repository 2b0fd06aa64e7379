"""Checks of a signature specimen, SIG001 to SIG010: found, clear or not applicable, with the value and the
reason.

Thresholds are in millimetres where the resolution is known (150 dpi is assumed otherwise), so that the same
pen on the same form gives the same findings at any resolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import cv2
import numpy as np

from vision.fingerprint import copy_limit, image_distance, image_fingerprint
from vision.paper_lines import find_printed_lines, without_printed_lines
from vision.preprocess import flatten_paper, ink_mask

TITLES = {
    "SIG001": "Blank",
    "SIG002": "Too little ink",
    "SIG003": "Low resolution",
    "SIG004": "Blurred",
    "SIG005": "Cut off at the border",
    "SIG006": "Several inks or a stamp",
    "SIG007": "Printed lines",
    "SIG008": "Two signatures",
    "SIG009": "Rotated",
    "SIG010": "Copy of another file",
}

LEAST_DPI = 150
LEAST_WIDTH = 150
"""Pixels; a signature whose longer side is shorter has strokes too thin to measure, whatever its dpi."""
LEAST_INK = 12.0
"""Millimetres of line below which there is a mark but hardly a signature."""
LEAST_EDGE = 0.22
"""Share of a stroke's darkness gained per pixel across its steepest edges, at 300 dpi."""
MOST_TILT = 30.0
"""Degrees from the horizontal."""


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    Attributes
    ----------
    code : str
        SIG001 to SIG010.
    title : str
        What is looked for.
    status : str
        ``found``, ``clear`` or ``not_applicable``.
    value : float, str or None
        What was measured; for SIG010 the image's fingerprint.
    reason : str
        A sentence with the value and the limit.
    """

    code: str
    title: str
    status: str
    value: float | str | None
    reason: str


@dataclass(frozen=True)
class _Scan:
    """What several checks need, computed once."""

    gray: np.ndarray
    flat: np.ndarray
    ink: np.ndarray
    lines: list
    writing: np.ndarray
    dpi: int | None
    scale: float


def check_specimen(
    gray: np.ndarray, dpi: int | None = None, others: Mapping[str, str] | None = None
) -> list[Finding]:
    """Run every check on one specimen.

    Parameters
    ----------
    gray : ndarray of uint8, shape (h, w)
        The scan, 255 white.
    dpi : int, optional
        Resolution as the file states it.
    others : mapping of str to str, optional
        Fingerprints (:func:`vision.fingerprint.image_fingerprint`) of other specimens by their id, for
        SIG010.

    Returns
    -------
    list of Finding
        Ten, in the order of their codes.

    Raises
    ------
    ValueError
        When `gray` is not a two-dimensional uint8 array.
    """
    if gray.ndim != 2 or gray.dtype != np.uint8 or not gray.size:
        raise ValueError(
            f"gray must be a non-empty uint8 array of two dimensions, got {gray.dtype} {gray.shape}"
        )
    scan = _prepare(gray, dpi)
    blank = _blank(scan)
    if blank.status == "found":
        rest = [_not_applicable(code, "There is no ink to judge.") for code in list(TITLES)[1:]]
        return [blank, *rest]
    checks = (_little_ink, _resolution, _blur, _cut_off, _inks, _printed, _two_signatures, _rotated)
    return [blank, *(check(scan) for check in checks), find_copy(image_fingerprint(scan.writing), others)]


def as_rows(findings: list[Finding]) -> list[dict]:
    """Findings as plain dictionaries, as the store keeps them."""
    return [asdict(finding) for finding in findings]


def _prepare(gray: np.ndarray, dpi: int | None) -> _Scan:
    flat = flatten_paper(gray)
    ink = np.where(ink_mask(flat), flat, 0).astype(np.uint8)
    lines = find_printed_lines(ink)
    writing = without_printed_lines(ink, lines)
    scale = (dpi or 150) / 25.4
    return _Scan(gray, flat, ink, lines, writing, dpi, scale)


def _finding(code: str, found: bool, value: float, reason: str) -> Finding:
    return Finding(code, TITLES[code], "found" if found else "clear", round(float(value), 3), reason)


def _not_applicable(code: str, reason: str) -> Finding:
    return Finding(code, TITLES[code], "not_applicable", None, reason)


def _blank(scan: _Scan) -> Finding:
    share = np.count_nonzero(scan.writing) / scan.writing.size
    contrast = float(np.percentile(scan.writing[scan.writing > 0], 75)) if share else 0.0
    found = share < 0.0002 or contrast < 24
    return _finding(
        "SIG001", found, share, f"{share:.3%} of the scan is ink, of contrast {contrast:.0f} of 255."
    )


def _little_ink(scan: _Scan) -> Finding:
    length = _line_length(scan.writing > 0) / scan.scale
    reason = f"About {length:.0f} mm of line; a signature has at least {LEAST_INK:.0f} mm."
    return _finding("SIG002", length < LEAST_INK, length, reason)


def _line_length(mask: np.ndarray) -> float:
    """Length of strokes in pixels: area over width, width from the distance to the edge on the ridge."""
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    ridge = (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)) - 1e-3) & (distance > 0)
    width = max(2 * float(np.median(distance[ridge])) - 1, 1.0) if ridge.any() else 1.0
    return float(np.count_nonzero(mask)) / width


def _resolution(scan: _Scan) -> Finding:
    _, _, across, tall = cv2.boundingRect(scan.writing)
    width = max(across, tall)
    found = (scan.dpi is not None and scan.dpi < LEAST_DPI) or width < LEAST_WIDTH
    stated = f"{scan.dpi} dpi" if scan.dpi else "resolution not stated"
    reason = (
        f"{stated}; the signature is {width} pixels long (at least {LEAST_DPI} dpi and {LEAST_WIDTH} pixels)."
    )
    return _finding("SIG003", found, width, reason)


def _blur(scan: _Scan) -> Finding:
    mask = scan.writing > 0
    dark = float(np.percentile(scan.flat[mask], 90))
    smooth = cv2.GaussianBlur(scan.flat, (0, 0), 0.7)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 8
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    steep = float(np.percentile(slope[near], 90)) / max(dark, 1.0)
    # At a higher resolution the same sharp edge spreads over more pixels.
    steep *= max((scan.dpi or 300) / 300, 0.5)
    reason = f"Edges rise by {steep:.2f} of the ink's darkness per pixel (at least {LEAST_EDGE:.2f})."
    return _finding("SIG004", steep < LEAST_EDGE, steep, reason)


def _cut_off(scan: _Scan) -> Finding:
    rim = np.concatenate([scan.writing[:2].max(0), scan.writing[-2:].max(0), scan.writing[:, :2].max(1),
                          scan.writing[:, -2:].max(1)])  # fmt: skip
    touching = int(np.count_nonzero(rim > 0))
    rows, columns = np.flatnonzero(scan.writing.any(1)), np.flatnonzero(scan.writing.any(0))
    height, width = scan.writing.shape
    tight = sum((rows[0] <= 2, rows[-1] >= height - 3, columns[0] <= 2, columns[-1] >= width - 3))
    if tight >= 3:
        return _not_applicable("SIG005", "The scan is cropped to the ink, so nothing can be said.")
    reason = f"{touching} pixels of ink lie on the border of the scan."
    return _finding("SIG005", touching >= 3, touching, reason)


def _inks(scan: _Scan) -> Finding:
    """Two populations of darkness, in the cores of strokes, each a large share of the ink."""
    core = cv2.erode((scan.writing > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    tones = scan.flat[core] if np.count_nonzero(core) > 200 else scan.flat[scan.writing > 0]
    if len(tones) < 200:
        return _not_applicable("SIG006", "Too little ink to compare its darkness.")
    level, _ = cv2.threshold(tones.reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    pale, dark = tones[tones <= level].astype(float), tones[tones > level].astype(float)
    if not len(pale) or not len(dark):
        return _finding("SIG006", False, 0.0, "All ink has the same darkness.")
    share = min(len(pale), len(dark)) / len(tones)
    gap = (dark.mean() - pale.mean()) / (np.sqrt((pale.var() + dark.var()) / 2) + 4)
    reason = f"Two tones of ink lie {gap:.1f} standard deviations apart; the rarer has {share:.0%} of it."
    return _finding("SIG006", bool(gap > 4.0 and share > 0.12), gap, reason)


def _printed(scan: _Scan) -> Finding:
    count = len(scan.lines)
    return _finding("SIG007", count > 0, count, f"{count} straight lines run past the signature.")


def _two_signatures(scan: _Scan) -> Finding:
    """Two large groups of ink one above the other, or side by side with a wide gap."""
    mask = scan.writing > 0
    total = np.count_nonzero(mask)
    height = np.ptp(np.flatnonzero(mask.any(1))) + 1
    below = _widest_gap(mask.sum(axis=1), total, least_share=0.3)
    beside = _widest_gap(mask.sum(axis=0), total, least_share=0.3)
    value = max(below / max(3.5 * scan.scale, 0.12 * height), beside / max(14 * scan.scale, 1.2 * height))
    down, across = below / scan.scale, beside / scan.scale
    reason = f"Widest gap between two groups of ink: {down:.1f} mm down, {across:.1f} mm across."
    return _finding("SIG008", value >= 1.0, value, reason)


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
        return _not_applicable("SIG009", "The signature is too compact to have a direction.")
    tilt = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    tilt = (tilt + 90) % 180 - 90
    reason = f"The ink runs {tilt:+.0f} degrees from the horizontal (at most {MOST_TILT:.0f})."
    return _finding("SIG009", abs(tilt) > MOST_TILT, tilt, reason)


def find_copy(fingerprint: str, others: Mapping[str, str] | None) -> Finding:
    """SIG010 for a fingerprint.

    Parameters
    ----------
    fingerprint : str
        From :func:`vision.fingerprint.image_fingerprint`.
    others : mapping of str to str, optional
        Fingerprints of other specimens by their id.

    Returns
    -------
    Finding
        Its value is `fingerprint`, so that later specimens can be compared with this one.
    """
    distances = {name: image_distance(fingerprint, other) for name, other in (others or {}).items()}
    if not distances:
        return Finding(
            "SIG010", TITLES["SIG010"], "clear", fingerprint, "No other specimen looks like this one."
        )
    nearest = min(distances, key=distances.get)
    limit = copy_limit(fingerprint, others[nearest])
    found = distances[nearest] <= limit
    reason = f"Specimen {nearest} differs in {distances[nearest]} of 256 bits (a copy: at most {limit})."
    return Finding("SIG010", TITLES["SIG010"], "found" if found else "clear", fingerprint, reason)
