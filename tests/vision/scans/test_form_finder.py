"""A form as it comes in: its signature is found, and only that piece is looked at."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from data.signatures.specimens import read_pixels
from tests.vision.scans.test_quality import line_of_writing
from vision.recipes.form_detector import Settings, overlap, synthetic_inks, train
from vision.recipes.synthetic_forms import make_form
from vision.scans.form_finder import SHIPPED, Place, find_signatures, read_weights, signature_on, turned
from vision.scans.form_regions import MEASURES
from vision.scans.images import as_crop, decode_image

FORMS = 12


def filled_in(number: int, signatures: int = 1):
    rng = np.random.default_rng((991, number))  # not of those that were learned from
    return make_form(rng, synthetic_inks(rng, signatures))


def file_of(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def forms():
    return [filled_in(number) for number in range(FORMS)]


def test_the_signature_of_most_forms_is_found_first(forms):
    right = 0
    for form in forms:
        found = find_signatures(form.pixels)
        box = (found[0].left, found[0].top, found[0].width, found[0].height) if found else (0, 0, 1, 1)
        right += overlap(box, form.places[0]) > 0.25
    assert right >= 0.8 * FORMS


def test_of_a_page_the_piece_with_the_signature_is_decoded_and_a_crop_stays_whole(forms):
    page = next(one for one in forms if signature_on(one.pixels) is not None)
    place = signature_on(page.pixels)
    piece = decode_image(file_of(page.pixels))
    assert piece.shape[:2] == (place.height, place.width)
    assert piece.size < 0.2 * page.pixels.size
    crop = line_of_writing()
    assert np.array_equal(decode_image(file_of(crop)), crop)
    data = file_of(crop)
    piece = as_crop(data)
    assert piece.data is data and piece.place is None and (piece.pixels == decode_image(data)).all()


def test_a_person_says_where_the_signature_stands_and_which_way_is_up(forms):
    page = forms[0].pixels
    piece = as_crop(file_of(page), Place(100, 200, 300, 120), turn=90)
    data, place = piece.data, piece.place
    assert (decode_image(data) == piece.pixels).all()
    assert (place.left, place.top, place.chance) == (100, 200, 1.0)
    assert read_pixels(data).shape[:2] == (300, 120)
    again = as_crop(file_of(page), Place(100, 200, 300, 120), turn=90).data
    assert data == again  # a folder that was broken off knows what it has compared by its bytes


def test_print_below_the_signature_is_taken_away():
    sheet = np.full((1400, 990), 240, np.uint8)
    for row in range(100, 600, 40):
        cv2.putText(sheet, "nomor induk mahasiswa program studi", (80, row), 0, 0.9, 40, 2, cv2.LINE_AA)
    sheet[700:940, 200:800] = line_of_writing()
    cv2.putText(sheet, "( Siti Rahmawati )", (380, 880), 0, 0.7, 40, 2, cv2.LINE_AA)
    data = as_crop(file_of(sheet), Place(320, 740, 360, 160)).data
    piece = read_pixels(data)
    assert (piece[:100] < 150).any()
    assert not (piece[118:] < 150).any()


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "1,2,3,4,5"])
def test_a_crop_that_is_none_says_what_was_given(text):
    with pytest.raises(ValueError, match="x,y,w,h"):
        Place.read(text)


@pytest.mark.parametrize("place", [Place(900, 0, 300, 300), Place(0, 0, 10, 300), Place(-400, 0, 410, 300)])
def test_a_crop_beside_the_page_is_refused_with_the_pages_size(place):
    with pytest.raises(ValueError, match="900 x 400"):
        place.inside((400, 900))


def test_turning_keeps_all_of_the_picture_on_paper_of_its_tone():
    image = line_of_writing(paper=230)
    assert np.array_equal(turned(turned(image, 90), 270), image)
    slight = turned(image, 7.0)
    assert slight.shape[0] > image.shape[0]
    assert slight[0, 0] == 230
    ink = [np.count_nonzero(one < 140) for one in (image, slight)]
    assert ink[1] == pytest.approx(ink[0], rel=0.1)


def test_the_shipped_weights_are_plain_numbers_for_these_measures():
    held = json.loads(SHIPPED.read_text(encoding="utf-8"))
    assert tuple(held["measures"]) == MEASURES
    weights = read_weights()
    assert weights.line.shape == (2 * len(MEASURES),)
    assert held["held_out_found"] > 0.8
    assert held["held_out_mistaken"] < 0.1


def test_the_recipe_gives_the_same_numbers_twice(tmp_path):
    said = []
    settings = Settings(forms=6, seed=3)
    first = train(settings, tmp_path / "a.json", said.append)
    second = train(settings, tmp_path / "b.json", said.append)
    assert first["sha256"] == second["sha256"]
    assert first["signatures"] > 0
