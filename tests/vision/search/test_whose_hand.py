"""The writer on file is nearest, chance tells a stranger, and nobody is found who may not be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from data.engine.clock import now
from data.settings import get_settings
from data.signatures.specimens import RefusedFile
from data.store import NewSpecimen, write_consents, write_specimens
from data.trust import audit
from data.trust.erase import erase_student_signatures
from data.trust.scope import Scope
from tests.vision.search.test_turned_copies import scan_of
from vision.__main__ import app
from vision.search import whose_hand
from vision.search.whose_hand import Hands

SYSTEM = Scope.system()
EACH = 4
STUDENTS = [f"S{number:02}" for number in range(1, 13)]
ASKED = 40
"""A signing that is on nobody's file."""


def as_png(scan: np.ndarray) -> bytes:
    return cv2.imencode(".png", scan)[1].tobytes()


def answered(store, key: str, granted: bool) -> None:
    row = {"student_key": key, "purpose": "verification", "granted": granted, "at": now()}
    write_consents(store, pd.DataFrame([row]))


@pytest.fixture
def register(small_register):
    """Twelve students of four signatures who agree, and one of them signs on."""
    about = {"context": "enrollment", "file_format": "png", "width": 600, "height": 240, "dpi": 300}
    given = [
        NewSpecimen(number, as_png(scan_of(row, signing)), date(2022, 9, 1 + signing), **about)
        for row, number in enumerate(STUDENTS)
        for signing in range(EACH)
    ]
    write_specimens(small_register.store, given, source="scans", actor="test")
    for number in STUDENTS:
        answered(small_register.store, small_register.keys[number], True)
    return small_register


@pytest.fixture
def hands(register):
    return Hands.of(register.store, SYSTEM)


def test_the_writer_on_file_is_nearest_and_chance_seldom_brings_a_stranger_so_near(register, hands):
    keys = register.keys
    assert (hands.students, hands.specimens) == (12, 12 * EACH)
    own = [hands.likest(as_png(scan_of(row, ASKED)), actor="test", best=3) for row in range(12)]
    first = [found.likest[0] for found in own]
    right = [one.student_key == keys[number] for one, number in zip(first, STUDENTS, strict=True)]
    assert np.mean(right) >= 0.9
    assert all(found.proven and len(found.likest) == 3 for found in own)
    for found in own:
        distances = [one.distance for one in found.likest]
        assert distances == sorted(distances)
        assert len({one.student_key for one in found.likest}) == 3
    strangers = [
        hands.likest(as_png(scan_of(row, 0)), actor="test").likest[0].expected for row in range(60, 72)
    ]
    assert np.median([one.expected for one in first]) < 0.1 * np.median(strangers)
    assert np.median(strangers) > 0.2  # of 48 specimens about one lies as near as the nearest does


def test_everything_is_written_down_and_nothing_kept(register, hands):
    before = len(audit.entries(register.store))
    found = hands.likest(as_png(scan_of(3, ASKED)), actor="registrar", role="registry", best=2)
    written = audit.entries(register.store)
    assert len(written) == before + 1
    newest = written.sort_values("entry").iloc[-1]
    assert (newest["actor"], newest["role"], newest["action"]) == ("registrar", "registry", "search hand")
    assert newest["detail"]["listed"] == [one.student_key for one in found.likest]
    assert (newest["detail"]["students"], newest["detail"]["specimens"]) == (12, 12 * EACH)
    assert set(newest["detail"]) == {"image_sha256", "listed", "students", "specimens"}


def test_nobody_is_found_who_never_agreed_or_is_out_of_reach(register):
    store, keys = register.store, register.keys
    answered(store, keys["S04"], False)
    asked = as_png(scan_of(3, ASKED))
    everybody = Hands.of(store, SYSTEM)
    assert everybody.students == 11
    named = {one.student_key for one in everybody.likest(asked, actor="test", best=12).likest}
    assert named == {keys[number] for number in STUDENTS} - {keys["S04"]}
    nobody = Hands.of(store, Scope.nothing())
    assert nobody.students == 0 and nobody.likest(asked, actor="test").likest == ()
    one_programme = Scope("x", "registry", False, ("MI",), True, True)
    some = Hands.of(store, one_programme)
    assert 0 < some.students < 11


@pytest.mark.parametrize("gone", ["withdrawn", "erased"])
def test_nobody_is_found_who_went_after_the_register_was_read(register, hands, gone):
    store, key = register.store, register.keys["S04"]
    asked = as_png(scan_of(3, ASKED))
    assert key in {one.student_key for one in hands.likest(asked, actor="test").likest}
    if gone == "withdrawn":
        answered(store, key, False)
    else:
        erase_student_signatures(store, key)
    found = hands.likest(asked, actor="test")
    assert len(found.likest) == 5 and key not in {one.student_key for one in found.likest}


def test_what_cannot_be_compared_is_refused_and_nothing_is_written(register, hands):
    before = len(audit.entries(register.store))
    blank = np.full((240, 600), 250, np.uint8)
    with pytest.raises(RefusedFile, match="cannot be compared: blank"):
        hands.likest(as_png(blank), actor="test")
    with pytest.raises(RefusedFile):
        hands.likest(b"no image", actor="test")
    assert len(audit.entries(register.store)) == before


def test_of_few_students_nothing_is_said_of_chance(register):
    for number in STUDENTS[4:]:
        answered(register.store, register.keys[number], False)
    found = Hands.of(register.store, SYSTEM).likest(as_png(scan_of(1, ASKED)), actor="test")
    assert len(found.likest) == 4 and {one.expected for one in found.likest} == {None}


def test_codes_that_leave_too_many_say_so(register, monkeypatch):
    monkeypatch.setattr(whose_hand, "MOST_COMPARED", 3)
    found = Hands.of(register.store, SYSTEM).likest(as_png(scan_of(1, ASKED)), actor="test")
    assert not found.proven and 1 <= len(found.likest) <= 3


# --- the command ------------------------------------------------------------------------------------------
@pytest.fixture
def run(register, store_url, tmp_path, monkeypatch):
    """``python -m vision …`` on the register."""
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", store_url)
    get_settings.cache_clear()
    yield lambda *words: CliRunner().invoke(app, [str(word) for word in words])
    get_settings.cache_clear()


def test_the_command_names_the_nearest_and_says_what_it_is_not(register, run, tmp_path):
    image = tmp_path / "found.png"
    image.write_bytes(as_png(scan_of(3, ASKED)))
    done = run("identify", image, "--best", "2")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["1", register.keys["S04"]] and "by chance" in lines[0]
    assert lines[1].startswith(" 2  ") and "48 specimens of 12 students who agree" in lines[2]
    for said in (
        "Nearest on file, not an identification",
        "not a forensic opinion",
        "if all were strangers'",
    ):
        assert said in done.stdout


def test_of_a_folder_every_file_is_searched_for_but_those_that_cannot_be(run, tmp_path):
    folder: Path = tmp_path / "found"
    folder.mkdir()
    (folder / "a.png").write_bytes(as_png(scan_of(3, ASKED)))
    (folder / "b.png").write_bytes(b"no image")
    (folder / "c.png").write_bytes(as_png(scan_of(4, ASKED)))
    done = run("identify", folder, "--best", "1")
    assert done.exit_code == 1, done.output
    lines = done.stdout.splitlines()
    assert [lines[place] for place in (0, 2, 4)] == ["a.png", "b.png", "c.png"]
    assert done.stdout.count("by chance") == 2 and "not searched for: 1 of 3 files" in done.stdout
    refused = run("identify", folder, "--turn", "90")
    assert refused.exit_code == 2 and "--crop and --turn are for one image" in refused.output
    assert run("identify", tmp_path / "nowhere.png").exit_code == 2
