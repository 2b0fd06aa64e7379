"""A page handed in: where its signature stands, the page with a frame around it, and the piece to compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.signatures.findings import (
    PRINT_TOUCHES,
    SEVERAL_INKS,
    TWO_SIGNATURES,
    WHOLE_PAGE,
    Finding,
    found_codes,
)
from data.signatures.specimens import read_image, read_pixels

FRAME = (35, 90, 200)
LEAST_SIDE = 16
"""Pixels of a piece on each side at least."""
CROWDED = frozenset({SEVERAL_INKS, TWO_SIGNATURES, PRINT_TOUCHES})
"""Findings that a page with little print gets as well as a signature under a stamp."""


@dataclass(frozen=True)
class Sheet:
    """An uploaded picture.

    Attributes
    ----------
    width, height : int
        Pixels.
    found : tuple of int or None
        Left, top, width, height of the signature that was found on a page; None where it is no page, or none
        was found.
    chance : float or None
        That the found one is a signature.
    left_out : tuple of Finding
        Whether ink like the found one's lies outside its frame; empty where none was found.
    whole : tuple of Finding
        That it is a whole page, while nothing is cut out of it; empty where it is none.
    crowded : bool
        No page by its print, but of a page's shape and with more on it than one signature.
    """

    width: int
    height: int
    found: tuple[int, int, int, int] | None
    chance: float | None = None
    left_out: tuple[Finding, ...] = ()
    whole: tuple[Finding, ...] = ()
    crowded: bool = False

    @property
    def is_page(self) -> bool:
        """Whether a piece must be chosen before anything can be compared."""
        return bool(self.whole)


def read_sheet(data: bytes) -> Sheet:
    """Look for the signature on an uploaded picture.

    Parameters
    ----------
    data : bytes
        An image as it came from the browser.

    Raises
    ------
    data.signatures.specimens.RefusedFile
        When it is not an image that is taken.
    """
    from vision.scans.form_finder import left_out, may_be_page, signature_on, whole_page
    from vision.scans.form_regions import read_page
    from vision.scans.quality import check_pixels

    _, pixels = read_image(data)
    height, width = pixels.shape[:2]
    if not may_be_page(pixels):
        return Sheet(width, height, None)
    page = read_page(pixels)
    place, whole = signature_on(pixels, page), whole_page(pixels, page)
    if place is not None:
        found = place.left, place.top, place.width, place.height
        return Sheet(width, height, found, place.chance, left_out(place), whole)
    crowded = not whole and not CROWDED.isdisjoint(found_codes(check_pixels(pixels)))
    return Sheet(width, height, None, whole=whole, crowded=crowded)


def still_whole(piece: bytes) -> tuple[Finding, ...]:
    """SIG014 for a piece that somebody chose and that is a whole page all the same; else empty."""
    from vision.scans.images import as_crop

    return tuple(one for one in as_crop(piece).of_page if one.code == WHOLE_PAGE)


def framed(data: bytes, box: tuple[int, int, int, int]) -> np.ndarray:
    """The page with a frame around a piece of it, uint8 (h, w, 3), no side longer than 1,600 pixels."""
    import cv2

    pixels = read_pixels(data)
    rgb = pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)
    scale = min(1.0, 1600 / max(rgb.shape[:2]))
    shown = (
        cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb.copy()
    )
    left, top, width, height = (round(value * scale) for value in box)
    thick = max(2, round(max(shown.shape[:2]) / 300))
    cv2.rectangle(shown, (left, top), (left + width, top + height), FRAME, thick)
    return shown


def piece(data: bytes, box: tuple[int, int, int, int], turn: float) -> bytes:
    """The piece to compare as a PNG file, turned clockwise by some degrees."""
    from vision.scans.form_finder import Place
    from vision.scans.images import as_crop

    return as_crop(data, Place(*box), turn).data
