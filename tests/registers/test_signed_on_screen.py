"""Students of the second university sign on the screen, each with the hand that they have on paper."""

from __future__ import annotations

import json
import shutil
from datetime import date

import numpy as np
import pytest

from data import queries
from data.keeping.rule import Rule, left_on
from data.signatures.findings import BLANK, BLURRED, CUT_OFF, LITTLE_INK, LOW_RESOLUTION, found_codes
from data.signatures.strokes import read_strokes
from data.store import open_store
from data.trust.erase import erase_student_signatures
from data.trust.scope import Scope
from data.trust.undo import last_import, undo_import
from tests.registers.second_university.hand import specimen, writer_of
from vision.scans.images import decode_image
from vision.scans.quality import check_pixels
from vision.scans.signing import keep_drawn

EVERYBODY = Scope.system()
WIDTH, HEIGHT, MARGIN, MS = 720.0, 240.0, 30.0, 4.0  # of the sheet; between two points


@pytest.fixture
def office(university, tmp_path):
    """A copy of the register that may be written to."""
    shutil.copytree(university.folder, tmp_path / "office")
    store = open_store(folder=tmp_path / "office")
    yield store
    store.close()


def on_the_sheet(nim: str, signing: int) -> str:
    """A signature of somebody's own hand as the pad sends it, fitted to the sheet."""
    writer = writer_of(nim, 5)
    strokes = specimen(writer, np.random.default_rng([signing, len(nim)]))
    every = np.concatenate([path for path, _ in strokes])
    low, spread = every.min(axis=0), np.ptp(every, axis=0)
    scale = min((WIDTH - 2 * MARGIN) / spread[0], (HEIGHT - 2 * MARGIN) / spread[1])
    drawn, clock = [], 0.0
    for path, radius in strokes:
        placed = (path - low) * scale + MARGIN
        pressed = np.clip(radius / writer.width, 0, 1)
        points = [
            [x, y, clock + MS * k, p] for k, ((x, y), p) in enumerate(zip(placed, pressed, strict=True))
        ]
        clock = points[-1][2] + 120.0
        drawn.append({"pointer": "pen", "points": points})
    return json.dumps({"width": WIDTH, "height": HEIGHT, "strokes": drawn})


def signers(store) -> dict[str, str]:
    """Five students, student number → key."""
    keys = sorted(queries.records_until(store).students["student_key"])
    named = queries.identities(store, EVERYBODY, keys[:: len(keys) // 5][:5])
    return dict(zip(named["student_number"], named["student_key"], strict=True))


def exits(store, key: str) -> list[date | None]:
    """When a student left; None of one who has not."""
    outcomes = queries.records_until(store).outcomes.set_index("student_key").reindex([key])
    return left_on(outcomes)


def keep(store, nim: str, key: str, signing: int = 1) -> str:
    about = {"context": "enrollment", "captured_on": date(2026, 10, 1), "actor": "loket", "role": "registry"}
    return keep_drawn(store, key, nim, read_strokes(on_the_sheet(nim, signing)), **about)


def test_each_is_kept_as_signed_with_the_strokes_and_nothing_spoils_it(office):
    for nim, key in signers(office).items():
        one = keep(office, nim, key)
        (row,) = queries.student_specimens(office, EVERYBODY, key).to_dict("records")
        assert (row["specimen_id"], row["medium"], row["dpi"]) == (one, "screen", 300)
        assert queries.specimen_strokes(office, one, EVERYBODY) == read_strokes(on_the_sheet(nim, 1))
        seen = check_pixels(decode_image(queries.specimen_image(office, one, EVERYBODY)))
        assert not {BLANK, LITTLE_INK, LOW_RESOLUTION, BLURRED, CUT_OFF} & set(found_codes(seen)), nim


def test_the_institutions_rule_dates_it_as_a_scan(office):
    day, rule = date(2026, 10, 1), Rule()
    for nim, key in signers(office).items():
        keep(office, nim, key)
        (until,) = queries.student_specimens(office, EVERYBODY, key)["retention_until"]
        (left,) = exits(office, key)
        assert until.date() == rule.signature_until(day, left)


def test_it_is_undone_and_erased_as_a_scan(office):
    (nim, key), (other, theirs), *_ = signers(office).items()
    one = keep(office, nim, key)
    undo_import(office, last_import(office), actor="loket", role="registry")
    assert queries.student_specimens(office, EVERYBODY, key).empty
    assert keep(office, nim, key) == one  # undone is not erased: it may come again
    keep(office, other, theirs)
    receipt = erase_student_signatures(office, key, actor="loket", role="registry")
    assert receipt.deleted == {"specimen_strokes": 1, "specimen_images": 1, "signature_specimens": 1}
    assert keep(office, nim, key) is None and keep(office, nim, key, signing=2) is not None
    assert len(queries.student_specimens(office, EVERYBODY, theirs)) == 1
