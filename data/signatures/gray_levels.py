"""Any picture mode → dark ink on white paper, 8 bits: deep grays, transparency, light ink on dark ground.

What a file cannot say is decided from its pixels, and what cannot be decided is an error, never a guess that
leaves an empty sheet behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PIL import ExifTags, Image, ImageOps

_PHOTOMETRIC, _SAMPLE_FORMAT = 262, 339  # TIFF tags
_FULL_SCALES = (2**8 - 1, 2**12 - 1, 2**16 - 1, 2**32 - 1)
"""Largest values of the gray scales in use: 8 bits in a wider word, 12-bit scanners, 16 and 32 bits."""
_OVERSHOOT = 0.1
"""Share of the scale by which resampling may have carried a float beyond it."""
_LEAST_CONTRAST = 40
_MOST_BRIGHT = 0.35
"""Share of a picture that light ink on dark ground covers at most."""
_STRIP = 2**20
"""Pixels worked on at once: a large picture is never held as floats, nor twice as a whole."""


def to_paper(image: Image.Image) -> np.ndarray:
    """Pixels on white paper, upright.

    Parameters
    ----------
    image : PIL.Image.Image
        In any mode, as it was opened.

    Returns
    -------
    ndarray of uint8
        (h, w) for gray images, (h, w, 3) RGB for all others; 255 is paper.

    Raises
    ------
    ValueError
        When gray values are no numbers, or lie on no scale that is known.
    """
    tags = getattr(image, "tag_v2", {})  # a turned copy has none
    image.load()  # what turns it may stand behind the pixels
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        pixels = _deep_gray(np.asarray(image), tags)
    elif image.has_transparency_data:
        pixels = _without_transparency(image)
    else:
        pixels = _converted(image, "L" if image.mode in ("1", "L") else "RGB")
    return np.subtract(255, pixels, out=pixels) if light_on_dark(pixels) else pixels


def _rows(width: int, height: int) -> Iterator[slice]:
    """The rows of a picture, some at a time."""
    step = max(1, _STRIP // width)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def _strips(image: Image.Image, mode: str) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of a picture and their values in a mode, some rows at a time."""
    for rows in _rows(*image.size):
        strip = image.crop((0, rows.start, image.width, rows.stop))
        yield rows, np.asarray(strip if strip.mode == mode else strip.convert(mode))


def _converted(image: Image.Image, mode: str) -> np.ndarray:
    shape = image.height, image.width, len(mode)
    pixels = np.empty(shape if mode == "RGB" else shape[:2], np.uint8)
    for rows, values in _strips(image, mode):
        pixels[rows] = values
    return pixels


def light_on_dark(pixels: np.ndarray) -> bool:
    """Whether a picture shows light strokes on dark ground: a negative, a chalkboard, a dark-mode pad.

    A sheet photographed on a dark table is no such picture: its light part is broad, strokes are thin.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
    """
    import cv2

    step = max(1, max(pixels.shape[:2]) // 600)
    seen = pixels[::step, ::step]
    gray = np.ascontiguousarray(seen if seen.ndim == 2 else seen.max(axis=2))
    low, median, high = _percentiles(gray, (2.0, 50.0, 99.8))
    middle = (low + high) / 2
    if high - low < _LEAST_CONTRAST or median > min(middle, 128):
        return False
    bright = (gray > middle).astype(np.uint8)
    if not 0 < bright.mean() < _MOST_BRIGHT:
        return False
    rim = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    side = max(9, min(gray.shape) // 10) | 1  # no stroke is so wide
    broad = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return bool(np.median(rim) < middle and broad.sum() < 0.1 * bright.sum())


def _percentiles(levels: np.ndarray, shares: Sequence[float]) -> list[float]:
    """As ``numpy.percentile`` gives them, from the counts of 256 levels: without putting pixels in order."""
    below = np.cumsum(np.bincount(levels.ravel(), minlength=256))
    places = np.asarray(shares) / 100 * (below[-1] - 1)
    lower, upper = (np.searchsorted(below, place(places), side="right") for place in (np.floor, np.ceil))
    return list(lower + (upper - lower) * (places - np.floor(places)))


def _without_transparency(image: Image.Image) -> np.ndarray:
    """Transparency as paper; where the ink is light, black paper is laid under it and all is inverted."""
    covered = lit = 0
    for _, values in _strips(image, "RGBA"):
        covered += int(values[..., 3].sum(dtype=np.int64))
        # Each pixel counts as much as it covers: a white pad below black ink is paper, not ink.
        lit += int(np.einsum("ijk,ij->", values[..., :3], values[..., 3], dtype=np.int64))
    light = lit > 128 * 3 * covered and covered < _MOST_BRIGHT * 255 * image.width * image.height
    ground = 0.0 if light else 255.0
    flat = np.empty((image.height, image.width, 3), np.uint8)
    for rows, values in _strips(image, "RGBA"):
        cover = values[..., 3:].astype(np.float32) / 255
        flat[rows] = np.rint(values[..., :3].astype(np.float32) * cover + ground * (1 - cover))
    return np.subtract(255, flat, out=flat) if light else flat


def _deep_gray(values: np.ndarray, tags) -> np.ndarray:
    """16-bit, 32-bit and float grays as 8 bits, white high."""
    if values.dtype.kind == "f":
        gray = _float_gray(values)
    else:
        if values.dtype == np.int32 and int(_first(tags.get(_SAMPLE_FORMAT, 1))) == 1:
            values = values.view(np.uint32)  # Pillow reads unsigned words as signed ones
        gray = _scaled(values)
    # Pillow turns WhiteIsZero round for 1 and 8 bits only.
    return np.subtract(255, gray, out=gray) if _first(tags.get(_PHOTOMETRIC, 1)) == 0 else gray


def _first(value):
    return value[0] if isinstance(value, tuple) else value


def _scaled(values: np.ndarray) -> np.ndarray:
    if values.min() < 0:
        raise ValueError(f"gray values go down to {values.min():g}; export as 8-bit gray")
    full = next(one for one in _FULL_SCALES if values.max() <= one)
    return _by_rows(values, lambda some: some.astype(np.float64) * (255 / full))


def _float_gray(values: np.ndarray) -> np.ndarray:
    """Floats from 0 to 1, or on one of the whole scales up to 16 bits."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("some gray values are no numbers; export as 8-bit gray")
    full = next((one for one in (1.0, *_FULL_SCALES[:3]) if high <= one * (1 + _OVERSHOOT)), None)
    if full is None or low < -_OVERSHOOT * full or high <= 0:
        raise ValueError(f"gray values from {low:g} to {high:g} lie on no known scale; export as 8-bit gray")
    return _by_rows(values, lambda some: np.clip(some / full, 0, 1) * 255)


def _by_rows(values: np.ndarray, to_levels: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Whole gray levels of what a function makes of values."""
    gray = np.empty(values.shape, np.uint8)
    for rows in _rows(values.shape[1], values.shape[0]):
        gray[rows] = np.rint(to_levels(values[rows]))
    return gray
