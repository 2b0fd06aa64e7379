"""Signature files: which are taken, which are refused and why, and what an accepted image is.

Files come from outside and may be broken or hostile, so an image is measured before it is decoded, decoded
completely before it is believed, and refused with a reason that an office can act on.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from data.files.told import Told
from data.signatures.chunks import MOST_NOTES, MOST_SCANS, too_many_notes
from data.signatures.gray_levels import to_paper

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
MAX_PIXELS = 40_000_000
MAX_DECODED_BYTES = 6 * MAX_PIXELS  # three channels of 16 bits; a page of that kind at 600 dpi fits
MIN_SIDE = 16  # pixels; a signature box at 50 dpi is taller
MAX_FILE_BYTES = 128 * 2**20  # 40 megapixels of three bytes, uncompressed, fit
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # our own limit is lower
_PLAUSIBLE_DPI = range(20, 9601)
BROKEN_IMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError)
BROKEN_IMAGE += (struct.error, zlib.error, MemoryError, RuntimeError, NotImplementedError)
_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
)


class RefusedFile(ValueError):
    """A file that is not taken.

    Parameters
    ----------
    code : str
        Rule in :data:`data.records.checks.CHECKS`, "SPC001" and following.
    reason : str
        What is wrong and what to do, in words.
    """

    def __init__(self, code: str, reason: str):
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an accepted image.

    Parameters
    ----------
    file_format : str
        "png", "jpeg", "tiff", "bmp" or "webp", by content, not by name.
    width, height : int
        Pixels, after the EXIF orientation is applied.
    dpi : int or None
        Resolution that the file states, the smaller of the two directions; None when absent or implausible.
    orientation : int
        EXIF orientation, 1 (upright) to 8.
    sha256 : str
        Hash of the file as it came.
    taken_on : date or None
        EXIF date of the scan or photograph.
    """

    file_format: str
    width: int
    height: int
    dpi: int | None
    orientation: int
    sha256: str
    taken_on: date | None


def inspect_image(data: bytes) -> ImageFacts:
    """Measure, decode and describe an image.

    Parameters
    ----------
    data : bytes
        The file.

    Raises
    ------
    RefusedFile
        As :func:`read_image`.
    """
    return read_image(data)[0]


def read_image(data: bytes) -> tuple[ImageFacts, np.ndarray]:
    """What :func:`inspect_image` and :func:`read_pixels` say of a file, decoded once.

    Parameters
    ----------
    data : bytes
        The file.

    Raises
    ------
    RefusedFile
        When it is no image of :data:`FORMATS`, is damaged, animated, an archive, has more than
        :data:`MAX_PIXELS` pixels or :data:`MAX_DECODED_BYTES` bytes of them, fewer than :data:`MIN_SIDE` on a
        side, too many bytes, or more than :data:`data.signatures.chunks.MOST_NOTES` notes beside the pixels.
    """
    if len(data) > MAX_FILE_BYTES:
        raise RefusedFile("SPC010", f"{len(data):,} bytes; at most {MAX_FILE_BYTES:,} are taken")
    if data.startswith(_ARCHIVES):
        raise RefusedFile("SPC009", "an archive, not an image; unpack it first")
    if too_many_notes(data):
        words = f"more than {MOST_NOTES:,} chunks beside the pixels, or {MOST_SCANS:,} passes over them"
        raise RefusedFile("SPC015", Told("too_many_notes", words, most=MOST_NOTES, passes=MOST_SCANS))
    with _opened(data) as image:
        width, height = image.size
        _measured(image)
        file_format = "JPEG" if image.format == "MPO" else image.format
        if file_format is None:
            raise RefusedFile("SPC005", f"the contents are no image; {', '.join(FORMATS)} are taken")
        try:
            exif = image.getexif()
            image.load()
            dpi = image.info.get("dpi")
            pixels = to_paper(image)
        except Image.DecompressionBombError as error:
            raise RefusedFile("SPC004", f"an image inside that is too large: {error}") from error
        except BROKEN_IMAGE as error:
            raise RefusedFile("SPC006", f"damaged or cut off: {error}; scan or export it again") from error
    if file_format != "JPEG" and _has_second_frame(data):
        raise RefusedFile("SPC007", "several frames or pages; give each signature its own file")
    orientation = exif.get(ExifTags.Base.Orientation, 1)
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    facts = ImageFacts(
        file_format=file_format.lower(),
        width=width,
        height=height,
        dpi=_plausible_dpi(dpi),
        orientation=orientation if orientation in range(1, 9) else 1,
        sha256=hashlib.sha256(data).hexdigest(),
        taken_on=_exif_date(exif),
    )
    return facts, pixels


def read_pixels(data: bytes) -> np.ndarray:
    """Pixels of an accepted image, upright, dark ink on white paper: the one decoder of this project.

    Parameters
    ----------
    data : bytes
        A file that :func:`inspect_image` accepts.

    Returns
    -------
    numpy.ndarray of uint8
        (height, width) for gray images, (height, width, 3) RGB for all others; 255 is paper. Transparency is
        paper, 16-bit, 32-bit and float grays are brought to 8 bits, and light ink on dark ground is inverted
        (:mod:`data.signatures.gray_levels`).

    Raises
    ------
    RefusedFile
        As :func:`inspect_image`.
    """
    with _opened(data) as image:
        return to_paper(image)


def _measured(image: Image.Image) -> None:
    """Refuse an image by its size and its depth, before it is decoded."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise RefusedFile(
            "SPC004", f"{width} x {height} pixels; at most {MAX_PIXELS // 10**6} megapixels are taken"
        )
    each = len(image.getbands()) * _bytes_per_value(image)
    if width * height * each > MAX_DECODED_BYTES:
        raise RefusedFile(
            "SPC004",
            f"{width} x {height} pixels of {each} bytes, {width * height * each:,} bytes once decoded; "
            f"at most {MAX_DECODED_BYTES:,} are taken",
        )
    if min(width, height) < MIN_SIDE:
        words = f"{width} x {height} pixels; a side needs at least {MIN_SIDE}"
        size = {"width": width, "height": height, "least": MIN_SIDE}
        raise RefusedFile("SPC011", Told("too_few_pixels", words, **size))


def _bytes_per_value(image: Image.Image) -> int:
    """Bytes of one channel's value as the file holds it; Pillow names 16 bits in colour only here."""
    if image.mode in ("I", "F"):
        return 4
    told = image.tile[0].args if isinstance(image, ImageFile.ImageFile) and image.tile else ""
    raw = told[0] if isinstance(told, tuple) and told else told
    return 2 if ";16" in str(raw) else 1


def _has_second_frame(data: bytes) -> bool:
    """Whether there is more than one frame; they are not counted, for there may be millions."""
    with _opened(data) as image:
        try:
            image.seek(1)
        except BROKEN_IMAGE:
            return False
    return True


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise RefusedFile("SPC004", f"too many pixels: {error}") from error
    except UnidentifiedImageError as error:
        kinds = ", ".join(FORMATS)
        raise RefusedFile("SPC005", f"the contents are no image; {kinds} are taken") from error
    except BROKEN_IMAGE as error:
        raise RefusedFile("SPC006", f"damaged or cut off: {error}; scan or export it again") from error


def _plausible_dpi(dpi) -> int | None:
    try:
        smaller = round(min(float(value) for value in dpi))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return smaller if smaller in _PLAUSIBLE_DPI else None


def _exif_date(exif: Image.Exif) -> date | None:
    details = exif.get_ifd(ExifTags.IFD.Exif)
    told = (
        details.get(ExifTags.Base.DateTimeOriginal),
        details.get(ExifTags.Base.DateTimeDigitized),
        exif.get(ExifTags.Base.DateTime),
    )
    for text in told:  # a camera without a date writes 0000:00:00 into one and not always into all
        try:
            return datetime.strptime(str(text)[:10], "%Y:%m:%d").date()
        except ValueError:
            continue
    return None
