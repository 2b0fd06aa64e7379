"""Small files that would cost much: their work is bounded by pixels, bytes and notes."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from data.signatures import gray_levels
from data.signatures.chunks import MOST_NOTES, too_many_notes
from data.signatures.specimens import RefusedFile, inspect_image, read_image, read_pixels

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def deep_png(width: int, height: int, kind: int, channels: int, rows: int | None = None) -> bytes:
    """A PNG of 16 bits a channel, all zero but a stroke in its first row; cut off after some rows if said."""
    row = bytes(1 + 2 * channels * width)
    packed = zlib.compressobj(1)
    pixels = packed.compress(b"\0" + b"\xff" * (2 * channels * 20) + row[1 + 40 * channels :])
    pixels += b"".join(packed.compress(row) for _ in range(rows or height - 1)) + packed.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    return PNG + header + chunk(b"IDAT", pixels) + chunk(b"IEND")


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def with_chunks(count: int, kind: bytes = b"tEXt", body: bytes = b"a\0b") -> bytes:
    data = png(np.full((60, 100), 255, np.uint8))
    end = data.rindex(b"IEND") - 4
    return data[:end] + chunk(kind, body) * count + data[end:]


def with_comments(count: int, between: bytes = b"") -> bytes:
    file = io.BytesIO()
    Image.new("L", (100, 60), 255).save(file, "JPEG")
    data = file.getvalue()
    return data[:2] + (between + b"\xff\xfe\0\3a") * count + data[2:]


def test_sixteen_bits_of_four_channels_at_the_limit_of_pixels_are_refused_before_they_are_decoded():
    data = deep_png(6300, 6300, 6, 4, rows=3)
    tracemalloc.start()
    try:
        with pytest.raises(
            RefusedFile, match=r"6300 x 6300 pixels of 8 bytes.*at most 240,000,000"
        ) as refusal:
            inspect_image(data)
        assert refusal.value.code == "SPC004"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_three_channels_of_sixteen_bits_are_taken():
    assert read_pixels(deep_png(400, 300, 2, 3)).shape == (300, 400, 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: deep_png(3000, 2000, 6, 4),
        lambda: deep_png(3000, 2000, 0, 1),
        lambda: png(np.full((2000, 3000, 4), 200, np.uint8)),
        lambda: png(np.full((2000, 3000, 3), 200, np.uint8)),
    ],
)
def test_beside_the_pixels_of_a_large_picture_little_is_held(make):
    """Arrays of floats of the whole would take up to 16 bytes a value."""
    data = make()
    read_image(data)  # what is loaded at the first time is not counted
    tracemalloc.start()
    try:
        _, pixels = read_image(data)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < pixels.nbytes + 45 * gray_levels._STRIP


@pytest.mark.parametrize("mode", ["L", "1", "LA", "RGB", "RGBA", "P", "CMYK", "YCbCr"])
@pytest.mark.parametrize("ink", [20, 230])
def test_pixels_are_the_same_however_many_rows_are_worked_on_at_once(monkeypatch, mode, ink):
    rng = np.random.default_rng(3)
    values = rng.integers(0, 256, (90, 70, 4), dtype=np.uint8)
    values[..., 3] = np.where(rng.random((90, 70)) < 0.2, values[..., 3], 0)
    values[values[..., 3] > 0, :3] = ink
    picture = Image.fromarray(values)
    picture = picture if mode in ("LA", "RGBA") else picture.convert("RGB")
    picture = picture.convert(mode)
    whole = gray_levels.to_paper(picture)
    monkeypatch.setattr(gray_levels, "_STRIP", 150)
    np.testing.assert_array_equal(gray_levels.to_paper(picture), whole)


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_deep_grays_are_the_same_however_many_rows_are_worked_on_at_once(monkeypatch, kind):
    values = np.random.default_rng(3).integers(0, 60_000, (90, 70)).astype(kind)
    whole = gray_levels._deep_gray(values, {})
    monkeypatch.setattr(gray_levels, "_STRIP", 150)
    np.testing.assert_array_equal(gray_levels._deep_gray(values, {}), whole)


@pytest.mark.parametrize(
    "data",
    [
        with_chunks(3 * MOST_NOTES),
        with_chunks(3 * MOST_NOTES, b"IDAT", b""),
        with_comments(3 * MOST_NOTES),
        with_comments(MOST_NOTES // 2, between=b"\0" * 100),
        with_comments(20, between=b"\xff" * 100),
        b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 300_000) + bytes(100),
    ],
    ids=["texts", "empty pieces", "comments", "stray bytes", "filling", "tags"],
)
def test_too_many_notes_beside_the_pixels_are_refused_before_they_are_read(monkeypatch, data):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(RefusedFile, match="more than 1,000 chunks beside the pixels") as refusal:
        inspect_image(data)
    assert refusal.value.code == "SPC015"


@pytest.mark.parametrize("data", [with_chunks(900), with_comments(900)])
def test_as_many_notes_as_are_allowed_are_taken(data):
    assert inspect_image(data).width == 100


@pytest.mark.parametrize(
    "data",
    [b"", PNG, PNG + b"\0\0", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0", b"II", b"II*\0\xff\xff"],
)
def test_what_is_cut_off_holds_no_notes(data):
    assert not too_many_notes(data)
