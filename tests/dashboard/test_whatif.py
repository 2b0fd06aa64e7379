"""The what-if of a stored score: without a change it comes back, and levers move it."""

import pytest

from dashboard import whatif
from data import queries
from data.scope import Scope
from fusion.pipeline import load_model

EVERYBODY = Scope.system()


@pytest.fixture(scope="module")
def scores(small_university):
    """The model, and a stored explanation of each modality that the store has."""
    store = small_university.store
    listed = queries.caseload(store, EVERYBODY, "late", 300)
    listed = listed[listed["as_of_index"] >= 2]
    found = {
        modality: queries.explanation(store, EVERYBODY, rows.iloc[0]["score_id"])
        for modality, rows in listed.groupby("modality")
    }
    return load_model(store), found


def test_without_a_change_the_stored_score_comes_back(scores):
    model, found = scores
    assert found
    for stored in found.values():
        same = whatif.changed_score(model, whatif.stored_row(model, stored), stored, {})
        assert same.risk == pytest.approx(stored.score["risk"], abs=1e-4)
        assert (same.low, same.high) == pytest.approx(
            (stored.score["risk_low"], stored.score["risk_high"]), abs=1e-4
        )
        assert same.band == stored.score["band"]


def test_the_levers_start_at_what_the_register_says(scores):
    model, found = scores
    stored = next(iter(found.values()))
    row = whatif.stored_row(model, stored)
    known = whatif.levers(row)
    assert known
    for name, (now, low, high) in known.items():
        assert low <= now <= high, name
        assert now == pytest.approx(float(stored.inputs[list(model.encoder.names).index(name)]), abs=1e-4)


def test_the_worst_grades_give_a_higher_risk_than_the_best(scores):
    model, found = scores
    stored = next(iter(found.values()))
    row = whatif.stored_row(model, stored)
    worst = whatif.changed_score(model, row, stored, {"gpa_last": 0.0})
    best = whatif.changed_score(model, row, stored, {"gpa_last": 4.0})
    assert worst.risk > best.risk
    assert 0 < worst.low <= worst.risk <= worst.high < 1
