"""How wide the pen's stroke is, in pixels and beside the signature: another pen is seen before hands are
compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

LEAST_UNLIKE, MOST_UNLIKE = 0.77, 1.45
"""Times as wide as the references' strokes below and above which a comparison would weigh the pen, not the
hand. A thin pen loses sooner what the hand does than a wide one hides it."""


@dataclass(frozen=True)
class PenTrace:
    """The stroke of one signature.

    Attributes
    ----------
    width : float
        Mean width of the stroke in pixels; 0 without ink.
    spread : float
        Root mean square distance of the ink from its middle, in pixels.
    side : int
        Longer side of the image in pixels.
    """

    width: float
    spread: float
    side: int = 0

    @property
    def relative(self) -> float:
        """Width beside the signature's size, free of resolution; 0 without ink."""
        return self.width / self.spread if self.spread > 0 else 0.0


def pen_trace(ink: np.ndarray) -> PenTrace:
    """Measure the stroke.

    Twice the area over the length of the outline; both come from the ink alone, and blurring moves ink about
    without adding any.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
        0 on paper, brighter in ink.
    """
    dark = ink[ink > 0]
    if not dark.size:
        return PenTrace(0.0, 0.0, max(ink.shape))
    full = max(float(np.percentile(dark, 90)), 1.0)
    mask = (ink > full / 2).astype(np.uint8)
    # No order among the outlines is asked for: to find it takes minutes on a sheet of noise.
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    # The outline runs through the middle of the outermost pixels: half a pixel inside the ink on both sides.
    around = sum(cv2.arcLength(contour, True) for contour in contours)
    area = float(np.count_nonzero(mask))
    rows, columns = np.nonzero(mask)
    spread = float(np.sqrt(rows.var() + columns.var()))
    return PenTrace(2 * area / max(around, 1.0), spread, max(ink.shape))


def unlike_pen(trace: PenTrace, references: Sequence[PenTrace]) -> float | None:
    """How many times wider (above 1) or thinner (below 1) than the references' strokes, nearest reference
    first.

    Parameters
    ----------
    trace : PenTrace
        Of the questioned signature.
    references : sequence of PenTrace

    Returns
    -------
    float or None
        1 inside the range that the references cover; None where nothing can be measured.
    """
    known = [one.relative for one in references if one.relative > 0]
    if not known or not trace.relative:
        return None
    middle = float(np.median(known))
    return trace.relative / float(np.clip(trace.relative, min(min(known), middle), max(known)))


def redrawn(ink: np.ndarray, pen: PenTrace, references: Sequence[PenTrace]) -> np.ndarray:
    """The same lines with a stroke as wide, beside the signature's size, as the references'.

    The outline is moved inwards or outwards by half the difference.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
    pen : PenTrace
        Of `ink`.
    references : sequence of PenTrace

    Returns
    -------
    ndarray of uint8, shape (h', w')
        Cropped to the ink; `ink` itself where nothing can be measured or would be left.
    """
    known = [one.relative for one in references if one.relative > 0]
    if not known or not pen.relative:
        return ink
    step = (float(np.median(known)) * pen.spread - pen.width) / 2
    border = int(np.ceil(max(step, 0))) + 2
    ink = cv2.copyMakeBorder(ink, *([border] * 4), cv2.BORDER_CONSTANT, value=0)
    full = max(float(np.percentile(ink[ink > 0], 90)), 1.0)
    inside = (ink > full / 2).astype(np.uint8)
    if step > 0:
        away = step - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
        size = 2 * int(np.ceil(step)) + 1
        source = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    else:
        away, source = cv2.distanceTransform(inside, cv2.DIST_L2, 5) + step, ink
    made = (source * np.clip(away + 0.5, 0, 1)).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(made)
    return made[top : top + height, left : left + width] if width else ink
