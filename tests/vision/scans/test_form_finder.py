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
from vision.scans.form_finder import (
    SHIPPED,
    Place,
    find_signatures,
    left_out,
    read_weights,
    signature_on,
    turned,
)
from vision.scans.form_regions import MEASURES
from vision.scans.images import as_crop, decode_checked, decode_image

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


INK = 45
WAVES = (
    ((0, 98), (25, 10), (48, 112), (74, 30), (88, 86)),
    ((126, 84), (148, 18), (164, 106), (190, 40)),
    ((230, 30), (250, 104), (272, 44), (284, 82)),
)
"""Three strokes with paper between, as a signature is written in three goes; pixels at 120 dpi."""


def sheet_of_print() -> np.ndarray:
    """A page with lines of print, and below them a box to sign in with the name in brackets under it."""
    page = np.full((1403, 992), 246, np.uint8)
    for row in range(120, 620, 34):
        words = "menyatakan bahwa saya mahasiswa program studi"
        cv2.putText(page, words, (90, row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 40, 2, cv2.LINE_AA)
    cv2.putText(page, "Mahasiswa,", (500, 720), 0, 0.6, 40, 2, cv2.LINE_AA)
    cv2.rectangle(page, (490, 740), (900, 900), 70, 2)
    cv2.putText(page, "( Siti Rahmawati )", (520, 930), 0, 0.7, 40, 2, cv2.LINE_AA)
    return page


def write(page, points, at=(540, 770), width=3, tone=INK) -> None:
    """A stroke of a pen, bent as a hand bends it."""
    along = np.linspace(0, len(points) - 1, 12 * len(points))
    places = np.stack([np.interp(along, range(len(points)), axis) for axis in np.transpose(points)], 1)
    places[:, 0] += 3 * np.sin(places[:, 1] / 9)
    line = np.rint((places + at) * 8).astype(np.int32)
    cv2.polylines(page, [line], False, tone, width, cv2.LINE_AA, 3)


def signed(*strokes, **how) -> np.ndarray:
    page = sheet_of_print()
    for one in strokes:
        write(page, one, **how)
    return page


def shown(page: np.ndarray, blank: np.ndarray | None = None) -> float:
    """Share of the written ink that stands in the found frame."""
    place = signature_on(page)
    ink = (sheet_of_print() if blank is None else blank).astype(int) - page > 60
    cut = ink[place.top : place.top + place.height, place.left : place.left + place.width]
    return np.count_nonzero(cut) / np.count_nonzero(ink)


def stands_in_the_box(place) -> bool:
    return place.top > 705 and place.top + place.height < 925


@pytest.mark.parametrize("scale", [1.0, 2.5], ids=["120 dpi", "300 dpi"])
def test_strokes_that_stand_apart_in_one_box_are_one_signature(scale):
    page, blank = (
        cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        for one in (signed(*WAVES), sheet_of_print())
    )
    assert shown(page, blank) > 0.99
    place = signature_on(page)
    assert place.left_out == 0 and left_out(place)[0].status == "clear"
    assert place.width < 400 * scale and stands_in_the_box(signature_on(signed(*WAVES)))


def test_initials_of_two_letters_apart_are_taken_together():
    assert shown(signed(WAVES[0], WAVES[1])) > 0.99


def test_the_dot_of_an_i_and_a_flourish_below_belong_to_it():
    flourish = ((20, 122), (90, 126), (160, 119), (230, 123))
    page = signed(*WAVES, flourish)
    cv2.circle(page, (540 + 250, 772), 3, INK, -1, cv2.LINE_AA)
    assert shown(page) > 0.99


def test_the_name_in_brackets_and_the_label_above_stay_outside():
    place = signature_on(signed(*WAVES))
    assert stands_in_the_box(place)
    assert place.left_out == 0


def test_writing_in_the_next_box_is_neither_taken_in_nor_told():
    page = sheet_of_print()
    cv2.rectangle(page, (490, 740), (830, 900), 70, 2)
    for one in WAVES:
        write(page, one, at=(525, 770))
    blank = page.copy()
    write(page, ((0, 30), (14, 104), (36, 44)), at=(845, 770))
    place = signature_on(page)
    assert place.left + place.width < 845 and place.left_out == 0
    assert signature_on(blank).width == pytest.approx(place.width, abs=2)


def test_ink_like_the_signatures_just_outside_the_frame_is_told():
    page = np.full((1403, 992), 246, np.uint8)
    page[:650] = sheet_of_print()[:650]
    for one in WAVES:
        write(page, one, at=(300, 950))
    write(page, WAVES[0], at=(300 + 288 + 84, 950))  # too far to be taken in, too near to be somebody else's
    place = signature_on(page)
    assert place.left_out > 0
    finding = left_out(place)[0]
    assert (finding.code, finding.status, finding.value) == ("SIG013", "found", place.left_out)


def test_a_frame_that_a_person_set_is_not_asked_about():
    assert left_out(Place(100, 200, 300, 120)) == () and left_out(None) == ()
    page = file_of(signed(*WAVES))
    assert as_crop(page, Place(540, 760, 100, 100)).place.left_out is None
    assert as_crop(page).place.left_out == 0


def by_hand_only(number: int = 0) -> np.ndarray:
    """A page of print on which nothing is taken for a signature."""
    return filled_in(number, signatures=0).pixels


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_page_of_which_nothing_was_cut_is_called_one_whichever_way_it_lies(turns):
    page = np.ascontiguousarray(np.rot90(by_hand_only(), turns))
    assert signature_on(page) is None
    assert [(one.code, one.status) for one in as_crop(file_of(page)).of_page] == [("SIG014", "found")]
    assert [one.code for one in decode_checked(file_of(page))[1]] == ["SIG014"]
    assert [one.code for one in as_crop(file_of(page), turn=90).of_page] == ["SIG014"]


def test_a_piece_that_was_cut_and_a_signature_alone_are_no_whole_page(forms):
    page = next(one.pixels for one in forms if signature_on(one.pixels) is not None)
    assert "SIG014" not in [one.code for one in as_crop(file_of(page)).of_page]
    assert as_crop(file_of(page), Place(100, 200, 300, 120)).of_page == ()
    alone = cv2.resize(line_of_writing(), (1200, 800))
    assert as_crop(file_of(alone)).of_page == () and decode_checked(file_of(alone))[1] == ()
