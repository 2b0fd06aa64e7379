"""An import counts anew the cohorts of its students alone, and what it leaves is what a whole count gives."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from benchmarks.store import register_frames, score_parts, so_far, write
from data import schema
from data.records import derived
from data.records.derived import rebuild_register_cubes, rebuild_risk, refresh
from data.records.frames import RecordFrames
from data.store import save_model, write_scores

CUBES = (schema.course_cube, schema.flow_cube, schema.term_cube, schema.risk_cube, schema.risk_current)


@pytest.fixture
def scored(store, monkeypatch):
    """A scored register of which no import is one of few students."""
    monkeypatch.setattr(derived, "FEW_STUDENTS", 0)
    rng = np.random.default_rng(1)
    frames = so_far(register_frames(400, 4, rng))
    write(store, frames)
    save_model(store, "benchmark", "benchmark", {}, "served")
    write_scores(store, *score_parts(store, 2, rng))
    return store, frames


def held(store) -> dict[str, list[tuple]]:
    with store.reading() as connection:
        return {
            table.name: sorted(
                tuple(round(cell, 9) if isinstance(cell, float) else cell for cell in row)
                for row in connection.execute(select(table))
            )
            for table in CUBES
        }


def counted_whole(store) -> dict[str, list[tuple]]:
    with store.writing() as connection:
        rebuild_register_cubes(connection)
        rebuild_risk(connection, "benchmark")
    return held(store)


def test_an_import_of_one_programme_counts_its_cohorts_alone(scored, monkeypatch):
    store, frames = scored
    seen = []
    monkeypatch.setattr(
        derived,
        "rebuild_register_cubes",
        lambda on, which: seen.append(which) or rebuild_register_cubes(on, which),
    )
    mine = frames.students[frames.students["program_code"].isin(["P01", "P02"])]
    terms = frames.terms[frames.terms["student_number"].isin(mine["student_number"])]
    left = frames.outcomes[frames.outcomes["student_number"].isin(mine["student_number"])]
    before = held(store)
    write(
        store,
        RecordFrames(terms=terms.assign(status="C", gpa_cum=1.5), outcomes=left.assign(exit_type="resigned")),
    )
    (touched,) = seen
    assert touched == frozenset(mine[["program_code", "cohort_term"]].itertuples(index=False, name=None))
    after = held(store)
    assert after != before and after == counted_whole(store)


def test_students_who_go_to_another_programme_are_counted_in_both(scored):
    store, frames = scored
    mine = frames.students[frames.students["program_code"] == "P03"]
    write(store, RecordFrames(students=mine.assign(program_code="P04")))
    found = held(store)
    assert not any("P03" in row for row in found["flow_cube"]) and found == counted_whole(store)


def test_most_of_a_register_is_counted_whole_and_nobody_not_at_all(scored, monkeypatch):
    store, frames = scored
    seen = []
    monkeypatch.setattr(derived, "rebuild_register_cubes", lambda on, which: seen.append(which))
    write(store, RecordFrames(terms=frames.terms.assign(gpa_cum=2.5)))
    with store.writing() as connection:
        refresh(connection, [])
    assert seen == [None, frozenset()]
