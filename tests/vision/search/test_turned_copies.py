"""One signature scanned twice is found turned, scaled and saved anew; two signings are not one image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from data.synthetic import signatures
from vision.descriptor.outlines import CELLS, Outlines
from vision.scans.images import decode_image
from vision.scans.preprocess import to_ink
from vision.search import turned_copies
from vision.search.turned_copies import (
    LIKE_OUTLINE,
    SAME_IMAGE,
    Duplicate,
    fit_of,
    like_outlines,
    same_images,
    sheet_of,
)

WRITERS = 8


def scan_of(seed: int, signing: int = 0) -> np.ndarray:
    """Scan of a synthetic writer, signing for the n-th time."""
    writer = signatures.make_writer(np.random.default_rng((41, seed)))
    rng = np.random.default_rng((42, seed, signing))
    return signatures.render_scan(signatures.perform(writer, rng), rng)


def scanned_again(scan: np.ndarray, degrees: float, scale: float) -> np.ndarray:
    """The same paper on another scanner: laid down crooked, at another resolution, with noise, as JPEG."""
    paper = int(np.median(scan))
    wide = cv2.copyMakeBorder(scan, 80, 80, 80, 80, cv2.BORDER_CONSTANT, value=paper)
    matrix = cv2.getRotationMatrix2D((wide.shape[1] / 2, wide.shape[0] / 2), degrees, 1)
    turned = cv2.warpAffine(wide, matrix, wide.shape[::-1], flags=cv2.INTER_CUBIC, borderValue=paper)
    small = cv2.resize(turned, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(3).normal(0, 3, small.shape)
    _, data = cv2.imencode(".jpg", np.clip(small + noise, 0, 255).astype(np.uint8))
    return decode_image(data.tobytes())


@pytest.fixture(scope="module")
def inks() -> list[np.ndarray]:
    """One signature by each of several writers."""
    return [to_ink(scan_of(seed)) for seed in range(WRITERS)]


@pytest.mark.parametrize(
    ("degrees", "scale"), [(0, 1.0), (1, 0.9), (3, 0.75), (-5, 1.3), (8, 0.5), (-8, 0.8)]
)
def test_a_scan_made_again_is_found_however_it_lay(inks, degrees, scale):
    again = [to_ink(scanned_again(scan_of(seed), degrees, scale)) for seed in range(WRITERS)]
    every = inks + again
    hits = same_images(Outlines().describe(every), list(range(len(every))), lambda row: every[row])
    assert {(hit.first, hit.second) for hit in hits} == {(k, k + WRITERS) for k in range(WRITERS)}
    assert min(hit.measure for hit in hits) > SAME_IMAGE


def test_a_second_signing_by_the_same_hand_is_not_the_same_image(inks):
    again = [to_ink(scan_of(seed, 1)) for seed in range(WRITERS)]
    fits = [fit_of(sheet_of(one), sheet_of(other)) for one, other in zip(inks, again, strict=True)]
    assert max(fit.correlation for fit in fits) < SAME_IMAGE


def test_the_angle_is_told(inks):
    turned = to_ink(scanned_again(scan_of(0), -6.0, 1.0))
    assert fit_of(sheet_of(inks[0]), sheet_of(turned)).degrees == pytest.approx(6.0)


def by_the_pair(outlines, owners, ink) -> list[Duplicate]:
    """Each pair of drawings on its own, without anything kept for the next."""
    fits = {pair: fit_of(*(sheet_of(ink(one)) for one in pair)) for pair in like_outlines(outlines, owners)}
    hits = [Duplicate("same_image", *pair, fit.correlation) for pair, fit in fits.items()]
    return sorted(
        (hit for hit in hits if hit.measure >= SAME_IMAGE),
        key=lambda hit: (-hit.measure, hit.first, hit.second),
    )


@pytest.mark.parametrize("kept", [turned_copies.KEPT, 2])
def test_drawings_are_read_once_for_all_their_pairs_and_the_answer_is_that_of_each_pair_alone(
    inks, monkeypatch, kept
):
    """Three scans of each of some signatures, so that each drawing stands in several pairs."""
    monkeypatch.setattr(turned_copies, "KEPT", kept)
    every = inks[:4] + [to_ink(scanned_again(scan_of(seed), 4, 0.8)) for seed in range(4)]
    every += [to_ink(scan_of(seed, 1)) for seed in range(4)] + [np.zeros((40, 90), np.uint8)]
    outlines, owners = Outlines().describe(every), list(range(len(every)))
    monkeypatch.setattr(turned_copies, "LIKE_OUTLINE", 0.3)
    monkeypatch.setattr(like_outlines, "__defaults__", (0.3,))
    pairs = like_outlines(outlines, owners)
    assert len(pairs) > 2 * len({one for pair in pairs for one in pair})
    read, told = [], []
    hits = same_images(
        outlines,
        owners,
        lambda row: read.append(row) or every[row],
        lambda done, total: told.append((done, total)),
    )
    assert hits == by_the_pair(outlines, owners, lambda row: every[row]) and len(hits) >= 4
    assert told == [(done, len(pairs)) for done in range(len(pairs) + 1)]
    if kept >= len(every):
        assert len(read) == len(set(read))


def test_one_students_own_scan_twice_is_no_duplicate(inks):
    outlines = Outlines().describe([inks[0], inks[0], inks[1]])
    assert like_outlines(outlines, ["a", "a", "b"]) == []
    assert like_outlines(outlines, ["a", "c", "b"]) == [(0, 1)]
    assert same_images(outlines, ["a", "c", "b"], lambda row: inks[0]) == [
        Duplicate("same_image", 0, 1, pytest.approx(1.0, abs=1e-4))
    ]


def test_outlines_are_at_length_one_alike_when_turned_and_empty_without_ink(inks):
    blank = np.zeros((40, 90), np.uint8)
    found = Outlines().describe([inks[0], np.rot90(inks[0], 2).copy(), blank])
    assert found.shape == (3, CELLS[0] * CELLS[1]) and sheet_of(blank) is None
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 1, 0], abs=1e-5)
    turned = Outlines().describe([to_ink(scanned_again(scan_of(0), 5, 0.8))])[0]
    assert turned @ found[0] > LIKE_OUTLINE
