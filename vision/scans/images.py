"""Image files → arrays: what pages show and what is compared come from one decoder, and of a page only the
piece with the signature is compared."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from data.signatures.findings import Finding
from data.signatures.specimens import read_pixels
from vision.scans.form_finder import Place, cropped, left_out, may_be_page, signature_on, whole_page
from vision.scans.form_regions import read_page


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
    pixels = _read(data)
    if not may_be_page(pixels):
        return pixels, ()
    page = read_page(pixels)
    place = signature_on(pixels, page)
    if place is None:
        return pixels, whole_page(pixels, page)
    return cropped(pixels, place, page=page), ()


@dataclass(frozen=True)
class Piece:
    """What of an image file is compared.

    Attributes
    ----------
    data : bytes
        The file itself, or the piece of it as a PNG.
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
        The same, decoded.
    place : Place or None
        What was cut out.
    of_page : tuple of Finding
        What was found on the page: SIG013 of the frame, SIG014 where nothing was cut out of it.
    """

    data: bytes
    pixels: np.ndarray
    place: Place | None = None
    of_page: tuple[Finding, ...] = ()


def as_crop(data: bytes, place: Place | None = None, turn: float = 0.0) -> Piece:
    """An image file, of a page the piece that is compared, as a PNG.

    Nothing else of a form is kept: it says more about a person than the signature.

    Parameters
    ----------
    data : bytes
        An image file that :mod:`data.signatures.specimens` has accepted.
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
    ValueError
        When the bytes are no image, or the place lies beside it.
    """
    pixels, page = _read(data), None
    if may_be_page(pixels):
        page = read_page(pixels)
        place = place or signature_on(pixels, page)
    around = left_out(place)
    if place is None and page is not None:
        around = whole_page(pixels, page)
    if place is None and not turn:
        return Piece(data, pixels, of_page=around)
    whole = Place(0, 0, pixels.shape[1], pixels.shape[0])
    piece = cropped(pixels, place or whole, turn, page if place is not None else None)
    file = io.BytesIO()
    Image.fromarray(piece).save(file, format="PNG")
    return Piece(file.getvalue(), piece, place, around)


def _read(data: bytes) -> np.ndarray:
    try:
        return read_pixels(data)
    except (ValueError, OSError) as problem:
        raise ValueError(
            f"data must be an image file, got {len(data)} bytes that are none: {problem}"
        ) from problem
