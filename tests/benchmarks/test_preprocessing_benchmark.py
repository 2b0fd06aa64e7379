"""What the comparison of preprocessing variants measures, on images made for it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.preprocessing import kept_of, main, told_apart
from benchmarks.signature_sets import SignatureSet
from vision.scans.preprocess import VARIANTS


def test_a_bar_and_a_speck_are_measured_by_hand():
    ink = np.zeros((40, 100), np.uint8)
    ink[18:22, 10:90] = 200  # a bar 4 high: distances to the edge 1, 2, 2, 1
    ink[2, 2] = 90
    kept = kept_of(ink)
    assert kept.ink == (4 * 80 + 1) / 4000
    assert (kept.pieces, kept.levels, kept.paper) == (2, 2, 0)
    assert kept.width == pytest.approx(4 * 1.5, rel=0.1)
    assert np.isnan(kept_of(np.full((9, 9), 7, np.uint8)).width)


def test_paper_that_differs_between_genuine_and_forged_is_found_whichever_way_round():
    found = SignatureSet(
        "made", tuple([Path("a")] * 8), np.array(["a"] * 4 + ["b"] * 4), np.array([0, 0, 1, 1] * 2, bool)
    )
    assert told_apart(found, np.array([1.0, 2, 3, 4, 9, 8, 2, 1])) == 1.0
    assert told_apart(found, np.full(8, 3.0)) == 0.5
    assert told_apart(found, np.array([1.0, 3, 2, 4, 5, 5, 5, 5])) == (0.75 + 0.5) / 2


def test_every_variant_is_compared_and_only_the_raw_scan_gives_the_paper_away(tmp_path):
    rng = np.random.default_rng(0)
    for writer in ("001", "002"):
        place = tmp_path / "raw" / writer
        place.mkdir(parents=True)
        for kind, tone in (("original", 250), ("forgeries", 225)):
            for number in range(2):
                page = np.full((90, 200), tone, np.uint8)
                points = np.stack([np.linspace(20, 180, 9), rng.uniform(20, 70, 9)], axis=1).astype(np.int32)
                cv2.polylines(page, [points], False, 30, 3, cv2.LINE_AA)
                cv2.imwrite(str(place / f"{kind}_{number}.png"), page)
    out = tmp_path / "result.json"
    main(data=tmp_path / "raw", clean_data=tmp_path / "raw", json_file=out)
    rows = {row["variant"]: row for row in json.loads(out.read_text(encoding="utf-8"))["rows"]}
    assert tuple(rows) == VARIANTS
    assert rows["graduation"]["told_by_paper"] == 1.0
    assert all(row["told_by_paper"] == 0.5 for name, row in rows.items() if name != "graduation")
    assert all(row["overlap_with_clean"] == 1.0 for row in rows.values())
    assert rows["tepat_binary"]["levels"] == 1 < rows["tepat"]["levels"]
