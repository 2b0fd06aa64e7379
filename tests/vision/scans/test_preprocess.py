"""Finding ink: on white, on dim and uneven paper, in colour, with printed lines, or not at all."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.scans.paper_lines import find_printed_lines
from vision.scans.preprocess import VARIANTS, center_on_canvas, clean_ink, fit_ink, to_gray, to_ink


def signature(shape=(160, 400), paper=250, ink=40):
    """A cursive scribble in the middle of a scan."""
    image = np.full(shape, paper, np.uint8)
    t = np.linspace(0, 6 * np.pi, 400)
    x = 120 + 24 * t / np.pi + 18 * np.sin(2 * t)
    y = 80 + 22 * np.cos(2 * t) + 8 * np.sin(t)
    cv2.polylines(image, [np.stack([x, y], 1).astype(np.int32)], False, ink, 3, cv2.LINE_AA)
    return image


def overlap(first, second):
    a, b = (cv2.resize(image, (200, 80)) > 60 for image in (first, second))
    return (a & b).sum() / (a | b).sum()


def test_ink_is_bright_cropped_and_its_place_is_told():
    scan = signature()
    ink, (top, left) = clean_ink(scan)
    rows, columns = np.nonzero(scan < 150)
    assert abs(top - rows.min()) <= 2 and abs(left - columns.min()) <= 2
    assert abs(ink.shape[0] - np.ptp(rows)) <= 5 and abs(ink.shape[1] - np.ptp(columns)) <= 5
    assert ink.max() == 255


@pytest.mark.parametrize("paper,ink", [(250, 40), (200, 110), (255, 0), (235, 150)])
def test_faint_and_dark_pens_on_bright_and_dim_paper_give_the_same_ink(paper, ink):
    assert overlap(to_ink(signature(paper=paper, ink=ink)), to_ink(signature())) > 0.85


def test_uneven_light_is_divided_out():
    scan = signature().astype(float) * np.linspace(1.0, 0.55, 400)[None, :]
    assert overlap(to_ink(scan.astype(np.uint8)), to_ink(signature())) > 0.85


@pytest.mark.parametrize("colour", [(30, 40, 160), (200, 30, 40), (20, 110, 60)])
def test_coloured_ink_is_as_good_as_black(colour):
    share = (250 - signature()[..., None].astype(float)) / 210
    scan = 250 - share * (250 - np.array(colour))
    assert overlap(to_ink(scan.clip(0, 255).astype(np.uint8)), to_ink(signature())) > 0.85


def test_transparency_counts_as_paper():
    gray = signature()
    rgba = np.dstack([np.zeros_like(gray)] * 3 + [255 - gray])
    assert overlap(to_ink(rgba), to_ink(gray)) > 0.85


@pytest.mark.parametrize("row", [60, 130])
def test_a_ruled_line_is_removed_and_the_strokes_across_it_stay(row):
    scan = signature()
    scan[row : row + 2] = np.minimum(scan[row : row + 2], 110)
    assert len(find_printed_lines((255 - scan) * (scan < 200))) == 1
    assert overlap(to_ink(scan), to_ink(signature())) > 0.8


def test_a_box_around_the_signature_is_removed_on_all_sides():
    scan = signature()
    cv2.rectangle(scan, (6, 6), (393, 153), 60, 2)
    assert to_ink(scan).shape[1] < 250
    assert overlap(to_ink(scan), to_ink(signature())) > 0.85


def test_an_underline_that_ends_with_the_name_is_kept():
    scan = signature()
    cv2.line(scan, (115, 125), (270, 122), 40, 3)
    taller = to_ink(scan).shape[0] - to_ink(signature()).shape[0]
    assert taller > 8


def test_specks_of_dirt_do_not_widen_the_crop():
    scan = signature()
    scan[5, 5] = scan[150, 390] = 0
    assert to_ink(scan).shape == to_ink(signature()).shape


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_gives_bytes_with_dark_paper(variant):
    ink = to_ink(signature(), variant)
    assert ink.dtype == np.uint8 and ink.ndim == 2
    assert np.median(ink) < 60 and ink.max() > 150


def test_binary_variants_have_two_values_and_thin_lines_are_thin():
    for variant in ("tepat_binary", "deepsign", "identification"):
        assert set(np.unique(to_ink(signature(), variant))) == {0, 255}
    thin = (to_ink(signature(), "identification") > 0).sum()
    assert thin < 0.5 * (to_ink(signature(), "tepat_binary") > 0).sum()


@pytest.mark.parametrize("variant", ["tepat", "tepat_binary", "deepsign"])
def test_blank_paper_has_no_ink(variant):
    ink = to_ink(np.full((80, 200), 240, np.uint8), variant)
    assert ink.shape == (8, 8) and not ink.any()


def test_wrong_input_and_unknown_variants_are_named():
    with pytest.raises(ValueError, match="variant must be one of tepat.*'magic'"):
        to_ink(signature(), "magic")
    with pytest.raises(ValueError, match="uint8"):
        to_gray(np.zeros((4, 4)))
    with pytest.raises(ValueError, match="1, 3 or 4 channels, got 2"):
        to_gray(np.zeros((4, 4, 2), np.uint8))


def test_a_wide_signature_fills_the_width_and_a_tall_one_the_height():
    wide = fit_ink(np.full((10, 100), 255, np.uint8), (50, 100), margin=0.04)
    assert wide.any(axis=0).sum() == 96 and abs(wide.any(axis=1).sum() - 10) <= 1
    tall = fit_ink(np.full((100, 10), 255, np.uint8), (50, 100), margin=0.04)
    assert tall.any(axis=1).sum() == 46 and abs(tall.any(axis=0).sum() - 5) <= 1


def test_the_centre_of_mass_lies_in_the_middle_of_the_canvas():
    ink = np.zeros((10, 20), np.uint8)
    ink[2:4, 2:4] = 200  # centre of mass at row 2.5, column 2.5
    canvas = center_on_canvas(ink, (40, 60))
    rows, columns = np.nonzero(canvas)
    assert abs(rows.mean() - 20) <= 1 and abs(columns.mean() - 30) <= 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_any_small_image_gives_an_ink_image_that_fits_a_box(height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    assert fit_ink(to_ink(image), (32, 80)).shape == (32, 80)
    assert center_on_canvas(to_ink(image), (64, 64)).shape == (64, 64)
