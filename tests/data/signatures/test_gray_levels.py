"""Every picture mode comes out as the same dark ink on white paper, on the pages and in comparisons."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from data.signatures import gray_levels
from data.signatures.gray_levels import light_on_dark
from data.signatures.specimens import RefusedFile, inspect_image, read_pixels
from vision.scans.images import decode_image
from vision.scans.preprocess import to_gray

PICTURES = Path(__file__).parent / "pictures"


def sheet() -> np.ndarray:
    """A loop of dark ink (40) on light paper (240)."""
    import cv2

    gray = np.full((120, 300), 240, np.uint8)
    t = np.linspace(0, 1, 300)
    points = np.stack([40 + 220 * t + 15 * np.sin(30 * t), 60 + 30 * np.cos(30 * t)], axis=1)
    cv2.polylines(gray, [np.rint(points).astype(np.int32)], False, 40, 3)
    return gray


def tiff(values: np.ndarray, white_is_zero: bool = False) -> bytes:
    """A gray TIFF of any sample type, by the standard alone."""
    from struct import pack

    data = np.ascontiguousarray(values).tobytes()
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    entries = [
        (256, values.shape[1]), (257, values.shape[0]), (258, values.dtype.itemsize * 8), (259, 1),
        (262, 0 if white_is_zero else 1), (273, 8), (277, 1), (278, values.shape[0]), (279, len(data)),
        (339, kind),
    ]  # fmt: skip
    folder = pack("<H", len(entries)) + b"".join(pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + pack("<I", 8 + len(data)) + data + folder + pack("<I", 0)


def png(array: np.ndarray, mode: str | None = None) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(buffer, "PNG")
    return buffer.getvalue()


def rgba(colour: int) -> bytes:
    cover = np.where(sheet() < 140, 255, 0).astype(np.uint8)
    return png(np.dstack([np.full_like(cover, colour)] * 3 + [cover]))


DEEP = {
    "16 bit": lambda: tiff(sheet().astype(np.uint16) * 257),
    "16 bit, white is zero": lambda: tiff((255 - sheet()).astype(np.uint16) * 257, white_is_zero=True),
    "8 bit, white is zero": lambda: tiff(255 - sheet(), white_is_zero=True),
    "12 bit in 16": lambda: tiff((sheet().astype(np.uint32) * 4095 // 255).astype(np.uint16)),
    "32 bit": lambda: tiff(sheet().astype(np.uint32) * 16843009),
    "32 bit, signed": lambda: tiff(sheet().astype(np.int32)),
    "float to 1": lambda: tiff(sheet().astype(np.float32) / 255),
    "float to 255": lambda: tiff(sheet().astype(np.float32)),
    "float to 65535": lambda: tiff(sheet().astype(np.float32) * 257),
    "float, white is zero": lambda: tiff((255 - sheet()).astype(np.float32) / 255, white_is_zero=True),
    "16 bit PNG": lambda: png(sheet().astype(np.uint16) * 257),
    "palette": lambda: png(sheet(), "P"),
    "RGB": lambda: png(sheet(), "RGB"),
    "gray with full cover": lambda: png(sheet(), "LA"),
}


@pytest.mark.parametrize("name", DEEP)
def test_every_depth_gives_the_same_gray(name):
    data = DEEP[name]()
    inspect_image(data)
    gray = to_gray(read_pixels(data))
    assert np.abs(gray.astype(int) - sheet()).max() <= 1


@pytest.mark.parametrize("name", DEEP)
def test_pages_and_comparisons_read_the_same_pixels(name):
    data = DEEP[name]()
    np.testing.assert_array_equal(read_pixels(data), decode_image(data))


@pytest.mark.parametrize("colour", [0, 60, 200, 255])
def test_ink_on_transparency_is_dark_ink_on_white_whatever_its_colour(colour):
    gray = to_gray(read_pixels(rgba(colour)))
    ink = sheet() < 140
    assert gray[~ink].min() == 255
    assert gray[ink].max() <= max(60, 255 - colour)


def test_a_negative_is_turned_round_and_a_sheet_on_a_dark_table_is_not():
    negative = 255 - sheet()
    np.testing.assert_array_equal(read_pixels(png(negative)), sheet())
    table = np.full((400, 500), 30, np.uint8)
    table[180:240, 100:400] = 240  # a slip of paper
    table[200:206, 150:350] = 20
    for untouched in (sheet(), table, np.zeros((60, 90), np.uint8), np.full((60, 90), 250, np.uint8)):
        assert not light_on_dark(untouched)
        np.testing.assert_array_equal(read_pixels(png(untouched)), untouched)


def test_coloured_chalk_on_a_board_is_turned_round_too():
    board = np.full((120, 300, 3), (20, 40, 30), np.uint8)
    board[sheet() < 140] = (250, 240, 120)
    gray = to_gray(read_pixels(png(board)))
    assert gray[sheet() >= 140].min() > 200 > 100 > gray[sheet() < 140].max()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((40, 60), np.nan, np.float32), "no numbers"),
        (np.linspace(-500, 500, 2400, dtype=np.float32).reshape(40, 60), "no known scale"),
        (np.full((40, 60), 1e9, np.float32), "no known scale"),
        (np.linspace(-500, 500, 2400).astype(np.int32).reshape(40, 60), "go down to -500"),
    ],
)
def test_grays_on_no_known_scale_are_refused_in_words(values, message):
    with pytest.raises(RefusedFile, match=message) as refused:
        inspect_image(tiff(values))
    assert refused.value.code == "SPC006"


@pytest.mark.parametrize(
    "name",
    ["18_white_ink_on_transparent.png", "19_inverted.png", "22_float_0_1.tif", "24_box_55_percent.png"],
)
def test_files_that_came_out_wrong_are_dark_ink_on_white_paper(name):
    data = (PICTURES / name).read_bytes()
    inspect_image(data)
    gray = to_gray(read_pixels(data))
    assert np.median(gray) > 200 > 120 > np.percentile(gray, 0.5)


def test_orientation_holds_for_deep_grays_too():
    values = sheet().astype(np.uint16) * 257
    image = Image.fromarray(values)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = 6
    buffer = io.BytesIO()
    image.save(buffer, "TIFF", tiffinfo=tags)
    np.testing.assert_array_equal(read_pixels(buffer.getvalue()), np.rot90(sheet(), -1))


@given(
    st.lists(st.integers(0, 255), min_size=1, max_size=60),
    st.lists(st.floats(0, 100), min_size=1, max_size=4),
)
def test_percentiles_of_levels_are_those_of_the_pixels_in_order(levels, shares):
    found = gray_levels._percentiles(np.array(levels, np.uint8), shares)
    assert found == pytest.approx(np.percentile(levels, shares))
