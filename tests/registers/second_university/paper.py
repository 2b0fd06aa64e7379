"""Paper, scanner, telephone, photocopier: from strokes to the files of an office."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = (800, 330)  # about 6.8 × 2.8 cm at 300 dpi: the box that was cut out of the form
_FINE = 2


def scan(strokes, rng: np.random.Generator, dark: float = 0.85) -> Image.Image:
    """Gray scan of ink on paper with its grain; without strokes the paper alone."""
    ink = np.asarray(_ink(strokes), dtype=np.float32) / 255
    grain = rng.standard_normal(ink.shape, dtype=np.float32)
    ink = ink * np.clip(dark + _smooth(rng, 12) * 0.08 + 0.03 * grain, 0.3, 1.0)
    paper = rng.uniform(236, 250) + 3 * _smooth(rng, 40) + 1.2 * grain
    return Image.fromarray(np.clip(paper * (1 - ink) + 18 * ink, 0, 255).astype(np.uint8))


def blank_form(rng: np.random.Generator) -> Image.Image:
    """A form that nobody signed: paper and the printed line to sign on."""
    page = scan([], rng)
    ImageDraw.Draw(page).line((60, 255, SIZE[0] - 60, 255), fill=70, width=3)
    return page


def photographed(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """By telephone, from the side and under a lamp: perspective, shade, warm colour, soft."""
    wide, high = page.size
    pull = rng.uniform(0.03, 0.09, 8) * np.array([wide, high] * 4) * np.array([-1, -1, -1, 1, 1, 1, 1, -1])
    corners = np.array([0, 0, 0, high, wide, high, wide, 0], dtype=float) + pull * 0.6
    seen = page.transform(
        (1300, 560), Image.Transform.QUAD, tuple(corners), Image.Resampling.BICUBIC, fillcolor=225
    )
    gray = np.asarray(seen.filter(ImageFilter.GaussianBlur(1.0)), dtype=np.float32)
    dim = np.linspace(1.0, rng.uniform(0.5, 0.65), gray.shape[1])[None, :]
    lit = np.clip(gray * dim * np.linspace(1.0, 0.85, gray.shape[0])[:, None], 0, 255)[..., None] * np.array(
        [1.0, 0.96, 0.86]
    )
    return Image.fromarray((lit + rng.normal(0, 2.0, lit.shape)).clip(0, 255).astype(np.uint8))


def photocopied(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Black or white, thin strokes broken, specks of toner."""
    gray = np.asarray(page, dtype=np.float32) + rng.normal(0, 12, page.size[::-1])
    black = gray < 150
    for _ in range(int(rng.integers(40, 90))):
        y, x = int(rng.integers(2, black.shape[0] - 2)), int(rng.integers(2, black.shape[1] - 2))
        black[y : y + int(rng.integers(1, 4)), x : x + int(rng.integers(1, 4))] = True
    return Image.fromarray(~black)


def png(page: Image.Image, dpi: int = 300) -> bytes:
    """PNG bytes with the resolution that the scanner writes."""
    out = io.BytesIO()
    page.save(out, "PNG", dpi=(dpi, dpi), compress_level=1)
    return out.getvalue()


def jpeg(page: Image.Image, taken: date | None = None) -> bytes:
    """JPEG bytes; a telephone's carries its date in EXIF and says 72 dpi."""
    out = io.BytesIO()
    if taken is None:
        page.save(out, "JPEG", quality=90, dpi=(300, 300))
    else:
        exif = Image.Exif()
        exif[0x010F] = "Rekaan"
        exif.get_ifd(0x8769)[0x9003] = f"{taken:%Y:%m:%d} 10:15:00"
        page.save(out, "JPEG", quality=82, dpi=(72, 72), exif=exif)
    return out.getvalue()


def _ink(strokes) -> Image.Image:
    """Coverage by ink (255 full): discs along each path, drawn finer and reduced; centred in the box."""
    canvas = Image.new("L", (SIZE[0] * _FINE, SIZE[1] * _FINE))
    if not strokes:
        return canvas.resize(SIZE)
    every = np.vstack([path for path, _ in strokes])
    low, high = every.min(0), every.max(0)
    fit = min(1.0, (SIZE[0] - 80) / (high - low)[0], (SIZE[1] - 60) / (high - low)[1])
    pen = ImageDraw.Draw(canvas)
    for path, radius in strokes:
        at = ((path - (low + high) / 2) * fit + np.array(SIZE) / 2) * _FINE
        at, wide = _evenly(at, radius * _FINE)
        for (x, y), r in zip(at, wide, strict=True):
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return canvas.resize(SIZE, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.6))


def _evenly(path: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same path in steps of a pixel and a half, so that discs overlap wherever the pen was fast."""
    length = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))))
    at = np.arange(0.0, length[-1], 1.5)
    return np.stack([np.interp(at, length, path[:, i]) for i in (0, 1)], 1), np.interp(at, length, radius)


def _smooth(rng: np.random.Generator, cell: int) -> np.ndarray:
    """Slow noise over the page, about -1 to 1: a coarse grid of it, enlarged."""
    coarse = rng.normal(0, 0.5, (SIZE[1] // cell + 2, SIZE[0] // cell + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC))
