"""Pictures as text: what browsers draw stays as it came, the rest is drawn anew, and none is too large."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from dashboard.shell.pictures import LARGEST, LONGEST_SIDE, data_uri


def encoded(size, kind, noise=False, **options) -> bytes:
    pixels = np.full((size[1], size[0], 3), 250, np.uint8)
    pixels[: size[1] // 4, :, :] = 10
    if noise:
        pixels = np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind, **options)
    return content.getvalue()


def opened(uri: str) -> tuple[str, Image.Image, bytes]:
    kind, text = uri.removeprefix("data:").split(";base64,")
    content = base64.b64decode(text, validate=True)
    return kind, Image.open(io.BytesIO(content)), content


@pytest.mark.parametrize(("kind", "mime"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_a_small_file_is_sent_as_it_came(kind, mime):
    data = encoded((60, 40), kind)
    assert opened(data_uri(data))[::2] == (mime, data)


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "WEBP"])
def test_what_not_every_browser_draws_becomes_a_png_of_the_same_pixels(kind):
    data = encoded((60, 40), kind, **({"lossless": True} if kind == "WEBP" else {}))
    mime, picture, _ = opened(data_uri(data))
    assert mime == "image/png"
    assert (np.asarray(picture) == np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_phones_photo_is_made_smaller(kind):
    mime, picture, content = opened(data_uri(encoded((3000, 2000), kind, noise=True)))
    assert mime == "image/jpeg" and max(picture.size) <= LONGEST_SIDE
    assert abs(picture.width / picture.height - 1.5) < 0.01
    assert len(content) < 4 * LARGEST


def test_a_photo_that_was_held_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90°
    data = encoded((3000, 2000), "JPEG", noise=True, exif=exif)
    picture = opened(data_uri(data))[1]
    assert picture.height > picture.width and not picture.getexif()


def test_pixels_are_drawn_gray_and_coloured():
    for shape in ((8, 5), (8, 5, 3)):
        pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
        kind, picture, _ = opened(data_uri(pixels))
        assert kind == "image/png" and (np.asarray(picture) == pixels).all()
