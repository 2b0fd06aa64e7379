"""The drawing in a few cells, whatever its size and slope: alike for every scan of one signature."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from data.signatures.encoder_info import EncoderInfo
from vision.descriptor.covariance import Block

HEIGHT, WIDTH = 128, 256
"""Pixels of a sheet, on which every drawing has one size."""
CELLS = (16, 32)
"""Rows and columns of an outline."""
_SPREAD = 44.0
"""Pixels on the sheet: root mean square distance of the ink from its centre."""


@dataclass(frozen=True)
class Placed:
    """A drawing, and where its ink lies.

    Attributes
    ----------
    ink : uint8 (h, w)
        Smoothed where the sheet is smaller.
    centre : (float, float)
        Column and row of the ink's centre.
    scale : float
        Factor to the sheet's size.
    axis : float, −90 to 90
        Degrees by which the ink's longer axis falls to the right.
    """

    ink: np.ndarray
    centre: tuple[float, float]
    scale: float
    axis: float

    def sheet(self, degrees: float) -> np.ndarray:
        """The drawing on a sheet, turned left by so many degrees, float32 (HEIGHT, WIDTH)."""
        matrix = cv2.getRotationMatrix2D(self.centre, degrees, self.scale)
        matrix[:, 2] += (WIDTH / 2 - self.centre[0], HEIGHT / 2 - self.centre[1])
        return cv2.warpAffine(self.ink, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR).astype(np.float32)


def placed(ink: np.ndarray) -> Placed | None:
    """Where a drawing's ink lies, from its moments, which turning and scaling carry along.

    Parameters
    ----------
    ink : uint8 (h, w)
        Ink bright on 0.

    Returns
    -------
    Placed or None
        None where there is no ink, or all of it in one point.
    """
    moments = cv2.moments(ink)
    total = moments["m00"]
    if not total:
        return None
    spread = float(np.sqrt((moments["mu20"] + moments["mu02"]) / total))
    if spread < 1:
        return None
    axis = np.degrees(np.arctan2(2 * moments["mu11"], moments["mu20"] - moments["mu02"])) / 2
    scale = _SPREAD / spread
    if scale < 1:  # a warp samples single points: what is made smaller is averaged first
        ink = cv2.GaussianBlur(ink, (0, 0), 0.5 / scale)
    return Placed(ink, (moments["m10"] / total, moments["m01"] / total), scale, float(axis))


def unit(image: np.ndarray) -> np.ndarray:
    """An image as one row, less its mean and at length 1: the product of two is their correlation."""
    flat = image.ravel() - image.mean()
    return flat / max(float(np.linalg.norm(flat)), 1e-9)


@dataclass(frozen=True)
class Outlines:
    """Outlines under the common interface of descriptors: kept and erased as these are."""

    @property
    def info(self) -> EncoderInfo:
        """Name, version and hash of the code."""
        lines = Path(__file__).read_text(encoding="utf-8").splitlines()
        computing = [line for line in lines if not line.startswith(("import ", "from "))]
        digest = hashlib.sha256("\n".join(computing).encode()).hexdigest()
        return EncoderInfo("outline", "1", digest, "computed, not learned", CELLS[0] * CELLS[1])

    @property
    def blocks(self) -> tuple[Block, ...]:
        """One stretch."""
        return (Block("outline", 0, CELLS[0] * CELLS[1], 1.0),)

    def describe(self, inks: Sequence[np.ndarray]) -> np.ndarray:
        """Outlines of ink images.

        Parameters
        ----------
        inks : sequence of uint8 (h, w)
            Ink bright on 0.

        Returns
        -------
        float32 (n, 512)
            The longer axis laid level, one size, 16 × 32 cells; at length 1, or zeros without ink.
        """
        found = np.zeros((len(inks), CELLS[0] * CELLS[1]), np.float32)
        for row, ink in enumerate(inks):
            place = placed(ink)
            if place is not None:
                level = place.sheet(place.axis)
                found[row] = unit(cv2.resize(level, CELLS[::-1], interpolation=cv2.INTER_AREA))
        return found
