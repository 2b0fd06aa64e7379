"""Notes of a camera do not reach the store, and the picture stays the picture."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin

from data.signatures.bare import bare
from data.signatures.chunks import MOST_SCANS, too_many_notes
from data.signatures.specimens import RefusedFile, read_image

PLACE, OWNER = b"Jalan Rahasia 7", b"Kamera Budi"


def picture(mode: str = "L", side: int = 64) -> Image.Image:
    ink = np.full((side, side + 20), 250, np.uint8)
    ink[10:14, 5:60], ink[20:50, 30:33] = 20, 60
    return Image.fromarray(ink).convert(mode)


def notes(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Artist] = OWNER.decode()
    exif[ExifTags.Base.Make] = "Phone of somebody"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "S", 2: (6.0, 12.0, 30.5), 3: "E", 4: (106.0, 49.0, 1.25)})
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base.DateTimeOriginal: "2026:03:04 05:06:07", ExifTags.Base.UserComment: PLACE}
    )
    return exif


def saved(image: Image.Image, kind: str, **how) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def noted(kind: str, orientation: int = 1, mode: str = "L") -> bytes:
    exif = notes(orientation)
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Author", OWNER.decode())
        texts.add_itxt("Place", PLACE.decode(), zip=True)
        return saved(picture(mode), kind, pnginfo=texts, exif=exif, dpi=(300, 300))
    how = {"comment": PLACE} if kind == "JPEG" else {"description": PLACE.decode()} if kind == "TIFF" else {}
    if kind != "WEBP":
        how["dpi"] = (300, 300)
    xmp = {"xmp": b"<x:xmpmeta>" + PLACE + b"</x:xmpmeta>"} if kind in ("JPEG", "WEBP") else {}
    return saved(picture(mode), kind, exif=exif, **how, **xmp)


def tells(data: bytes) -> dict[int, object]:
    """Every note that Pillow finds in a file, less those that say how it is to be read."""
    with Image.open(io.BytesIO(data)) as image:
        exif = image.getexif()
        left = {tag: exif[tag] for tag in exif}
        for directory in (ExifTags.IFD.GPSInfo, ExifTags.IFD.Exif):
            left |= exif.get_ifd(directory)
        left |= {name: value for name, value in image.info.items() if name in ("comment", "xmp", "Author")}
    structure = {254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 338, 339, 529, 530, 531, 532}
    return {tag: value for tag, value in left.items() if tag not in {274, 282, 283, 296} | structure}


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_place_owner_device_and_day_are_cut_out_and_the_picture_is_the_same(kind, orientation, mode):
    data = noted(kind, orientation, mode)
    assert tells(data)
    made = bare(data)
    assert tells(made) == {}
    assert not any(secret in made for secret in (PLACE, OWNER, b"somebody", b"2026:03:04"))
    (before, pixels), (after, same) = read_image(data), read_image(made)
    assert np.array_equal(pixels, same)
    assert (before.dpi, before.width, before.height) == (after.dpi, after.width, after.height)
    assert after.file_format == (kind.lower() if kind in ("PNG", "JPEG") else "png")
    assert bare(made) == made


@pytest.mark.parametrize(
    ("kind", "how"),
    [("PNG", {}), ("PNG", {"dpi": (200, 200)}), ("JPEG", {}), ("JPEG", {"progressive": True})],
)
def test_a_file_that_is_nothing_but_a_picture_stays_as_it_is(kind, how):
    for mode in ("L", "RGB", "P") if kind == "PNG" else ("L", "RGB"):
        data = saved(picture(mode), kind, **how)
        assert bare(data) is data


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "WEBP"])
def test_formats_with_places_for_anything_are_kept_as_png_of_the_same_pixels(kind):
    how = {"lossless": True} if kind == "WEBP" else {}
    for mode in ("1", "L", "RGB") if kind != "WEBP" else ("L", "RGB"):
        data = saved(picture(mode), kind, **how, **({"dpi": (300, 300)} if kind != "WEBP" else {})) + OWNER
        made = bare(data)
        assert made.startswith(b"\x89PNG") and OWNER not in made and bare(made) == made
        assert np.array_equal(read_image(made)[1], read_image(data)[1])
        assert read_image(made)[0].dpi == read_image(data)[0].dpi
    with Image.open(io.BytesIO(bare(saved(picture("1"), "TIFF", compression="group4")))) as image:
        assert image.mode == "1"  # black and white costs a bit a pixel


def test_places_of_a_png_and_a_jpeg_that_have_room_for_more_are_emptied():
    """A thumbnail or text behind JFIF, Adobe and ICC; chunks longer than what they are for."""
    plain = saved(picture("RGB"), "JPEG", dpi=(300, 300))
    assert plain[2:4] == b"\xff\xe0"
    jfif = plain[4 + 2 : 4 + 2 + 14]
    long = b"\xff\xe0" + struct.pack(">H", 16 + len(PLACE)) + jfif + PLACE
    adobe = b"\xff\xee" + struct.pack(">H", 14 + len(OWNER)) + b"Adobe\x00\x64\x00\x00\x00\x00\x01" + OWNER
    profile = b"\xff\xe2" + struct.pack(">H", 16 + len(OWNER)) + b"ICC_PROFILE\x00\x01\x01" + OWNER
    for more in (adobe, profile, long):
        data = plain[:2] + long + more + plain[20:]
        made = bare(data)
        assert not any(secret in made for secret in (PLACE, OWNER))
        assert np.array_equal(read_image(made)[1], read_image(data)[1])
        assert read_image(made)[0].dpi == 300
    png = saved(picture(), "PNG", dpi=(300, 300))
    longer = {b"pHYs": bytes(9) + PLACE, b"gAMA": bytes(4) + PLACE, b"sBIT": PLACE, b"PLTE": PLACE}
    for kind, body in longer.items():
        chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        assert PLACE not in bare(png[:33] + chunk + png[33:])
    body = struct.pack(">I", len(PLACE)) + b"IEND" + PLACE + struct.pack(">I", zlib.crc32(b"IEND" + PLACE))
    assert PLACE not in bare(png[:-12] + body)


def test_a_second_picture_behind_the_first_goes_too():
    thumb = noted("JPEG")
    data = saved(picture(side=80), "JPEG", restart_marker_blocks=4) + thumb
    made = bare(data)
    assert made.count(b"\xff\xd8\xff") == 1 and OWNER not in made
    assert np.array_equal(read_image(made)[1], read_image(data)[1])


def test_bytes_behind_the_end_of_a_png_and_chunks_of_nobodys_go():
    data = saved(picture(), "PNG")
    private = b"prVt" + PLACE
    chunk = struct.pack(">I", len(PLACE)) + private + struct.pack(">I", zlib.crc32(private))
    end = data.rindex(b"IEND") - 4
    assert bare(data[:end] + chunk + data[end:] + OWNER) == data


def test_an_orientation_that_only_xmp_tells_is_kept():
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", '<x:xmpmeta tiff:Orientation="6"><a>Jalan Rahasia 7</a></x:xmpmeta>')
    data = saved(picture(), "PNG", pnginfo=texts)
    made = bare(data)
    assert PLACE not in made
    assert read_image(made)[0].orientation == read_image(data)[0].orientation
    assert np.array_equal(read_image(made)[1], read_image(data)[1])


def test_transparency_stays_as_it_is_read():
    clear = picture("RGBA")
    clear.putalpha(128)
    data = saved(clear, "PNG", exif=notes())
    assert np.array_equal(read_image(bare(data))[1], read_image(data)[1])


def test_a_jpeg_of_hundreds_of_passes_is_refused_before_one_is_read():
    whole = saved(picture(side=200), "JPEG", progressive=True)
    ends = [place for place in range(len(whole)) if whole.startswith(b"\xff\xda", place)]
    last = whole[ends[-1] : whole.rindex(b"\xff\xd9")]
    assert 1 < len(ends) < 20 and not too_many_notes(whole)
    for passes, refused in ((MOST_SCANS - len(ends), False), (MOST_SCANS - len(ends) + 1, True)):
        data = whole[: whole.rindex(b"\xff\xd9")] + last * passes + b"\xff\xd9"
        assert too_many_notes(data) is refused
    with pytest.raises(RefusedFile, match="100 passes"):
        read_image(data)
    assert not too_many_notes(whole + last * MOST_SCANS)  # behind the end nothing is read


def test_what_is_no_picture_is_refused():
    for data in (b"", b"GIF89a", b"%PDF-1.7"):
        with pytest.raises(RefusedFile):
            bare(data)


@settings(max_examples=150)
@given(st.sampled_from(["PNG", "JPEG", "TIFF", "WEBP"]), st.data())
def test_a_damaged_file_is_refused_or_read_as_the_same_pixels(kind, data):
    whole = bytearray(noted(kind, 6))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(1, len(whole)))]
    try:
        before = read_image(bytes(whole))[1]
    except RefusedFile:
        return
    assert np.array_equal(read_image(bare(bytes(whole)))[1], before)
