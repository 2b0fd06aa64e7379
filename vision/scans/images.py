"""Image files → arrays: what pages show and what is compared come from one decoder, and of a page only the
piece with the signature is compared."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from data.signatures.findings import Finding
from data.signatures.specimens import ImageFacts, inspect_image, read_image, read_pixels
from vision.scans.form_finder import Place, cropped, left_out, may_be_page, signature_on, whole_page
from vision.scans.form_regions import Page, read_page

MOST_COMPARED = 13_000_000
"""Pixels of a picture that is compared: a page at 300 dpi has 8.7 million, a telephone's picture 12. More are
shrunk to so many, for a signature is compared at a far smaller size."""
_LEAST_SHRUNK = 64
"""Pixels of a side below which nothing is shrunk."""


def decode_image(data: bytes) -> np.ndarray:
    """Decode a stored specimen; of a page, the piece with the signature.

    Parameters
    ----------
    data : bytes
        An image file that :mod:`data.signatures.specimens` has accepted.

    Returns
    -------
    ndarray of uint8, shape (h, w) or (h, w, 3)
        Gray or RGB, upright, dark ink on white paper, see :func:`data.signatures.specimens.read_pixels`.

    Raises
    ------
    ValueError
        When the bytes are no image.
    """
    return decode_checked(data)[0]


def decode_checked(data: bytes) -> tuple[np.ndarray, tuple[Finding, ...]]:
    """:func:`decode_image`, and SIG014 where it is a whole page on which no signature was found."""
    return _compared(_read(data))


def inspect_and_decode(data: bytes) -> tuple[ImageFacts, np.ndarray, tuple[Finding, ...]]:
    """What is known of a file from outside, and :func:`decode_checked` of it; it is decoded once.

    Raises
    ------
    data.signatures.specimens.RefusedFile
        When it is no image that is taken.
    """
    facts, pixels = read_image(data)
    return facts, *_compared(pixels)


def _compared(pixels: np.ndarray) -> tuple[np.ndarray, tuple[Finding, ...]]:
    if not may_be_page(pixels):
        return fitted(pixels), ()
    page = read_page(pixels)
    place = signature_on(pixels, page)
    if place is None:
        pixels = fitted(pixels)
        return pixels, whole_page(pixels, page)
    return _cut(pixels, place, page=page), ()


@dataclass(frozen=True)
class Piece:
    """What of an image file is compared.

    Attributes
    ----------
    data : bytes
        The file itself, or the piece of it as a PNG.
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
        The same, decoded; as :func:`fitted` gives it.
    facts : ImageFacts
        What is known of `data`.
    place : Place or None
        What was cut out.
    of_page : tuple of Finding
        What was found on the page: SIG013 of the frame, SIG014 where nothing was cut out of it.
    """

    data: bytes
    pixels: np.ndarray
    facts: ImageFacts
    place: Place | None = None
    of_page: tuple[Finding, ...] = ()


def as_crop(data: bytes, place: Place | None = None, turn: float = 0.0) -> Piece:
    """An image file, of a page the piece that is compared, as a PNG.

    Nothing else of a form is kept: it says more about a person than the signature.

    Parameters
    ----------
    data : bytes
        An image file as it came.
    place : Place, optional
        Where a person says that the signature stands; else it is looked for if the picture is a page.
    turn : float
        Degrees clockwise by which the piece is turned.

    Returns
    -------
    Piece
        With the data given where there is nothing to cut or turn.

    Raises
    ------
    data.signatures.specimens.RefusedFile
        When the file is no image that is taken.
    ValueError
        When the place lies beside it.
    """
    (facts, pixels), page = read_image(data), None
    if may_be_page(pixels):
        page = read_page(pixels)
        place = place or signature_on(pixels, page)
    around = left_out(place)
    if place is None and page is not None:
        pixels = fitted(pixels)
        around = whole_page(pixels, page)
    if place is None and not turn:
        return Piece(data, fitted(pixels), facts, of_page=around)
    whole = Place(0, 0, pixels.shape[1], pixels.shape[0])
    piece = _cut(pixels, place or whole, turn, page if place is not None else None)
    file = io.BytesIO()
    Image.fromarray(piece).save(file, format="PNG")
    return Piece(file.getvalue(), piece, inspect_image(file.getvalue()), place, around)


def _cut(pixels: np.ndarray, place: Place, turn: float = 0.0, page: Page | None = None) -> np.ndarray:
    """:func:`vision.scans.form_finder.cropped`, of a place of too many pixels on a smaller page."""
    place = place.inside(pixels.shape)
    share = _share(place.height, place.width)
    if share < 1:
        pixels = _shrunk(pixels, share)
        sides = (round(side * share) for side in (place.left, place.top, place.width, place.height))
        place = Place(*sides)
    return fitted(cropped(pixels, place, turn, page))


def fitted(pixels: np.ndarray) -> np.ndarray:
    """A picture of at most `MOST_COMPARED` pixels, narrow strips excepted; the same one if it has no more.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
    """
    share = _share(pixels.shape[0], pixels.shape[1])
    return _shrunk(pixels, share) if share < 1 else pixels


def _share(height: int, width: int) -> float:
    """By how much the sides shrink."""
    return min(1.0, max((MOST_COMPARED / (height * width)) ** 0.5, _LEAST_SHRUNK / min(height, width)))


def _shrunk(pixels: np.ndarray, share: float) -> np.ndarray:
    size = [max(1, int(side * share)) for side in pixels.shape[1::-1]]
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _read(data: bytes) -> np.ndarray:
    try:
        return read_pixels(data)
    except (ValueError, OSError) as problem:
        raise ValueError(
            f"data must be an image file, got {len(data)} bytes that are none: {problem}"
        ) from problem
