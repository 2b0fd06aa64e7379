"""Pictures of people's signatures as text within a page's message, so that none lies at an address."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, ImageOps

from data.signatures.specimens import read_pixels

DRAWN_BY_BROWSERS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}
LARGEST = 400_000  # bytes that are sent as they came; a phone's photo of a signature has ten times as many
LONGEST_SIDE = 1600  # pixels: twice what the widest column shows
PHOTO_QUALITY = 88


def data_uri(image: bytes | np.ndarray) -> str:
    """A picture as ``data:`` address.

    Parameters
    ----------
    image : bytes or ndarray of uint8 (h, w) or (h, w, 3)
        An accepted image file, or pixels. What no browser draws (TIFF, BMP) or what is large is drawn anew,
        upright, no side longer than :data:`LONGEST_SIDE`.
    """
    if isinstance(image, bytes):
        kind = next((kind for start, kind in DRAWN_BY_BROWSERS.items() if image.startswith(start)), None)
        if kind is not None and len(image) <= LARGEST:
            return _uri(kind, image)
        return _redrawn(_opened(image, kind))
    return _redrawn(Image.fromarray(image))


def _opened(image: bytes, kind: str | None) -> Image.Image:
    if kind != "image/jpeg":
        return Image.fromarray(read_pixels(image))
    photo = Image.open(io.BytesIO(image))
    photo.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # read small: a tenth of the time
    return ImageOps.exif_transpose(photo)


def _redrawn(picture: Image.Image) -> str:
    if picture.mode not in ("L", "RGB"):
        picture = picture.convert("RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    content = io.BytesIO()
    picture.save(content, "PNG")
    if content.tell() <= LARGEST:
        return _uri("image/png", content.getvalue())
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=PHOTO_QUALITY)
    return _uri("image/jpeg", content.getvalue())


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
