"""Large pictures: what is compared of them is bounded, and what stands on no paper is no ink."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from data.signatures import specimens
from vision.scans import images
from vision.scans.form_finder import Place
from vision.scans.form_regions import read_page
from vision.scans.images import MOST_COMPARED, as_crop, decode_image, fitted


def file_of(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def sheet(height: int, width: int) -> np.ndarray:
    pixels = np.full((height, width), 240, np.uint8)
    pixels[height // 2 : height // 2 + 9, width // 3 : width // 2] = 30
    return pixels


def test_a_picture_of_ordinary_size_is_the_same_one():
    pixels = sheet(3508, 2480)
    assert fitted(pixels) is pixels
    np.testing.assert_array_equal(as_crop(file_of(pixels)).pixels, pixels)


@pytest.mark.parametrize("shape", [(4000, 5000), (2500, 8000)])
def test_of_more_pixels_a_smaller_picture_is_compared_and_the_file_kept(shape):
    data = file_of(sheet(*shape))
    piece = as_crop(data)
    assert piece.data == data and (piece.facts.height, piece.facts.width) == shape
    assert 0.98 * MOST_COMPARED < piece.pixels.size <= MOST_COMPARED
    np.testing.assert_array_equal(decode_image(data), piece.pixels)


@pytest.mark.parametrize("turn", [0, 90, 10])
def test_a_large_piece_that_somebody_chose_is_made_smaller_too(turn):
    piece = as_crop(file_of(sheet(5000, 5000)), Place(100, 200, 4800, 4700), turn)
    assert piece.pixels.size <= MOST_COMPARED
    assert piece.place == Place(100, 200, 4800, 4700)
    assert piece.facts == specimens.inspect_image(piece.data)


def test_a_small_piece_of_a_large_page_is_cut_from_the_page_as_it_came():
    pixels = sheet(5000, 5000)
    piece = as_crop(file_of(pixels), Place(1500, 2400, 1200, 300))
    np.testing.assert_array_equal(piece.pixels, pixels[2400:2700, 1500:2700])


def test_a_narrow_strip_stays_as_it_is():
    pixels = sheet(20, 700_000)
    assert fitted(pixels) is pixels


def test_an_uncut_file_is_decoded_once(monkeypatch):
    decoded = []
    to_paper = specimens.to_paper
    monkeypatch.setattr(specimens, "to_paper", lambda image: decoded.append(1) or to_paper(image))
    as_crop(file_of(sheet(900, 800)))
    assert len(decoded) == 1


@pytest.mark.parametrize("tone", [0, 128, 255])
@pytest.mark.parametrize("colours", [(), (3,)])
def test_a_sheet_of_one_tone_has_neither_ink_nor_warnings(tone, colours):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = read_page(np.full((1500, 1100, *colours), tone, np.uint8))
        assert (page.groups, page.strokes, page.letters) == ((), (), 0)
        images.as_crop(file_of(np.full((1500, 1100, *colours), tone, np.uint8)))
