"""Image files → arrays: what pages show and what is compared come from one decoder."""

from __future__ import annotations

import numpy as np

from data.signatures.specimens import read_pixels


def decode_image(data: bytes) -> np.ndarray:
    """Decode a stored specimen, exactly as the pages show it.

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
    try:
        return read_pixels(data)
    except (ValueError, OSError) as problem:
        raise ValueError(
            f"data must be an image file, got {len(data)} bytes that are none: {problem}"
        ) from problem
