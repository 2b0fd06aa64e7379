"""A register read part by part: the same rows, model, scores and pages as one read whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.records.spans import Span, spans
from data.store import open_store, serve_model
from data.trust.scope import Scope
from fusion import pipeline
from fusion.service import scoring, sources
from fusion.service.sources import Parts, read_rows
from tests.fusion.test_pipeline import QUICK, fill

SCORES = ["student_key", "as_of_index", "as_of_term", "target", "risk", "risk_low", "risk_high", "band"]


def everything_shown(store):
    """Scores, explanations, and what the pages read of them."""
    version = queries.served_model(store).version
    scores = pd.concat([queries.scores(store, version, target) for target in ("late", "dropout")])
    scores = scores.sort_values(["target", "as_of_index", "student_key"], ignore_index=True)
    why = [queries.explanation(store, Scope.system(), int(key)) for key in scores["score_id"]]
    shown = [queries.caseload(store, Scope.system(), target, 500) for target in ("late", "dropout")]
    shown = [rows.drop(columns=["score_id", "scored_at"], errors="ignore") for rows in shown]
    cubes = [queries.cohort_cube(store, Scope.system(), target) for target in ("late", "dropout")]
    return [scores[SCORES]], np.vstack([one.phi for one in why]), shown, cubes


def test_spans_hold_every_student_once_in_the_order_of_keys(small_register):
    store = small_register.store
    every = queries.people(store).students["student_key"].tolist()
    for most in (1, 2, len(every), len(every) + 1):
        parts = spans(store, most)
        found = [
            queries.WholeRegister(store, part).until().students["student_key"].tolist() for part in parts
        ]
        assert [key for part in found for key in part] == every
        assert max(map(len, found)) <= most and len(parts) == -(-len(every) // most)
    assert spans(store, most=len(every)) == [queries.EVERYBODY]


def test_an_empty_register_is_one_part_without_anybody(store):
    assert spans(store) == [Span()]
    assert queries.people(store).day is None
    with pytest.raises(ValueError, match="outcomes or terms"):
        _ = Parts(store).today


def test_people_are_the_register_without_what_they_studied(small_register):
    whole, people = queries.records_until(small_register.store), queries.people(small_register.store)
    for name in ("students", "outcomes", "programs"):
        pd.testing.assert_frame_equal(getattr(people, name), getattr(whole, name))
    assert people.terms.empty and list(people.terms) == list(whole.terms)
    assert people.calendar == whole.calendar and people.grade_rules == whole.grade_rules


@pytest.mark.parametrize("most", [7, 100])
def test_rows_read_in_parts_are_those_of_the_whole(store, most):
    fill(store, 150)
    whole, parts = read_rows(Parts(store)), read_rows(Parts(store, most))
    pd.testing.assert_frame_equal(parts.table, whole.table)
    pd.testing.assert_frame_equal(parts.meta, whole.meta)
    np.testing.assert_array_equal(parts.position, whole.position)
    np.testing.assert_array_equal(parts.signatures.states, whole.signatures.states)
    some = whole.students[:: len(whole) // 5]
    few = read_rows(Parts(store, most), of=some)
    pd.testing.assert_frame_equal(few.table, whole.of_students(some).table)
    assert few.signatures.keys.size < whole.signatures.keys.size
    np.testing.assert_array_equal(
        few.signatures.states[few.position[few.signed]],
        whole.signatures.states[whole.of_students(some).position[few.signed]],
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a register of 150 comes to that is read whole: the training, its watch, and what is shown."""
    folder = tmp_path_factory.mktemp("whole")
    one = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    fill(one, 150)
    trained = pipeline.train(one, **QUICK)
    yield trained, everything_shown(one)
    one.close()


@pytest.fixture
def in_parts(store, monkeypatch):
    """The same register where forty students make a part, without a model yet."""
    fill(store, 150)
    monkeypatch.setattr(sources, "PART", 40)
    return store


def same(found, wanted):
    for mine, theirs in zip(found[0] + found[2] + found[3], wanted[0] + wanted[2] + wanted[3], strict=True):
        pd.testing.assert_frame_equal(mine, theirs)
    np.testing.assert_array_equal(found[1], wanted[1])


def test_a_register_in_parts_is_taught_scored_and_shown_as_the_whole(in_parts, whole):
    said = []
    trained = pipeline.train(in_parts, **QUICK, progress=lambda done, total, what: said.append(what))
    assert len(Parts(in_parts)) == 4 and trained.scores == whole[0].scores > 0
    assert trained.model.version == whole[0].model.version  # the same rows, to the bit
    assert trained.model.manifest.monitor == whole[0].model.manifest.monitor
    assert "scoring as of 3 terms, part 2 of 4 of the students" in said
    same(everything_shown(in_parts), whole[1])


def test_a_scoring_in_parts_that_was_cut_off_is_completed_and_shown(in_parts, whole, monkeypatch):
    written, write = [], scoring.write_scores

    def cut_off(*arguments, **further):
        written.append(write(*arguments, **further))
        if len(written) == 12:
            raise KeyboardInterrupt  # the second of four parts has begun
        return written[-1]

    monkeypatch.setattr(scoring, "write_scores", cut_off)
    with pytest.raises(KeyboardInterrupt):
        pipeline.train(in_parts, **QUICK)
    assert 0 < sum(written) < whole[0].scores
    assert queries.served_model(in_parts) is None
    monkeypatch.setattr(scoring, "write_scores", write)
    trained = pipeline.train(in_parts, **QUICK)
    assert trained.scores == whole[0].scores - sum(written)
    same(everything_shown(in_parts), whole[1])
    assert pipeline.score(in_parts) == 0


def test_scores_that_were_written_and_not_shown_yet_are_shown_by_the_next_scoring(
    in_parts, whole, monkeypatch
):
    def cut_off(*about):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "put_into_service", lambda *about, **further: 0)
    serve_model(in_parts, pipeline.train(in_parts, **QUICK).model.version)
    monkeypatch.setattr(scoring, "show_scores", cut_off)
    with pytest.raises(KeyboardInterrupt):
        pipeline.score(in_parts)
    assert queries.caseload(in_parts, Scope.system(), "late", 500).empty  # what pages show is of one moment
    monkeypatch.undo()
    assert pipeline.score(in_parts) == 0
    same(everything_shown(in_parts), whole[1])
