"""A page handed in on the verification page: where its signature stands, framed, corrected, cut out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from dashboard.verification.crop import FRAME, framed, piece, read_sheet
from data.signatures.specimens import RefusedFile, read_pixels
from vision.recipes.form_detector import synthetic_inks
from vision.recipes.synthetic_forms import make_form


def file_of(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def form():
    rng = np.random.default_rng((991, 1))
    return make_form(rng, synthetic_inks(rng, 1))


def test_on_a_form_the_signature_is_found_with_its_chance(form):
    sheet = read_sheet(file_of(form.pixels))
    assert sheet.is_page and 0.5 <= sheet.chance <= 1
    left, top, width, height = form.places[0]
    found_left, found_top, found_width, found_height = sheet.found
    assert found_left < left + width / 2 < found_left + found_width
    assert found_top < top + height / 2 < found_top + found_height


def test_a_picture_of_a_signature_alone_is_not_cut():
    sheet = read_sheet(file_of(np.full((240, 600), 240, np.uint8)))
    assert (sheet.width, sheet.height, sheet.found, sheet.is_page) == (600, 240, None, False)
    with pytest.raises(RefusedFile):
        read_sheet(b"no image")


def test_the_frame_is_drawn_where_the_piece_is_cut(form):
    data, box = file_of(form.pixels), (100, 200, 300, 120)
    shown = framed(data, box)
    assert shown.shape[2] == 3 and tuple(shown[200, 250]) == FRAME
    assert tuple(shown[260, 250]) != FRAME
    assert read_pixels(piece(data, box, 0)).shape[:2] == (120, 300)
    assert read_pixels(piece(data, box, 90)).shape[:2] == (300, 120)
