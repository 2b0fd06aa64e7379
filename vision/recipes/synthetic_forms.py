"""Forms that no office has printed: letterhead, text, tables, lines, names in brackets, stamps, signatures.

They are the only pages that the finder of signatures learns from (:mod:`vision.recipes.form_detector`). The
same pages, with a given signature laid on them, are what ``python -m benchmarks forms`` measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

DPI = 120
SHAPE = (1403, 992)
"""A4 at `DPI`."""
_WORDS = (
    "yang bertanda tangan di bawah ini menyatakan dengan sebenarnya bahwa saya mahasiswa program studi "
    "teknik semester ganjil tahun akademik nomor induk alamat telepon mata kuliah jumlah kredit kode kelas "
    "dosen wali "
    "persetujuan rencana studi the student hereby declares that all statements are true registration of "
    "courses adviser faculty of engineering date place approved by head of department copy to archive"
).split()
_NAMES = ("Siti Rahmawati", "Budi Santoso", "Ayu Lestari", "Dr. I. Wijaya, M.T.", "N. Pratama", "R. Hidayat")
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)


@dataclass(frozen=True)
class Form:
    """A page and where its signatures stand.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
    places : tuple of (left, top, width, height)
        Bounds of each signature's ink.
    """

    pixels: np.ndarray
    places: tuple[tuple[int, int, int, int], ...]


def make_form(rng: np.random.Generator, signatures, *, scale: float = 1.0) -> Form:
    """Draw a form.

    Parameters
    ----------
    rng : numpy.random.Generator
    signatures : sequence of ndarray of uint8, shape (h, w)
        Ink, bright on 0, at `DPI` times `scale`, one per place to sign; may be empty.
    scale : float
        Size of the page beside A4 at `DPI`.
    """
    tall, wide = (round(side * scale) for side in SHAPE)
    page = np.zeros((tall, wide, 3), np.float32)  # what is taken from white paper
    unit = scale * DPI / 25.4  # pixels of a millimetre
    black = np.float32([1, 1, 1]) * rng.uniform(0.65, 0.95)
    body = round(tall * rng.uniform(0.5, 0.62))
    _letterhead(page, rng, unit, black)
    row = _paragraphs(page, rng, unit, black, round(38 * unit), body)
    if rng.random() < 0.7:
        _table(page, rng, unit, black, row, min(row + round(70 * unit), body + round(20 * unit)))
    places = _sign(page, rng, unit, black, signatures, body + round(rng.uniform(22, 40) * unit))
    if rng.random() < 0.4:
        _prose(page, rng, unit, black, tall - round(22 * unit), 2, 0.75)
    return Form(_as_scanned(page, rng, scale), tuple(places))


def _text(page, words: str, left: float, foot: float, height: float, font: int, colour) -> int:
    """Print words, capitals `height` pixels tall; returns the right end."""
    size = height / 22
    thick = max(1, round(height / 11))
    mark = np.zeros(page.shape[:2], np.uint8)
    cv2.putText(mark, words, (round(left), round(foot)), font, size, 255, thick, cv2.LINE_AA)
    _lay(page, mark, colour)
    return round(left) + cv2.getTextSize(words, font, size, thick)[0][0]


def _lay(page: np.ndarray, mark: np.ndarray, colour) -> None:
    rows, columns = np.flatnonzero(mark.any(axis=1)), np.flatnonzero(mark.any(axis=0))
    if not len(rows):
        return
    cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    np.maximum(page[cut], mark[cut][..., None] / np.float32(255) * colour, out=page[cut])


def _line(page, start, stop, thick: int, colour, dotted: bool = False) -> None:
    mark = np.zeros(page.shape[:2], np.uint8)
    cv2.line(mark, start, stop, 255, thick)
    if dotted:
        mark[:, (np.arange(page.shape[1]) // max(2 * thick, 3)) % 2 == 0] = 0
    _lay(page, mark, colour)


def _letterhead(page, rng, unit, black) -> None:
    wide, font = page.shape[1], int(rng.choice(_FONTS))
    for foot, height in ((14, 4.2), (20, 3.2), (26, 2.2)):
        words = " ".join(rng.choice(_WORDS, 4)).upper()
        left = wide * rng.uniform(0.16, 0.24)
        _text(page, words, left, foot * unit, height * unit, font, black)
    _line(page, (round(15 * unit), round(30 * unit)), (wide - round(15 * unit), round(30 * unit)), 2, black)
    if rng.random() < 0.6:
        mark = np.zeros(page.shape[:2], np.uint8)
        middle = round(24 * unit), round(18 * unit)
        cv2.circle(mark, middle, round(8 * unit), 255, max(1, round(unit / 2)), cv2.LINE_AA)
        cv2.drawMarker(mark, middle, 255, int(rng.integers(0, 7)), round(9 * unit), max(1, round(unit / 2)))
        _lay(page, mark, black if rng.random() < 0.5 else np.float32([0.9, 0.6, 0.1]))


def _prose(page, rng, unit, black, foot: float, lines: int, size: float = 1.0) -> float:
    font, height = int(rng.choice(_FONTS[:3])), rng.uniform(1.9, 2.7) * unit * size
    edge = page.shape[1] - 20 * unit
    for _ in range(lines):
        left, stop = 20 * unit, edge if rng.random() < 0.8 else edge * rng.uniform(0.4, 0.9)
        while left < stop - 25 * unit:
            left = _text(page, str(rng.choice(_WORDS)), left, foot, height, font, black) + height * 0.6
        foot += 2.1 * height
    return foot


def _paragraphs(page, rng, unit, black, top: int, bottom: int) -> int:
    foot = float(top)
    while foot < bottom - 25 * unit and rng.random() < 0.85:
        if rng.random() < 0.4:  # a field: its name, a colon, what was filled in by hand or machine
            height = rng.uniform(1.9, 2.5) * unit
            right = _text(page, f"{rng.choice(_WORDS)} :", 20 * unit, foot, height, _FONTS[0], black)
            filled = " ".join(rng.choice(_WORDS, int(rng.integers(1, 4))))
            script = rng.random() < 0.5
            font = int(rng.choice([cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX]))
            ink = np.float32([0.9, 0.75, 0.3]) if rng.random() < 0.5 else black
            grown = rng.uniform(1.1, 1.7) if script else 1.0
            _text(
                page,
                filled,
                max(right + 3 * unit, 60 * unit),
                foot,
                height * grown,
                font if script else 0,
                ink,
            )
            if rng.random() < 0.5:
                stop = page.shape[1] - round(20 * unit)
                _line(
                    page, (round(60 * unit), round(foot + unit)), (stop, round(foot + unit)), 1, black, True
                )
            foot += 3 * height
        else:
            foot = _prose(page, rng, unit, black, foot, int(rng.integers(1, 5))) + 3 * unit
    return round(foot)


def _table(page, rng, unit, black, top: int, bottom: int) -> None:
    left, right = round(18 * unit), page.shape[1] - round(18 * unit)
    step = round(rng.uniform(6, 9) * unit)
    rows = list(range(top, max(bottom, top + 2 * step), step))
    edges = [left, *sorted(int(one) for one in rng.uniform(left + 10, right - 10, 3)), right]
    for row in rows:
        _line(page, (left, row), (right, row), 1, black)
    for edge in edges:
        _line(page, (edge, rows[0]), (edge, rows[-1]), 1, black)
    for row in rows[1:]:
        for edge, after in zip(edges, edges[1:], strict=False):
            words = str(rng.choice(_WORDS)) if rng.random() < 0.6 else str(int(rng.integers(1, 9999)))
            if after - edge > 16 * unit:
                _text(page, words, edge + unit, row - 2 * unit, 2 * unit, _FONTS[0], black)


def _sign(page, rng, unit, black, signatures, top: int) -> list[tuple[int, int, int, int]]:
    """Places to sign: a label, a name in brackets or on a line below, perhaps a box and a stamp across."""
    tall, wide = page.shape[:2]
    count = max(1, len(signatures))
    starts = [rng.uniform(0.52, 0.6) * wide] if count == 1 else [0.12 * wide, 0.56 * wide]
    if count == 1 and rng.random() < 0.3:
        starts = [rng.uniform(0.08, 0.3) * wide]
    found = []
    for number, left in enumerate(starts[:count]):
        room = round(rng.uniform(20, 28) * unit)
        _text(page, str(rng.choice(_WORDS)).title() + ",", left, top, 2.3 * unit, _FONTS[0], black)
        foot = top + room + round(4 * unit)
        kind = rng.choice(["brackets", "line", "box", "bare"])
        name = str(rng.choice(_NAMES))
        if kind == "brackets":
            _text(page, f"( {name} )", left, foot, 2.4 * unit, int(rng.choice(_FONTS[:3])), black)
        elif kind != "bare":
            _line(page, (round(left), foot), (round(left + 62 * unit), foot), max(1, round(unit / 4)), black)
            _text(page, name, left + 2 * unit, foot + 4 * unit, 2.3 * unit, _FONTS[0], black)
        if kind == "box":
            for start, stop in (
                ((left, top + unit), (left + 62 * unit, top + unit)),
                ((left, top + unit), (left, foot)),
                ((left + 62 * unit, top + unit), (left + 62 * unit, foot)),
            ):
                _line(page, tuple(map(round, start)), tuple(map(round, stop)), max(1, round(unit / 4)), black)
        _text(
            page,
            f"NIM {int(rng.integers(10**7, 10**8))}",
            left,
            foot + 8 * unit,
            2.2 * unit,
            _FONTS[0],
            black,
        )
        if number < len(signatures):
            found.append(_laid(page, rng, unit, signatures[number], left, (top, foot)))
            if rng.random() < 0.3:
                _stamp(page, rng, unit, left, (top + foot) / 2)
    return found


def _laid(page, rng, unit, ink, left: float, rows: tuple[float, float]) -> tuple[int, int, int, int]:
    """Lay a signature's ink into the room above the name, now and then down into it."""
    tall, wide = ink.shape
    middle = (rows[0] + rows[1]) / 2 + rng.uniform(-2, 4) * unit
    top = int(np.clip(middle - tall / 2, 0, page.shape[0] - tall))
    start = int(np.clip(left + rng.uniform(-4, 10) * unit, 0, page.shape[1] - wide))
    colour = np.float32([[0.85, 0.85, 0.85], [0.88, 0.72, 0.3]][int(rng.random() < 0.5)])
    cut = np.s_[top : top + tall, start : start + wide]
    np.maximum(page[cut], ink[..., None] / np.float32(255) * colour * rng.uniform(0.75, 1.0), out=page[cut])
    return start, top, wide, tall


def _stamp(page, rng, unit, left: float, middle: float) -> None:
    mark = np.zeros(page.shape[:2], np.uint8)
    centre = round(left + rng.uniform(-8, 8) * unit), round(middle + rng.uniform(-4, 4) * unit)
    radius = round(rng.uniform(11, 16) * unit)
    for share in (1.0, 0.72):
        cv2.circle(mark, centre, round(radius * share), 255, max(1, round(unit / 2)), cv2.LINE_AA)
    word = str(rng.choice(_WORDS)).upper()
    thick = max(1, round(unit / 4))
    cv2.putText(mark, word, (centre[0] - radius // 2, centre[1]), 0, radius / 110, 255, thick, cv2.LINE_AA)
    _lay(page, mark, np.float32([[0.75, 0.7, 0.25], [0.2, 0.75, 0.7]][int(rng.integers(2))]) * 0.8)


def _as_scanned(page: np.ndarray, rng, scale: float) -> np.ndarray:
    """Paper tone, a slight turn, softness, noise, light from one side, colour or gray."""
    tall, wide = page.shape[:2]
    paper = np.float32([rng.uniform(232, 255)] * 3) * (1, 1, rng.uniform(0.9, 1.0))
    seen = paper * (1 - page)
    turn = cv2.getRotationMatrix2D((wide / 2, tall / 2), float(rng.normal(0, 0.4)), 1.0)
    seen = cv2.warpAffine(seen.astype(np.float32), turn, (wide, tall), borderValue=tuple(map(float, paper)))
    if rng.random() < 0.3:
        seen *= np.linspace(1, rng.uniform(0.7, 1), wide, dtype=np.float32)[None, :, None]
    seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.3, 0.8) * scale)
    seen = np.clip(seen + rng.normal(0, rng.uniform(0.5, 3), seen.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        return cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
    return seen
