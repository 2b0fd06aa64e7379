"""The office benchmark: what is counted, and that every condition is made the same way each time."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import typer

from benchmarks.office import as_read, deal, known, table
from benchmarks.office_conditions import CONDITIONS
from vision.scans.quality import check_pixels
from vision.scans.signature_folders import SignatureSet

ROOT = Path(__file__).resolve().parents[2]
NAMED = (
    "clean", "binary", "150 dpi", "phone photo", "marker pen", "pencil", "quarter turn", "half turn",
    "small turn", "box", "lined paper", "grid paper", "name below", "blue on cream", "transparent",
    "16 bits, float", "thin pen", "stamp", "two signatures", "photocopy", "inverted", "cut",
)  # fmt: skip


def scan(seed: int = 1) -> np.ndarray:
    points = np.random.default_rng(seed).uniform((15, 15), (385, 125), (14, 2))
    points = points[np.argsort(points[:, 0])]
    sheet = np.full((140, 400), 255, np.uint8)
    cv2.polylines(sheet, [np.rint(points * 8).astype(np.int32)], False, 20, 4, cv2.LINE_AA, 3)
    return sheet


def test_every_condition_that_an_office_meets_is_there():
    assert tuple(CONDITIONS) == NAMED


@pytest.mark.parametrize("name", NAMED)
def test_a_condition_is_made_the_same_way_each_time_and_changes_the_scan(name):
    made = [CONDITIONS[name](scan(), np.random.default_rng(3), scan(2)) for _ in range(2)]
    np.testing.assert_array_equal(*made)
    assert made[0].dtype == np.uint8 and made[0].shape[:2] != scan().shape


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("quarter turn", "SIG009"),
        ("box", "SIG007"),
        ("lined paper", "SIG007"),
        ("stamp", "SIG006"),
        ("two signatures", "SIG008"),
        ("cut", "SIG005"),
    ],
)
def test_the_checks_see_the_condition(name, code):
    pixels = as_read(CONDITIONS[name](scan(), np.random.default_rng(3), scan(2)))
    assert code in {one.code for one in check_pixels(pixels) if one.status == "found"}


@pytest.mark.parametrize(
    "name", ["clean", "binary", "150 dpi", "phone photo", "half turn", "inverted", "photocopy"]
)
def test_the_checks_let_a_readable_scan_pass(name):
    pixels = as_read(CONDITIONS[name](scan(), np.random.default_rng(3), scan(2)))
    assert not {one.code for one in check_pixels(pixels) if one.status == "found"} - {"SIG007"}


def test_tested_writers_are_in_no_background():
    names = np.array([f"{n:03d}" for n in range(30)])
    found = SignatureSet("set", (), np.repeat(names, 2), np.zeros(60, bool))
    tested, others = deal(found, 5)
    assert len(tested) == 5 and not set(tested) & set(others) and len(tested) + len(others) == 30
    assert deal(found, 5) == (tested, others)
    assert len(deal(found, 25)[1]) == 12  # both halves of a background and its trials need writers


def test_a_condition_that_nobody_makes_is_refused_by_name():
    with pytest.raises(typer.BadParameter, match="got moonlight"):
        known(["clean", "moonlight"])
    assert known(["stamp"]) == ["stamp"]


def test_rates_are_shares_of_each_kind_by_hand():
    outcomes = {
        "genuine": [
            ("consistent", "agrees", 1.0),
            ("inconclusive", "rotated", 0.0),
            ("review", "differs", -1.0),
        ],
        "skilled": [("review", "differs", -1.0), ("consistent", "agrees", 1.0)],
        "random": [("review", "differs", -1.0)],
    }
    rows = pd.DataFrame(
        [
            {
                "condition": "clean",
                "references": 3,
                "kind": kind,
                "outcome": o,
                "reason": r,
                "log10_lr": ratio,
            }
            for kind, several in outcomes.items()
            for o, r, ratio in several
        ]
    )
    (row,) = table(rows)
    assert row["genuine_consistent"] == row["genuine_review"] == pytest.approx(1 / 3, abs=1e-4)
    assert (row["skilled_consistent"], row["skilled_review"], row["random_consistent"]) == (0.5, 0.5, 0.0)
    assert row["genuine_reasons"] == {"agrees": 0.333, "rotated": 0.333, "differs": 0.333}
    # log2(1 + 1/10), 1 and log2(11) for genuine; log2(1.1) and log2(11) for skilled
    expected = (np.mean(np.log2([1.1, 2, 11])) + np.mean(np.log2([1.1, 11]))) / 2
    assert row["cllr"] == pytest.approx(expected, abs=1e-3) and row["cllr_min"] <= row["cllr"]


ROW = re.compile(r"\| (CEDAR|Hindi), ([^|]+?)(, no register)? \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
FIGURES = ("genuine_consistent", "genuine_review", "skilled_consistent", "cllr")


def test_every_figure_of_the_decision_is_one_that_a_committed_run_printed():
    """Also of the conditions that are worst without a register: pencil, marker pen and photocopy."""
    text = (ROOT / "docs" / "decisions" / "0009-outcomes-of-verification.md").read_text(encoding="utf-8")
    newest, earlier = text.split("Not measured again since")
    worst = set()
    for part, runs in ((newest, "office-{}-12-writers.json"), (earlier, "office-{}.json")):
        for name, condition, no_register, *told in ROW.findall(part):
            path = ROOT / "benchmarks" / "results" / runs.format(name.lower())
            found = json.loads(path.read_text(encoding="utf-8"))
            rows = [
                row
                for row in found["without_a_register" if no_register else "rows"]
                if row["condition"] == condition
            ]
            assert [row["references"] for row in rows] == [3, 6, 10], (name, condition)
            for figure, cell in zip(FIGURES, told, strict=True):
                digits = 2 if figure == "cllr" else 0
                said = [f"{row[figure] if digits else 100 * row[figure]:.{digits}f}" for row in rows]
                assert cell == " / ".join(said), (name, condition, figure)
            if no_register:
                worst.add((name, condition))
    assert {
        (name, one) for name in ("CEDAR", "Hindi") for one in ("marker pen", "pencil", "photocopy")
    } <= worst
