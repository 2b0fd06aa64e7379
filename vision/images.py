"""Image files → arrays."""

from __future__ import annotations

import io

import numpy as np


def decode_image(data: bytes) -> np.ndarray:
    """Decode a stored specimen.

    Parameters
    ----------
    data : bytes
        An image file that :mod:`data.specimens` has accepted.

    Returns
    -------
    ndarray of uint8, shape (h, w) or (h, w, 3) or (h, w, 4)
        Gray, RGB or RGBA, turned as its EXIF orientation says.

    Raises
    ------
    ValueError
        When the bytes are no image.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            image = ImageOps.exif_transpose(image)
    except (UnidentifiedImageError, OSError) as problem:
        raise ValueError(
            f"data must be an image file, got {len(data)} bytes that are none: {problem}"
        ) from problem
    if image.mode.startswith("I;16"):
        return (np.asarray(image) >> 8).astype(np.uint8)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    return np.asarray(
        image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    )
