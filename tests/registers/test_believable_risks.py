"""What the model says of anybody can be believed, in the second university as in the demo."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from benchmarks.signs import demo_frames
from data import queries
from fusion.features.assemble import all_rows, may_be_scored, training_set
from fusion.features.splits import mature_labels
from fusion.model.fit import fit_model
from fusion.model.risk_model import UTMOST

pytestmark = pytest.mark.slow
NEAR = 0.25  # of the share observed; the risks are those of past students themselves


def taught(read):
    """Rows, labels and a model of both targets."""
    register = read(None)
    rows, labels = all_rows(read), mature_labels(register)
    sets = {target: training_set(rows, labels, target) for target in ("late", "dropout")}
    return rows, labels, sets, fit_model(sets), register


@pytest.fixture(scope="module", params=["second university", "demo"])
def world(request):
    """The second university, whose records part drop-outs from all others, and the demo of 400 students."""
    if request.param == "demo":
        frames = demo_frames(400, 11)
        return taught(lambda index: frames)
    store = request.getfixturevalue("university")
    return taught(partial(queries.records_until, store))


def test_no_risk_is_smaller_than_so_many_past_students_can_bear(world):
    rows, labels, _, model, _ = world
    for target in ("late", "dropout"):
        risk = model.risk(rows.take(may_be_scored(rows, target)), target)
        assert risk.min() > 0.5 / (len(labels) + 1) > 1e-4 and risk.max() < 1 - 0.5 / (len(labels) + 1)


def test_nobody_below_the_mean_of_all_past_students_is_called_high(world):
    for target, part in world[2].items():
        _, high, _ = world[3].targets[target].bands
        assert high >= min(part.outcome.mean(), UTMOST[1]) - 0.02, target


def test_a_word_never_contradicts_its_number(world):
    for target, part in world[2].items():
        edges = world[3].targets[target].bands
        assert edges[0] <= part.outcome.mean() + 0.02, target
        assert all(edge <= most for edge, most in zip(edges, UTMOST, strict=True)), target


def test_who_came_another_way_than_nearly_all_is_scored_as_such_students_fared(world):
    """Ten of eleven past transfers of a demo were on time, and the model said so of two in a hundred."""
    _, labels, sets, model, register = world
    ways = register.students.set_index("student_key")["entry_type"].reindex(labels.index)
    few = set(ways.index[ways.notna() & ~ways.isin(model.encoder.categories["entry_type"])])
    assert few
    for target, part in sets.items():
        mine = part.rows.meta["student_key"].isin(few).to_numpy()
        told = model.risk(part.rows.take(mine), target)
        assert np.mean(told) == pytest.approx(part.outcome[mine].mean(), abs=NEAR), target
