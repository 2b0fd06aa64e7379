"""Undoing the last import leaves the store as it was before, on both databases; or refuses and says why."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import insert, select, update

from data import queries, schema
from data.signatures.encoder_info import EncoderInfo
from data.signatures.ingest import apply_signatures, plan_signatures
from data.signatures.write import write_specimens
from data.store import NewSpecimen, RecordFrames, add_case_event, write_embeddings, write_records
from data.trust import audit
from data.trust.erase import erase_student
from data.trust.scope import Scope
from data.trust.undo import CannotUndo, last_import, undo_import
from tests.conftest import opened

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
ABOUT = {"source": "wrong.csv", "files": {}, "actor": "registry"}
WHO = {"actor": "registry", "role": "registry"}
KEPT = ("imports", "audit_log", "encoders")  # they say what happened, or are no part of an import


def contents(store) -> dict[str, list]:
    """Every row of every table that an undo must give back; running numbers apart."""
    with store.reading() as connection:
        return {
            table.name: sorted(
                repr(
                    [value for name, value in opened(store, table, dict(row)).items() if name != "history_id"]
                )
                for row in connection.execute(select(table)).mappings()
            )
            for table in schema.metadata.sorted_tables
            if table.name not in KEPT
        }


def wrong_frames() -> RecordFrames:
    """An import that does everything: new and changed rows of every table, names, a programme, a move."""
    students = pd.DataFrame(
        {
            "student_number": ["S01", "S07", "N1", "N2"],
            "program_code": ["IF", "MI", "NEW", "IF"],
            "cohort_term": [20191, 20221, 20231, 20231],
            "degree_level": ["S1", "D3", "D4", "S1"],
            "name": ["Somebody Else", "Student S07", "New One", None],
            "advisor": [None, "citra", "dewi", "ani"],
            "extra": [{"a": 1}, None, None, None],
        }
    )
    terms = pd.DataFrame(
        {
            "student_number": ["S07", "S08", "N1", "S01"],
            "term_id": [20222, 20221, 20231, 20191],
            "status": ["A", "A", "A", "A"],
            "gpa_cum": [3.9, 1.0, 3.0, 2.0],
            "known_at": [date(2024, 1, 5), None, None, date(2020, 1, 1)],  # the last one is older news
        }
    )
    outcomes = pd.DataFrame(
        {
            "student_number": ["S08", "S02", "N2"],
            "exit_type": ["resigned", "graduated", None],
            "exit_term": [20231, 20232, None],
            "terms_to_exit": [3, 9, None],
            "exit_date": ["2024-01-10", "2024-07-18", None],
        }
    )
    attempts = pd.DataFrame(
        {
            "student_number": ["S07"],
            "course_code": ["IF1"],
            "term_id": [20221],
            "attempt": [1],
            "credits": [3],
        }
    )
    programs = pd.DataFrame([("IF", "Informatika", "S1", 8, 146)], columns=list(_PROGRAM))
    return RecordFrames(programs, students, terms, outcomes, attempts)


_PROGRAM = ("program_code", "name", "degree_level", "normal_terms", "required_credits")


def test_an_undone_import_leaves_the_store_as_it_was(small_register):
    store = small_register.store
    before, version = contents(store), queries.data_version(store)
    result = write_records(store, wrong_frames(), **ABOUT)
    assert contents(store) != before
    assert queries.search_students(store, Scope.system(), "somebody")["student_key"].tolist() != []
    undone = undo_import(store, result.import_id, **WHO)
    assert contents(store) == before
    assert undone.removed == {
        "course_attempts": 1,
        "terms": 1,
        "outcomes": 1,
        "students": 2,
        "programs": 1,
    }
    assert undone.restored == {"outcomes": 2, "terms": 2, "students": 2, "programs": 1}
    assert queries.search_students(store, Scope.system(), "somebody").empty
    assert queries.data_version(store) != version
    row = queries.imports(store).iloc[0]
    assert (row["import_id"], row["undone_by"]) == (result.import_id, "registry")
    entry = audit.entries(store).iloc[0]
    assert (entry["action"], entry["object"]) == ("undo import", result.import_id)


def test_the_same_file_can_be_imported_again_after_the_undo(small_register):
    store = small_register.store
    first = write_records(store, wrong_frames(), **ABOUT)
    once = contents(store)
    undo_import(store, first.import_id, **WHO)
    second = write_records(store, wrong_frames(), **ABOUT)
    assert second.counts == first.counts
    again = contents(store)
    assert {name: len(rows) for name, rows in again.items()} == {
        name: len(rows) for name, rows in once.items()
    }


def test_only_the_last_import_that_changed_something_can_be_undone(small_register):
    store = small_register.store
    first = last_import(store)
    assert queries.imports(store).set_index("import_id").loc[first, "source"] == "revision.csv"
    write_records(store, small_register.second, **ABOUT)  # changes nothing
    assert last_import(store) == first
    second = write_records(store, wrong_frames(), **ABOUT).import_id
    assert last_import(store) == second
    with pytest.raises(CannotUndo, match="must be the last import") as refused:
        undo_import(store, first, **WHO)
    assert refused.value.code == "not_last"
    undo_import(store, second, **WHO)
    assert last_import(store) is None
    for one in (first, second, "unknown"):
        with pytest.raises(CannotUndo):
            undo_import(store, one, **WHO)


def test_an_import_of_specimens_is_undone_with_all_that_was_made_of_them(small_register):
    store = small_register.store
    one = {"captured_on": date(2023, 9, 1), "context": "exam", "file_format": "png", "width": 9, "height": 9}
    kept = NewSpecimen("S07", b"kept", **one)
    write_specimens(store, [kept], actor="registry", source="kept.zip")
    before = contents(store)
    both = [NewSpecimen("S08", b"new ink", **one), kept]
    result = write_specimens(store, both, actor="registry", source="new.zip")
    assert (result.new, result.same) == (1, 1)
    found = queries.specimen_table(store).set_index("student_key")
    new = found.loc[small_register.keys["S08"], "specimen_id"]
    vector = np.ones((1, 4), dtype=np.float32)
    write_embeddings(store, EncoderInfo("e", "1", "0" * 64, "test", 4), [new], vector)
    cached = store.cache_folder / "maps" / f"{new}.png"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"map")
    undone = undo_import(store, result.import_id, **WHO)
    assert contents(store) == before
    assert undone.removed == {"signature_specimens": 1}
    assert not cached.exists()


def test_records_and_signatures_of_one_import_go_together(small_register):
    store = small_register.store
    before = contents(store)
    row = {"student_number": ["0117200001"], "program_code": ["IF"], "cohort_term": [20201]}
    import_id = write_records(store, RecordFrames(students=pd.DataFrame(row)), **ABOUT).import_id
    scans = (SAMPLES / "signatures.zip").read_bytes()
    plan = plan_signatures(scans, "signatures.zip", store, captured_on="entry")
    written = apply_signatures(store, plan, scans, actor="registry", import_id=import_id, skip_bad=True)
    assert written.new == 2
    undo_import(store, import_id, **WHO)
    assert contents(store) == before


def score_row(key: str, model: str, at: datetime) -> dict:
    return {
        "student_key": key, "as_of_index": 1, "as_of_term": 20221, "target": "late", "model_version": model,
        "modality": "records", "risk": 0.5, "risk_low": 0.4, "risk_high": 0.6, "margin": 0.0, "band": "low",
        "scored_at": at,
    }  # fmt: skip


@pytest.mark.parametrize(("when", "refused"), [("before", False), ("after", True)])
def test_an_import_is_not_undone_once_a_score_rests_on_it(small_register, when, refused):
    store, key = small_register.store, small_register.keys["S07"]
    model = {"model_version": "m", "status": "served", "folder": "m", "manifest": {}}
    with store.writing() as connection:
        connection.execute(insert(schema.models).values(**model, created_at=datetime(2024, 1, 1)))
    if when == "after":
        result = write_records(store, wrong_frames(), **ABOUT)
    at = datetime(2024, 9, 1) if when == "before" else datetime(2100, 1, 1)
    with store.writing() as connection:
        connection.execute(insert(schema.scores).values(**score_row(key, "m", at)))
    if when == "before":
        result = write_records(store, wrong_frames(), **ABOUT)
    before = contents(store)
    if not refused:
        undo_import(store, result.import_id, **WHO)
        return
    with pytest.raises(CannotUndo, match="1 scores rest on it") as why:
        undo_import(store, result.import_id, **WHO)
    assert why.value.code == "scored"
    assert contents(store) == before
    assert last_import(store) == result.import_id


def test_an_import_is_not_undone_once_a_note_rests_on_its_new_student(small_register):
    store = small_register.store
    result = write_records(store, wrong_frames(), **ABOUT)
    key = queries.find_student(store, Scope.system(), "N1")
    add_case_event(store, key, "ani", "note", {"text": "Talked"})
    before = contents(store)
    with pytest.raises(CannotUndo, match="other entries rest on its rows") as why:
        undo_import(store, result.import_id, **WHO)
    assert why.value.code == "used"
    assert contents(store) == before


def test_after_an_erasure_nothing_can_be_undone(small_register):
    store = small_register.store
    result = write_records(store, wrong_frames(), **ABOUT)
    erase_student(store, small_register.keys["S01"])
    assert last_import(store) is None
    with pytest.raises(CannotUndo):
        undo_import(store, result.import_id, **WHO)


def test_the_names_an_undo_needs_are_kept_encrypted_and_for_the_newest_import_only(small_register):
    store = small_register.store
    first = write_records(store, wrong_frames(), **ABOUT).import_id
    with store.reading() as connection:
        sealed = dict(connection.execute(select(schema.imports.c.import_id, schema.imports.c.replaced)).all())
    assert [key for key, value in sealed.items() if value is not None] == [first]
    assert b"Student S01" not in sealed[first]


def test_the_history_still_refuses_a_delete_where_no_import_was_undone(small_register):
    from sqlalchemy import delete
    from sqlalchemy.exc import DBAPIError

    store = small_register.store
    with pytest.raises(DBAPIError, match="append-only"), store.writing() as connection:
        connection.execute(delete(schema.row_history))
    with store.writing() as connection:
        connection.execute(update(schema.imports).values(undone_at=datetime(2024, 1, 1)))
        assert connection.execute(delete(schema.row_history)).rowcount == 1
