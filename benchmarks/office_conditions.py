"""What an office receives: one signature on paper as scanner, telephone, copier and people bring it in.

Every condition is made from a scan of a real set and a random generator, so that the same call gives the same
pixels; nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vision.scans.pen import pen_trace
from vision.scans.preprocess import clean_ink

PAPER = 238
Made = Callable[[np.ndarray, np.random.Generator, np.ndarray], np.ndarray]


def on_paper(scan: np.ndarray, rng: np.random.Generator, other: np.ndarray | None = None) -> np.ndarray:
    """A scan (uint8, 255 white) with paper around it, as a form gives it."""
    tall, wide = scan.shape
    edge = max(20, round(0.12 * wide))
    paper = cv2.copyMakeBorder(scan, *([edge] * 4), cv2.BORDER_CONSTANT, value=255).astype(np.float32)
    return _scanned(paper * (PAPER / 255), rng)


def _scanned(paper: np.ndarray, rng: np.random.Generator, noise: float = 1.5) -> np.ndarray:
    return np.clip(paper + rng.normal(0, noise, paper.shape), 0, 255).astype(np.uint8)


def _binary(scan, rng, other):
    sheet = on_paper(scan, rng)
    level, _ = cv2.threshold(sheet, 0, 255, cv2.THRESH_OTSU)
    return np.where(sheet > level, 255, 0).astype(np.uint8)


def _half(scan, rng, other):
    sheet = on_paper(scan, rng)
    return cv2.resize(sheet, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _photo(scan, rng, other):
    """Perspective, shade, defocus, noise and JPEG of a hand-held telephone."""
    sheet = on_paper(scan, rng)
    size = 1600 / sheet.shape[1]
    sheet = cv2.resize(sheet, None, fx=size, fy=size, interpolation=cv2.INTER_CUBIC)
    tall, wide = sheet.shape
    corners = np.float32([[0, 0], [wide, 0], [wide, tall], [0, tall]])
    moved = corners + rng.uniform(-0.03, 0.03, (4, 2)).astype(np.float32) * (wide, tall)
    turn = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    sheet = cv2.warpPerspective(sheet, turn, (wide, tall), borderValue=PAPER).astype(np.float32)
    across = np.linspace(rng.uniform(0.6, 0.9), rng.uniform(0.8, 1.0), wide)
    down = np.linspace(rng.uniform(0.8, 1.0), rng.uniform(0.7, 1.0), tall)
    sheet = cv2.GaussianBlur(sheet * down[:, None] * across[None], (0, 0), rng.uniform(1.5, 3.0))
    saved = cv2.imencode(".jpg", _scanned(sheet, rng, 4), [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return cv2.imdecode(saved, cv2.IMREAD_GRAYSCALE)


def _stroke(sheet: np.ndarray) -> float:
    return max(pen_trace(clean_ink(sheet)[0]).width, 1.0)


def _marker(scan, rng, other):
    """Strokes about three times as wide."""
    sheet = on_paper(scan, rng)
    size = max(3, round(2 * _stroke(sheet))) | 1
    return cv2.erode(sheet, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))


def _pencil(scan, rng, other):
    """Thin, pale and grainy."""
    sheet = on_paper(scan, rng)
    thin = cv2.dilate(sheet, np.ones((3, 3) if _stroke(sheet) > 3 else (2, 2), np.uint8))
    grain = cv2.GaussianBlur(rng.normal(0, 1, sheet.shape).astype(np.float32), (0, 0), 0.8)
    pale = PAPER - (PAPER - thin.astype(np.float32)) * np.clip(0.5 + 0.35 * grain, 0.1, 0.9)
    return _scanned(pale, rng)


def _quarter(scan, rng, other):
    return np.ascontiguousarray(np.rot90(on_paper(scan, rng), int(rng.choice([1, 3]))))


def _half_turn(scan, rng, other):
    return np.ascontiguousarray(on_paper(scan, rng)[::-1, ::-1])


def _small_turn(scan, rng, other):
    sheet = on_paper(scan, rng)
    tall, wide = sheet.shape
    sheet = cv2.copyMakeBorder(sheet, *([wide // 6] * 2), 0, 0, cv2.BORDER_CONSTANT, value=PAPER)
    angle = float(rng.choice([-1, 1]) * rng.uniform(4, 9))
    matrix = cv2.getRotationMatrix2D((wide / 2, sheet.shape[0] / 2), angle, 1.0)
    return cv2.warpAffine(sheet, matrix, (wide, sheet.shape[0]), borderValue=PAPER)


def _box(scan, rng, other):
    """A printed box around, its lower edge through the descenders in every second form."""
    sheet = on_paper(scan, rng)
    edge = max(20, round(0.12 * scan.shape[1]))
    inset = edge // 2
    tall, wide = sheet.shape
    low = tall - inset if rng.random() < 0.5 else tall - edge - round(0.12 * scan.shape[0])
    out = cv2.copyMakeBorder(sheet, 40, 40, wide // 3, wide // 3, cv2.BORDER_CONSTANT, value=PAPER)
    left = wide // 3
    cv2.rectangle(out, (left + inset, 40 + inset), (left + wide - inset, 40 + low), 90, 2)
    return out


def _lined(scan, rng, other):
    sheet = on_paper(scan, rng)
    for row in range(int(rng.integers(10, 60)), sheet.shape[0], 85):
        cv2.line(sheet, (0, row), (sheet.shape[1], row + int(rng.integers(-2, 3))), 150, 2, cv2.LINE_AA)
    return sheet


def _grid(scan, rng, other):
    """Squared paper of a quarter of the lines' distance, blue-grey."""
    sheet = on_paper(scan, rng)
    rgb = np.dstack([sheet] * 3).astype(np.float32)
    lines = np.zeros(sheet.shape, np.uint8)
    start, step = int(rng.integers(5, 20)), 48
    for row in range(start, sheet.shape[0], step):
        cv2.line(lines, (0, row), (sheet.shape[1], row), 255, 2)
    for column in range(start, sheet.shape[1], step):
        cv2.line(lines, (column, 0), (column, sheet.shape[0]), 255, 2)
    cover = lines[..., None].astype(np.float32) / 255 * 0.8
    colour = np.float32([150, 175, 215])
    return np.rint(np.minimum(rgb, rgb * (1 - cover) + colour * cover)).astype(np.uint8)


def _name_below(scan, rng, other):
    """The name in brackets printed below, its capitals in the descenders of every second form."""
    sheet = on_paper(scan, rng)
    tall, wide = sheet.shape
    edge = max(20, round(0.12 * scan.shape[1]))
    size = scan.shape[1] / 620
    touching = rng.random() < 0.5
    out = cv2.copyMakeBorder(sheet, 0, round(60 * size), 0, 0, cv2.BORDER_CONSTANT, value=PAPER)
    base = tall - edge + round((12 if touching else 46) * size)
    thick = max(1, round(2 * size))
    cv2.putText(out, "( Siti Rahmawati )", (edge, base), 0, 1.3 * size, 40, thick, cv2.LINE_AA)
    return out


def _coloured(scan, rng, ink, paper):
    """The pen's darkness as a mixture of an ink's and a paper's colour."""
    share = (PAPER - on_paper(scan, rng).astype(np.float32)).clip(0) / PAPER
    mixed = share[..., None] * np.float32(ink) + (1 - share[..., None]) * np.float32(paper)
    return np.rint(mixed.clip(0, 255)).astype(np.uint8)


def _blue_on_cream(scan, rng, other):
    return _coloured(scan, rng, (30, 45, 140), (246, 232, 196))


def _decoded(image, **options) -> np.ndarray:
    """A file of such pixels, as the program's own decoder reads it."""
    import io

    from data.signatures.specimens import read_pixels

    file = io.BytesIO()
    image.save(file, **options)
    return read_pixels(file.getvalue())


def _transparent(scan, rng, other):
    """Ink on nothing, as a signature pad exports it."""
    from PIL import Image

    sheet = on_paper(scan, rng)
    cover = (255 - np.clip(sheet.astype(int) * 255 // PAPER, 0, 255)).astype(np.uint8)
    none = np.zeros_like(cover)
    return _decoded(Image.fromarray(np.dstack([none, none, none, cover]), "RGBA"), format="PNG")


def _deep(scan, rng, other):
    """Every second one a 16-bit PNG, the others a float TIFF."""
    from PIL import Image

    sheet = on_paper(scan, rng)
    if rng.random() < 0.5:
        return _decoded(Image.fromarray(sheet.astype(np.uint16) * 257), format="PNG")
    return _decoded(Image.fromarray(sheet.astype(np.float32) / 255), format="TIFF")


def _thin(scan, rng, other):
    """A pen of two thirds of the width."""
    sheet = on_paper(scan, rng)
    size = max(2, round(0.34 * _stroke(sheet)) + 1)
    return cv2.dilate(sheet, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))


def _stamp(scan, rng, other):
    """A round office stamp across, blue or red; the pen stays as it is."""
    sheet = on_paper(scan, rng)
    rgb = np.dstack([sheet] * 3)
    print_ = np.zeros(sheet.shape, np.uint8)
    radius = round(0.32 * sheet.shape[0])
    middle = (round(sheet.shape[1] * rng.uniform(0.55, 0.75)), sheet.shape[0] // 2)
    for share in (1.0, 0.72):
        cv2.circle(print_, middle, round(radius * share), 255, max(3, radius // 14), cv2.LINE_AA)
    cv2.putText(print_, "KAMPUS", (middle[0] - radius // 2, middle[1]), 0, radius / 110, 255, 3, cv2.LINE_AA)
    colour = np.float32([(40, 60, 170), (180, 40, 50)][int(rng.integers(2))])
    cover = print_[..., None].astype(np.float32) / 255 * 0.85
    return np.rint(np.minimum(rgb, rgb * (1 - cover) + colour * cover)).astype(np.uint8)


def _two(scan, rng, other):
    """Another person's signature below."""
    upper, lower = on_paper(scan, rng), on_paper(other, rng)
    wide = max(upper.shape[1], lower.shape[1])
    both = [
        cv2.copyMakeBorder(one, 0, 0, 0, wide - one.shape[1], cv2.BORDER_CONSTANT, value=PAPER)
        for one in (upper, lower)
    ]
    return np.concatenate(both)


def _photocopy(scan, rng, other):
    """Hard contrast, slightly fatter strokes, dirt."""
    sheet = cv2.GaussianBlur(on_paper(scan, rng), (0, 0), 0.9).astype(np.float32)
    level, _ = cv2.threshold(sheet.astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    copied = np.clip((sheet - level - 25) * 4 + 128, 10, 250)
    dirt = rng.random(sheet.shape) > 0.9997
    copied[cv2.dilate(dirt.astype(np.uint8), np.ones((2, 2), np.uint8)) > 0] = 60
    return _scanned(copied, rng)


def _inverted(scan, rng, other):
    return 255 - on_paper(scan, rng)


def _cut(scan, rng, other):
    """A fifth of the signature lies beyond the edge of the scan."""
    sheet = on_paper(scan, rng)
    edge = max(20, round(0.12 * scan.shape[1]))
    lost = edge + round(0.2 * scan.shape[1])
    return np.ascontiguousarray(sheet[:, :-lost] if rng.random() < 0.5 else sheet[:, lost:])


CONDITIONS: dict[str, Made] = {
    "clean": on_paper,
    "binary": _binary,
    "150 dpi": _half,
    "phone photo": _photo,
    "marker pen": _marker,
    "pencil": _pencil,
    "quarter turn": _quarter,
    "half turn": _half_turn,
    "small turn": _small_turn,
    "box": _box,
    "lined paper": _lined,
    "grid paper": _grid,
    "name below": _name_below,
    "blue on cream": _blue_on_cream,
    "transparent": _transparent,
    "16 bits, float": _deep,
    "thin pen": _thin,
    "stamp": _stamp,
    "two signatures": _two,
    "photocopy": _photocopy,
    "inverted": _inverted,
    "cut": _cut,
}
