"""Specimens signed on a screen: sealed with their strokes, kept, undone and erased as scans are."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, insert, select

from data import queries, schema
from data.engine.clock import now
from data.keeping.retention import due
from data.signatures.encoder_info import EncoderInfo
from data.signatures.strokes import read_strokes
from data.store import NewSpecimen, write_consents, write_embeddings, write_quality, write_specimens
from data.trust import erase
from data.trust.scope import Scope
from data.trust.undo import last_import, undo_import
from data.verification import queries as reads
from tests.conftest import step_back

SYSTEM = Scope.system()
POINTS = [[100 + 5 * k, 100 + 20 * (k % 2), 12.5 * k, 0.25] for k in range(30)]
DRAWN = json.dumps({"width": 720, "height": 240, "strokes": [{"pointer": "pen", "points": POINTS}]}).encode()


def on_screen(number: str, data: bytes = b"picture", **changes) -> NewSpecimen:
    made = NewSpecimen(number, data, date(2022, 9, 1), "enrollment", "png", 2250, 750, 300)
    return replace(made, **{"medium": "screen", "strokes": DRAWN} | changes)


@pytest.fixture
def drawn(small_register):
    """S07 signed on the screen, and on paper once; S08 on paper."""
    store = small_register.store
    paper = replace(on_screen("S07", b"scan"), medium="paper", strokes=None)
    write_specimens(store, [on_screen("S07"), paper], source="screen", actor="test")
    write_specimens(store, [replace(paper, student_number="S08")], source="scans.zip", actor="test")
    return small_register


def of_screen(drawn) -> str:
    rows = queries.student_specimens(drawn.store, SYSTEM, drawn.keys["S07"])
    return rows.set_index("medium").at["screen", "specimen_id"]


def rows_in(store, table) -> int:
    with store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_strokes_are_read_back_and_lie_sealed_bound_to_their_row(drawn):
    one = of_screen(drawn)
    assert queries.specimen_strokes(drawn.store, one, SYSTEM) == read_strokes(DRAWN)
    assert queries.specimen_image(drawn.store, one, SYSTEM) == b"picture"
    with drawn.store.reading() as connection:
        (sealed,) = connection.scalars(select(schema.specimen_strokes.c.ciphertext))
    assert b"strokes" not in bytes(sealed) and b"12.5" not in bytes(sealed)
    assert drawn.store.cipher.decrypt(bytes(sealed), f"strokes:{one}") == DRAWN


def test_strokes_of_paper_and_of_a_student_out_of_reach_are_not_there(drawn):
    rows = queries.student_specimens(drawn.store, SYSTEM, drawn.keys["S07"]).set_index("medium")
    with pytest.raises(LookupError, match="may be read"):
        queries.specimen_strokes(drawn.store, rows.at["paper", "specimen_id"], SYSTEM)
    elsewhere = Scope("ani", "advisor", True, ("nowhere",), True, False)
    with pytest.raises(LookupError, match="may be read"):
        queries.specimen_strokes(drawn.store, of_screen(drawn), elsewhere)


@pytest.mark.parametrize(
    "changes",
    [{"strokes": None}, {"medium": "paper"}, {"medium": "slate"}, {"medium": "slate", "strokes": None}],
)
def test_strokes_belong_to_a_screen_and_to_nothing_else(small_register, changes):
    with pytest.raises(ValueError, match="has strokes, got medium"):
        write_specimens(small_register.store, [on_screen("S07", **changes)], source="x", actor="test")


def test_a_database_takes_no_other_medium(drawn):
    with drawn.store.reading() as connection:
        row = connection.execute(select(schema.specimens).limit(1)).mappings().one()
    strange = dict(row) | {"specimen_id": "f" * 32, "sha256": "0" * 64, "medium": "slate"}
    with (
        pytest.raises(Exception, match="(?i)ck_signature_specimens_medium"),
        drawn.store.writing() as connection,
    ):
        connection.execute(insert(schema.specimens).values(**strange))


def test_the_same_drawing_twice_is_one_specimen(drawn):
    result = write_specimens(drawn.store, [on_screen("S07")], source="screen", actor="test")
    assert (result.new, result.same) == (0, 1) and rows_in(drawn.store, schema.specimen_strokes) == 1


def test_it_is_kept_as_long_as_a_scan(drawn):
    rows = queries.student_specimens(drawn.store, SYSTEM, drawn.keys["S07"])
    assert rows["retention_until"].notna().all() and rows["retention_until"].nunique() == 1
    day = rows["retention_until"].iloc[0].date()
    assert due(drawn.store, day.replace(year=day.year + 1)).signatures


def test_an_erasure_takes_the_strokes_with_the_image(drawn):
    store, key = drawn.store, drawn.keys["S07"]
    receipt = erase.erase_student_signatures(store, key)
    assert receipt.deleted == {"specimen_strokes": 1, "specimen_images": 2, "signature_specimens": 2}
    assert rows_in(store, schema.specimen_strokes) == 0
    again = write_specimens(store, [on_screen("S07")], source="screen", actor="test")
    assert (again.new, again.erased) == (0, 1) and rows_in(store, schema.specimen_strokes) == 0


@pytest.mark.parametrize("act", [erase.erase_student, erase.pseudonymise])
def test_who_is_erased_or_made_nameless_leaves_no_strokes(drawn, act):
    assert act(drawn.store, drawn.keys["S07"]).deleted["specimen_strokes"] == 1
    assert rows_in(drawn.store, schema.specimen_strokes) == 0


def test_an_erasure_of_one_specimen_leaves_the_strokes_of_another(drawn):
    store, key = drawn.store, drawn.keys["S07"]
    rows = queries.student_specimens(store, SYSTEM, key).set_index("medium")["specimen_id"]
    erase.erase_specimens(store, key, [rows["paper"]])
    assert queries.specimen_strokes(store, rows["screen"], SYSTEM) == read_strokes(DRAWN)
    erase.erase_specimens(store, key, [rows["screen"]])
    assert rows_in(store, schema.specimen_strokes) == 0


def test_its_import_can_be_undone(small_register):
    store = small_register.store
    write_specimens(store, [on_screen("S07")], source="screen", actor="test")
    undone = undo_import(store, last_import(store), actor="test", role="registry")
    assert undone.removed == {"signature_specimens": 1}
    assert rows_in(store, schema.specimen_strokes) == rows_in(store, schema.specimen_images) == 0


def test_what_is_learned_from_paper_takes_none_of_a_screen(drawn):
    store, one = drawn.store, of_screen(drawn)
    waiting = queries.specimens_without_embedding(store, "resnet50@1")["specimen_id"]
    assert one not in set(waiting) and len(waiting) == 2
    assert one in set(queries.specimens_unchecked(store)["specimen_id"])  # but the checks look at it
    with store.writing() as connection:
        ids = connection.scalars(select(schema.specimens.c.specimen_id)).all()
        for row in ids:
            told = {"descriptor_id": "d@1", "ciphertext": b"x", "created_at": now()}
            connection.execute(insert(schema.signature_descriptors).values(specimen_id=row, **told))
    agreed = pd.DataFrame({"student_number": ["S07", "S08"], "granted": True, "recorded_at": "2022-09-01"})
    write_consents(store, agreed.assign(purpose="verification"))
    described = reads.described(store, "d@1")["specimen_id"]
    assert set(described) == set(ids) - {one} and len(described) == 2


def test_a_specimen_waits_until_it_is_checked_and_one_of_paper_until_an_encoder_has_read_it(drawn):
    store, encoder = drawn.store, EncoderInfo("resnet50", "1", "a" * 64, "drawn for a test", 4)
    everybody = queries.specimen_table(store)
    ids, paper = everybody["specimen_id"].tolist(), everybody.query("medium == 'paper'")["specimen_id"]
    write_quality(store, dict.fromkeys(ids[:-1], []))
    assert queries.any_specimen_waits(store, "outcome_model")  # nobody has looked at the last
    write_quality(store, {ids[-1]: []})
    assert not queries.any_specimen_waits(store, "outcome_model")  # nobody agreed: none is to be read
    agreed = pd.DataFrame({"student_number": ["S07", "S08"], "granted": True, "recorded_at": "2022-09-01"})
    write_consents(store, agreed.assign(purpose="outcome_model"))
    assert queries.any_specimen_waits(store, "outcome_model")
    write_embeddings(store, encoder, paper.tolist()[:1], np.zeros((1, 4)))
    assert queries.any_specimen_waits(store, "outcome_model")
    write_embeddings(store, encoder, paper.tolist()[1:], np.zeros((len(paper) - 1, 4)))
    assert not queries.any_specimen_waits(store, "outcome_model")  # the screen's waits for no encoder


def test_the_software_of_before_finds_none_of_a_screen(drawn):
    from data.engine.database import writing
    from data.engine.migrate import current_revision

    with (
        pytest.raises(RuntimeError, match="must be erased"),
        writing(drawn.store.engine, "migrate") as connection,
    ):
        step_back(connection, "0025", drawn.store.seal)
    erase.erase_student_signatures(drawn.store, drawn.keys["S07"])
    with writing(drawn.store.engine, "migrate") as connection:
        step_back(connection, "0025", drawn.store.seal)
    assert current_revision(drawn.store.engine) == "0025"
