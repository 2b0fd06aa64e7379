import os
import random
import signal
import struct
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from data import schema
from data.columns import ROLES
from data.engine.bulk import fetch
from data.records.frames import RecordFrames
from data.records.write import write_records
from data.store import get_fact, open_store
from data.synthetic import demo
from data.synthetic.cohort import make_university
from data.synthetic.demo import DemoRefused, write_demo
from data.synthetic.drawing import draw_all, png_size, specimens_of, trajectory_of
from data.trust.accounts import list_accounts
from tests.conftest import opened

ROOT = Path(__file__).resolve().parents[3]
STUDENTS, SEED = 30, 11
CONTENT = (
    schema.programs, schema.students, schema.identities, schema.terms, schema.outcomes, schema.row_history,
    schema.specimens, schema.consents, schema.accounts,
)  # fmt: skip
BY_RUN = ("import_id", "replaced_by", "replaced_at", "history_id", "consent_id", "number_hash")


def a_png(specimen) -> bytes:
    """A 2 × 1 PNG whose gray comes from the row's seed: a drawing that costs nothing."""
    packed = zlib.compress(bytes([0]) + struct.pack(">Q", specimen.drawing_seed)[-2:])
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b""))
    text = struct.pack(">Q", specimen.drawing_seed).hex().encode()
    parts = [chunks[0], (b"tEXt", b"seed\0" + text), *chunks[1:]]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def write(store, **options):
    options = {"students": STUDENTS, "seed": SEED, "draw": a_png} | options
    return write_demo(store, **options)


def contents(store) -> dict:
    """Every row that a demo writes, without what differs from run to run."""
    found = {}
    with store.reading() as connection:
        for table in CONTENT:
            names = [column.name for column in table.columns if column.name not in BY_RUN]
            rows = connection.execute(select(*(table.c[name] for name in names))).mappings().all()
            plain = [_plain(store, table, dict(row)) for row in rows]
            found[table.name] = sorted(plain, key=repr)
    return found


def _plain(store, table, row: dict) -> tuple:
    """A row without its import, and with what is sealed in it opened: another ciphertext each time."""
    return tuple(map(_without_import, opened(store, table, row).values()))


def _without_import(value):
    return {**value, "import_id": None} if isinstance(value, dict) else value


def test_a_demo_fills_every_table_and_says_that_it_is_synthetic(store):
    result = write(store)
    university = make_university(STUDENTS, np.random.default_rng(SEED))
    rows = contents(store)
    assert len(rows["students"]) == result.students == STUDENTS
    assert len(rows["terms"]) == result.terms == len(university.frames.terms)
    assert len(rows["signature_specimens"]) == result.specimens == len(university.signatures)
    assert {row[0] for row in rows["students"]} == set(university.student_keys.values())
    assert {account.role for account in list_accounts(store)} == set(ROLES)
    advised = university.frames.students["advisor"]
    assert set(advised) <= {account.account for account in list_accounts(store)}
    assert get_fact(store, "synthetic") is True
    assert "synthetic" not in get_fact(
        store, "institution"
    )  # pages and files say it in the reader's language
    with store.reading() as connection:
        sources = fetch(connection, select(schema.imports.c.source, schema.imports.c.synthetic))
    assert sources["synthetic"].all()
    assert sources["source"].str.startswith("synthetic demo data").all()


def test_specimens_carry_what_was_planted_and_an_image_that_opens(store):
    write(store)
    plan = make_university(STUDENTS, np.random.default_rng(SEED)).signatures
    specimens, images = schema.specimens, schema.specimen_images
    with store.reading() as connection:
        planted = fetch(
            connection, select(specimens.c.planted, specimens.c.width, specimens.c.retention_until)
        )
        first = connection.execute(select(images.c.specimen_id, images.c.ciphertext)).first()
    assert sorted(planted["planted"].dropna()) == sorted(plan["planted"].dropna())
    assert (planted["width"] == 2).all() and planted["retention_until"].notna().all()
    assert not first.ciphertext.startswith(b"\x89PNG")


def test_the_same_demo_again_changes_nothing_and_draws_nothing(store):
    write(store)
    before = contents(store)

    def never(_):
        raise AssertionError("drawn again")

    assert write(store, draw=never).drawn == 0
    assert contents(store) == before


def test_corrected_rows_keep_what_they_said_before(store):
    write(store, students=150, signatures=False)
    corrections = make_university(150, np.random.default_rng(SEED)).corrections
    with store.reading() as connection:
        kept = fetch(connection, select(schema.row_history).where(schema.row_history.c.table_name == "terms"))
    assert 0 < len(corrections) == len(kept)


@pytest.mark.parametrize("moment", [0, 1, 17, 60])
def test_interrupted_while_drawing_it_completes_when_started_again(store, tmp_path, moment):
    drawn = []

    def interrupted(specimen):
        if len(drawn) >= moment:
            raise KeyboardInterrupt
        drawn.append(specimen)
        return a_png(specimen)

    with pytest.raises(KeyboardInterrupt):
        write(store, draw=interrupted)
    write(store)
    whole = open_store(f"sqlite:///{tmp_path / 'whole.db'}", folder=tmp_path)
    write(whole)
    assert contents(store) == contents(whole)
    whole.close()


def test_signatures_can_follow_later(store):
    assert write(store, signatures=False).specimens == 0
    assert contents(store)["signature_specimens"] == []
    assert write(store).specimens == len(contents(store)["signature_specimens"]) > 0


def test_a_store_with_real_students_is_refused_and_left_alone(store):
    frames = make_university(5, np.random.default_rng(0)).frames
    real = RecordFrames(programs=frames.programs, students=frames.students, outcomes=frames.outcomes)
    write_records(store, real, source="siakad.csv", files={}, actor="registry")
    before = contents(store)
    with pytest.raises(DemoRefused, match="got 5 students, 1 imports"):
        write(store)
    assert contents(store) == before and get_fact(store, "synthetic", False) is False


@pytest.mark.parametrize("other", [{"seed": SEED + 1}, {"students": STUDENTS + 1}, {"signature_link": 0.5}])
def test_another_demo_is_refused(store, other):
    write(store, signatures=False)
    with pytest.raises(DemoRefused, match="the demo of"):
        write(store, signatures=False, **other)


def test_progress_is_told_for_records_and_signatures(store):
    told = []
    write(store, progress=lambda *step: told.append(step))
    ends = {what: (done, total) for done, total, what in told}
    assert ends["writing signatures"][0] == ends["writing signatures"][1] > 0
    assert ends["writing rows"][0] == ends["writing rows"][1] > 0


@pytest.mark.slow
def test_images_are_the_same_whatever_the_number_of_processes():
    plan = specimens_of(make_university(10, np.random.default_rng(2)).signatures)[:30]
    alone = list(draw_all(plan, 1))
    together = list(draw_all(plan, 2))
    assert alone == together
    assert len({data for _, data in alone}) == 30
    assert all(min(png_size(data)) > 20 for _, data in alone)


def test_style_is_how_far_the_signature_leans():
    row = specimens_of(make_university(1, np.random.default_rng(2)).signatures)[0]
    upright, right = (
        trajectory_of(row._replace(style=style), np.random.default_rng(row.drawing_seed))
        for style in (0.0, 2.0)
    )
    assert np.array_equal(upright.y, right.y)
    np.testing.assert_allclose(right.x, upright.x - 0.44 * upright.y, atol=1e-4)
    top, bottom = upright.y.argmin(), upright.y.argmax()  # y points down: the top moves to the right
    assert right.x[top] - upright.x[top] > right.x[bottom] - upright.x[bottom]


def test_a_png_is_asked_for_its_size_only_when_it_is_one():
    with pytest.raises(ValueError, match="PNG"):
        png_size(b"GIF89a")


@pytest.mark.slow
def test_killed_at_random_moments_the_command_line_completes(tmp_path):
    """A real process, killed without warning, three times; then the same command to its end."""
    environment = {**os.environ, "TEPAT_FOLDER": str(tmp_path), "OMP_NUM_THREADS": "1", "DATABASE_URL": ""}
    command = [sys.executable, "-m", "data", "demo", "--students", "25", "--seed", "5", "--jobs", "2"]
    moments, children = random.Random(0), []
    for _ in range(3):
        running = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(moments.uniform(1.5, 6.0))
        listed = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        children += listed.read_text().split() if listed.exists() else []
        running.send_signal(signal.SIGKILL)
        running.wait()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "synthetic demo data" in done.stdout
    assert not [child for child in children if Path(f"/proc/{child}").exists()], "processes left behind"
    store, whole = (open_store(folder=folder) for folder in (tmp_path, tmp_path / "whole"))
    write_demo(whole, students=25, seed=5)
    assert contents(store) == contents(whole)
    with store.reading() as connection:
        images = connection.scalar(select(func.count()).select_from(schema.specimen_images))
    assert images == len(contents(store)["signature_specimens"])


def test_what_is_written_is_not_made_again_to_be_counted(store, monkeypatch):
    first = write(store)
    monkeypatch.setattr(demo, "make_university", lambda *_, **__: pytest.fail("made again"))
    again = write(store)
    assert replace(again, drawn=first.drawn) == first and again.drawn == 0


def test_a_large_university_is_written_in_blocks_and_completed_after_a_kill(store, tmp_path, monkeypatch):
    from data.synthetic import cohort, demo

    monkeypatch.setattr(cohort, "BLOCK", 40)
    monkeypatch.setattr(demo, "BLOCK", 40)
    with monkeypatch.context() as patched:
        notes, note = [], demo._note

        def cut_off(store, made_from, done, stage, value=True):
            notes.append(stage)
            if stage == "specimens 2":
                raise KeyboardInterrupt
            note(store, made_from, done, stage, value)

        patched.setattr(demo, "_note", cut_off)
        with pytest.raises(KeyboardInterrupt):
            write(store, students=100)
    result = write(store, students=100)
    other = open_store(folder=tmp_path / "whole")
    whole = write(other, students=100)
    assert contents(store) == contents(other)
    other.close()
    assert result.students == len(contents(store)["students"]) == 100
    assert (result.terms, result.specimens, result.advisors) == (whole.terms, whole.specimens, whole.advisors)
    assert result.terms == len(contents(store)["terms"])
    accounts = [account.account for account in list_accounts(store)]
    assert len(accounts) == len(set(accounts))
    assert sum(account.startswith("advisor.") for account in accounts) == result.advisors
    assert write(store, students=100).drawn == 0


def test_interrupted_after_the_records_were_written_but_not_noted_it_completes(store, tmp_path, monkeypatch):
    from data.synthetic import demo

    with monkeypatch.context() as patched:
        patched.setattr(demo, "_note", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            write(store, students=150, signatures=False)
    write(store, students=150, signatures=False)
    whole = open_store(f"sqlite:///{tmp_path / 'whole.db'}", folder=tmp_path)
    write(whole, students=150, signatures=False)
    assert contents(store) == contents(whole)
    whole.close()
