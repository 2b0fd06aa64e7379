"""Strokes become ink where they were drawn, as wide as the pen was pressed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from data.signatures.specimens import inspect_image
from data.signatures.strokes import Point, Stroke, Strokes
from vision.scans import drawn as module
from vision.scans.drawn import DPI, as_scan, drawn_picture
from vision.scans.images import decode_image
from vision.scans.pen import pen_trace
from vision.scans.preprocess import to_ink


def line(*points, pointer: str = "pen", pressure: float = 0.5) -> Stroke:
    return Stroke(pointer, tuple(Point(x, y, 10.0 * k, pressure) for k, (x, y) in enumerate(points)))


def picture(*strokes, width: float = 320.0, height: float = 128.0) -> np.ndarray:
    return drawn_picture(Strokes(width, height, strokes))


def test_the_pad_becomes_a_sheet_of_300_dpi():
    assert DPI == 300
    blank = picture()
    assert blank.shape == (400, 1000) and blank.dtype == np.uint8 and (blank == 255).all()
    facts = inspect_image(as_scan(Strokes(320.0, 128.0, (line((10, 10), (90, 90)),))))
    assert (facts.file_format, facts.width, facts.height, facts.dpi) == ("png", 1000, 400, 300)


@pytest.mark.parametrize(
    ("pressure", "gray_above"),
    [  # half a millimetre at 300 dpi is 5.906 pixels, times ½, 1 and 1½; a row's middle lies half a row away
        (0.0, {1: 0, 2: 134, 3: 255}),  # radius 1.476: of the second row 1.476 − 1.5 + 0.5 = 0.476 is covered
        (0.5, {2: 0, 3: 12, 4: 255}),  # radius 2.953: of the third 2.953 − 2.5 + 0.5 = 0.953
        (1.0, {4: 0, 5: 146, 6: 255}),  # radius 4.429: of the fifth 4.429 − 4.5 + 0.5 = 0.429
    ],
)
def test_a_level_line_is_as_wide_as_the_pressure_says(pressure, gray_above):
    sheet = picture(line((32, 64), (288, 64), pressure=pressure))  # from (100, 200) to (900, 200)
    assert {row: int(sheet[200 - row, 500]) for row in gray_above} == gray_above
    assert np.array_equal(sheet[:200], sheet[399:199:-1])  # the line lies between two rows
    assert (sheet[:, :90] == 255).all() and (sheet[:, 910:] == 255).all()
    assert (sheet[200, 105:895] == 0).all()


def test_only_a_pens_pressure_is_followed():
    plain = picture(line((32, 64), (288, 64), pressure=0.5))
    for pointer in ("mouse", "touch", "other"):
        for pressure in (0.0, 1.0):
            same = picture(line((32, 64), (288, 64), pointer=pointer, pressure=pressure))
            assert np.array_equal(same, plain)


def test_the_width_changes_along_a_line_with_the_pressure():
    rising = Stroke("pen", (Point(32, 64, 0, 0.0), Point(288, 64, 9, 1.0)))
    inked = (picture(rising) < 128).sum(axis=0)
    assert 2 <= inked[110] <= 4 and 8 <= inked[890] <= 10 and inked[110] < inked[500] < inked[890]


def test_a_point_alone_is_a_dot_and_strokes_are_not_joined():
    dot = picture(line((160, 64)))
    ys, xs = np.nonzero(dot < 128)
    assert (ys.min(), ys.max(), xs.min(), xs.max()) == (197, 202, 497, 502)
    two = picture(line((32, 64), (96, 64)), line((224, 64), (288, 64)))
    assert (two[:, 400:600] == 255).all() and (two[200, [200, 800]] == 0).all()


def test_a_long_line_drawn_in_pieces_is_the_same_as_in_one(monkeypatch):
    stroke = Stroke("pen", (Point(10, 10, 0, 0.2), Point(300, 120, 9, 0.9)))
    pieces = picture(stroke).astype(int)
    monkeypatch.setattr(module, "_PIECE", 1e9)
    assert np.abs(pieces - picture(stroke).astype(int)).max() <= 1


def test_ink_beyond_the_pads_edge_is_cut_and_nothing_breaks():
    sheet = picture(line((0, 0), (320, 0)), line((320, 128), (320, 128)))
    assert sheet[0, 500] == 0 and (sheet[10:390, 500] == 255).all()


def test_what_was_drawn_goes_through_the_cleaning_of_scans():
    loops = [(60 + 2 * k + 20 * np.sin(k / 4), 64 + 40 * np.cos(k / 4)) for k in range(100)]
    data = as_scan(Strokes(320.0, 128.0, (line(*loops),)))
    ink = to_ink(decode_image(data))
    assert ink.any() and pen_trace(ink).width == pytest.approx(0.5 / 25.4 * 300, rel=0.25)
    assert Image.open(io.BytesIO(data)).mode == "L"
