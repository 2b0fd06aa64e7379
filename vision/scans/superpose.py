"""Two signatures on one sheet: scaled to each other, laid over each other, told apart by colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FIRST, SECOND = (29, 92, 138), (200, 112, 43)
"""Blue and orange: apart for every kind of colour blindness, and of like lightness."""
HEIGHT, WIDTH = 240, 640
"""Pixels of the sheet."""
_ROOM = 0.9
_MOST_SHIFT = 0.08


@dataclass(frozen=True)
class Superposed:
    """Two drawings on one sheet.

    Attributes
    ----------
    first, second : ndarray of float32, shape (HEIGHT, WIDTH), 0 to 1
        Darkness of the ink.
    """

    first: np.ndarray
    second: np.ndarray

    def mixed(self, share: float) -> np.ndarray:
        """The two in their colours; where both have ink it is dark.

        Parameters
        ----------
        share : float, 0 to 1
            0 shows the first alone, 1 the second alone, between them both, each fading towards the other's
            end.

        Returns
        -------
        ndarray of uint8, shape (HEIGHT, WIDTH, 3)
            RGB on white.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"share must be within 0..1, got {share}")
        strengths = min(1.0, 2 * (1 - share)), min(1.0, 2 * share)
        sheet = np.ones((*self.first.shape, 3), np.float32)
        for ink, colour, strength in zip((self.first, self.second), (FIRST, SECOND), strengths, strict=True):
            tint = np.asarray(colour, np.float32) / 255
            sheet *= 1 - (strength * ink)[..., None] * (1 - tint)
        return np.rint(255 * sheet).astype(np.uint8)


def superpose(first: np.ndarray, second: np.ndarray) -> Superposed:
    """Bring two drawings to one size and shift the second to where it fits the first best.

    Both keep their own proportions; each is scaled to the same diagonal, so that a scan and a photograph of
    other resolutions can be laid over each other. Nothing is turned or sheared: how a signature slopes is a
    habit of the hand.

    Parameters
    ----------
    first, second : ndarray of uint8, shape (h, w)
        Ink bright on 0, as :func:`vision.scans.preprocess.clean_ink` gives.

    Raises
    ------
    ValueError
        When one of them has no ink.
    """
    crops = [_cropped(name, ink) for name, ink in (("first", first), ("second", second))]
    sheets = _sized(*crops)
    soft = [cv2.GaussianBlur(sheet, (0, 0), 3.0) for sheet in sheets]
    shift, _ = cv2.phaseCorrelate(*soft)
    across, down = _within(sheets[1], np.clip(shift, -_MOST_SHIFT * WIDTH, _MOST_SHIFT * WIDTH))
    moved = cv2.warpAffine(sheets[1], np.float32([[1, 0, -across], [0, 1, -down]]), (WIDTH, HEIGHT))
    return Superposed(sheets[0], moved)


def _cropped(name: str, ink: np.ndarray) -> np.ndarray:
    left, top, width, height = cv2.boundingRect((ink > 20).astype(np.uint8))
    if not width:
        raise ValueError(f"{name} must hold ink, got an empty drawing of shape {ink.shape}")
    return ink[top : top + height, left : left + width].astype(np.float32) / 255


def _within(sheet: np.ndarray, shift: np.ndarray) -> tuple[float, float]:
    """The shift (right to left, down to up), shortened so that no ink leaves the sheet."""
    left, top, width, height = cv2.boundingRect((sheet > 0).astype(np.uint8))
    across = np.clip(shift[0], left + width - WIDTH, left)
    return float(across), float(np.clip(shift[1], top + height - HEIGHT, top))


def _sized(*crops: np.ndarray) -> list[np.ndarray]:
    """Each on a sheet of its own, centred, all with the same diagonal."""
    sides = [np.array(crop.shape, float) / np.hypot(*crop.shape) for crop in crops]
    diagonal = min(_ROOM * HEIGHT / max(s[0] for s in sides), _ROOM * WIDTH / max(s[1] for s in sides))
    sheets = []
    for crop, side in zip(crops, sides, strict=True):
        height, width = np.maximum(np.rint(diagonal * side).astype(int), 1)
        sheet = np.zeros((HEIGHT, WIDTH), np.float32)
        top, left = (HEIGHT - height) // 2, (WIDTH - width) // 2
        small = cv2.resize(crop, (int(width), int(height)), interpolation=cv2.INTER_AREA)
        sheet[top : top + height, left : left + width] = small / max(float(small.max()), 1e-6)
        sheets.append(sheet)
    return sheets
