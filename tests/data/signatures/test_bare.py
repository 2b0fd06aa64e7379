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
    assert (before.dpi, before.orientation, before.width, before.height, before.file_format) == (
        after.dpi, after.orientation, after.width, after.height, after.file_format
    )  # fmt: skip
    assert bare(made) == made


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("PNG", {}), ("PNG", {"dpi": (200, 200)}), ("BMP", {}), ("JPEG", {}), ("JPEG", {"progressive": True}),
        ("WEBP", {"lossless": True}),
    ],
)  # fmt: skip
def test_a_file_that_is_nothing_but_a_picture_stays_as_it_is(kind, how):
    data = saved(picture("RGB"), kind, **how)
    assert bare(data) is data


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


def test_a_colour_profile_and_transparency_stay():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        made = bare(saved(picture("RGB"), kind, icc_profile=profile, exif=notes()))
        with Image.open(io.BytesIO(made)) as image:
            assert image.info.get("icc_profile") == profile
    clear = picture("RGBA")
    clear.putalpha(128)
    data = saved(clear, "PNG", exif=notes())
    assert np.array_equal(read_image(bare(data))[1], read_image(data)[1])


def test_notes_that_lie_upon_the_pixels_are_cut_by_drawing_the_picture_anew():
    """A tag of a TIFF that points at the pixels: overwriting it would wipe the signature."""
    data = bytearray(saved(picture(), "TIFF", description=PLACE.decode()))
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    fields = [struct.unpack_from("<HHII", data, start + 2 + 12 * place) for place in range(count)]
    strip = next(value for tag, _, _, value in fields if tag == 273)
    place = next(place for place, field in enumerate(fields) if field[0] == 270)
    struct.pack_into("<HHII", data, start + 2 + 12 * place, 270, 2, 400, strip)
    made = bare(bytes(data))
    assert made.startswith(b"\x89PNG") and np.array_equal(read_image(made)[1], read_image(bytes(data))[1])


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
