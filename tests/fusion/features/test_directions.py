"""Every feature has a declared direction, and models keep it, whatever the data say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.features.assemble import may_be_scored, training_set
from fusion.features.directions import DIRECTIONS, Direction, column_signs
from fusion.features.encode import fit_encoder
from fusion.features.feature_list import FEATURES
from fusion.features.splits import mature_labels
from fusion.model.blend import fit_records
from fusion.model.booster import TreeSettings
from fusion.model.fit import fit_model
from fusion.model.linear import fit_linear
from fusion.model.manifest import Manifest
from fusion.model.model_files import load_model_folder, save_model_folder
from fusion.validation.signs import feature_signs, lever_signs, reason_signs

SMALL = TreeSettings(rounds=60)
TARGETS = ("late", "dropout")


def test_every_feature_has_a_direction_or_a_reason_for_none():
    assert set(DIRECTIONS) == set(FEATURES)
    for name, direction in DIRECTIONS.items():
        assert {direction.late, direction.dropout} <= {-1, 0, 1}, name
        assert direction.why or (direction.late and direction.dropout), name


def test_directions_are_those_of_common_sense():
    lower = {"gpa_cum", "gpa_lowest", "gpa_trend", "credits_last", "pass_ratio", "attendance_change"}
    higher = {"failed_last", "failed_total", "arrears_terms", "credits_needed", "inactive_terms"}
    for target in TARGETS:
        assert {DIRECTIONS[name].of(target) for name in lower} == {-1}
        assert {DIRECTIONS[name].of(target) for name in higher} == {1}
    status = DIRECTIONS["status_last"]
    assert [status.of("late", value) for value in ("A", "C", "N", "G")] == [-1, 1, 1, 0]


def test_columns_get_the_direction_of_their_feature_and_unknown_ones_are_free():
    table = pd.DataFrame({"status_last": ["A", "N"] * 20, "failed_last": 1.0, "gpa_last": 2.0, "odd": 1.0})
    encoder = fit_encoder(table)
    assert encoder.columns == ["status_last=A", "status_last=N", "failed_last", "gpa_last", "odd"]
    assert column_signs(encoder, "late").tolist() == [-1, 1, 1, -1, 0]
    only_late = {"failed_last": Direction(late=1, why="for a test")}
    assert column_signs(encoder, "dropout", only_late).tolist() == [0] * 5


def test_the_spread_of_grades_is_no_predictor_but_stays_in_the_table():
    table = pd.DataFrame({"gpa_last": [2.0], "gpa_spread": [0.4]})
    assert fit_encoder(table).names == ("gpa_last",)
    assert fit_encoder(table, ["gpa_spread"]).names == ("gpa_spread",)  # models that did look at it


def collinear(seed: int, rows: int = 500):
    """Passed, failed and taken of one term, of which a free line turns one over; some are missing."""
    rng = np.random.default_rng(seed)
    taken = rng.integers(4, 8, rows)
    failed = rng.binomial(taken, 0.25)
    passed = taken - failed + rng.normal(0, 0.05, rows)
    matrix = np.column_stack([failed, passed, taken]).astype(np.float32)
    chance = 1 / (1 + np.exp(-(1.0 - 0.5 * passed)))
    outcome = (rng.random(rows) < chance).astype(float)
    matrix[rng.random(rows) < 0.15, 1] = np.nan
    return matrix, outcome


@given(seed=st.integers(0, 10_000), signs=st.lists(st.sampled_from([-1, 0, 1]), min_size=3, max_size=3))
@settings(max_examples=25, deadline=None)
def test_a_line_keeps_any_directions_and_places_the_missing_between_the_ends(seed, signs):
    matrix, outcome = collinear(seed)
    line = fit_linear(matrix, outcome, np.array(signs))
    assert all(slope * sign >= 0 for slope, sign in zip(line.slope, signs, strict=True))
    ends = np.tile(np.nanmean(matrix, axis=0), (3, 1)).astype(np.float32)
    for column, sign in enumerate(signs):
        if not sign:
            continue
        tried = ends.copy()
        tried[:, column] = [np.nanmin(matrix[:, column]), np.nan, np.nanmax(matrix[:, column])][::sign]
        assert (np.diff(line.margin(tried)) >= -1e-5).all()


def test_a_bound_line_is_the_best_of_those_allowed():
    """The loss is no higher than at the free optimum clipped, nor at any small step inside the bounds."""
    matrix, outcome = collinear(3)
    matrix = np.nan_to_num(matrix, nan=5.0)
    signs = np.array([1, -1, 0])
    line = fit_linear(matrix, outcome, signs)

    def loss(one) -> float:
        margin = one.margin(matrix)
        scale = matrix.std(axis=0)
        fit = np.logaddexp(0, margin) - outcome * margin
        return float(fit.sum() + ((one.slope * scale) ** 2).sum() / 2)

    rng = np.random.default_rng(0)
    for _ in range(200):
        slope = line.slope + rng.normal(0, 0.02, 3)
        slope = np.where(signs == 0, slope, signs * np.maximum(signs * slope, 0))
        moved = replace(line, slope=slope, intercept=line.intercept + rng.normal(0, 0.02))
        assert loss(moved) >= loss(line) - 1e-4


def test_free_directions_leave_the_line_as_it_was():
    matrix, outcome = collinear(4)
    free, none = fit_linear(matrix, outcome, np.zeros(3, int)), fit_linear(matrix, outcome)
    assert np.array_equal(free.slope, none.slope) and free.intercept == none.intercept


def test_trees_see_the_usual_value_where_one_with_a_direction_is_missing():
    matrix, outcome = collinear(5)
    students, signs = np.arange(len(outcome)), np.array([1, -1, 0])
    model, _ = fit_records(matrix, outcome, students, SMALL, np.random.default_rng(0), signs)
    seen = model.seen(np.full((1, 3), np.nan, np.float32))[0]
    assert seen[1] == pytest.approx(np.nanquantile(matrix[:, 1], 0.5, method="inverted_cdf"))
    assert np.isnan(seen[2])


@pytest.fixture(scope="module")
def taught(simulated):
    """Models of both targets: with directions, and free."""
    known = mature_labels(simulated.register)
    training_sets = {target: training_set(simulated.rows, known, target) for target in TARGETS}
    kept = fit_model(training_sets, seed=3, settings=SMALL, manifest=Manifest("risk-kept"))
    return kept, fit_model(training_sets, seed=3, settings=SMALL, directions={}), training_sets


@pytest.mark.parametrize("target", TARGETS)
def test_no_lever_feature_or_reason_runs_against_its_direction(taught, simulated, target):
    model = taught[0]
    rows = simulated.rows.take(may_be_scored(simulated.rows, target))
    rows = rows.take(np.arange(0, len(rows), 4))
    for found in (lever_signs(model, rows, target), feature_signs(model, rows, target)):
        assert found.total[0] == 0 and found.total[1] > 1000, found
    found = reason_signs(model, rows, target)
    assert found.total[0] == 0 and found.total[1] > 3000, found
    assert all(found.looked_at[name] for name in ("failed_last", "gpa_cum", "credits_last", "status_last"))


def test_the_check_finds_what_a_free_model_does(taught, simulated):
    rows = simulated.rows.take(may_be_scored(simulated.rows, "late"))
    rows = rows.take(np.arange(0, len(rows), 6))
    free = taught[1]
    assert lever_signs(free, rows, "late").total[0] > 0
    assert feature_signs(free, rows, "late").total[0] > 0
    values = free.targets["late"].records.shap(free.encoder.matrix(rows.table))[0]
    assert reason_signs(free, rows, "late", phi=free.encoder.group(values)).total[0] > 0


def test_the_calibrated_risk_and_the_band_keep_the_direction_too(taught):
    model, _, training_sets = taught
    rows = training_sets["late"].rows
    row = rows.take(np.flatnonzero((rows.as_of == 4) & rows.table["failed_last"].notna().to_numpy())[:1])
    many = row.take(np.zeros(8, int))
    table = many.table.assign(failed_last=np.arange(8.0))
    frame = model.score(type(row)(table, many.meta, many.signatures, many.position), "late").frame
    assert (frame["risk"].diff().dropna() >= -1e-9).all()


def test_a_model_from_before_loads_and_says_so(taught, tmp_path):
    kept = taught[0]
    targets = {
        n: replace(t, records=replace(t.records, instead=None, peers=None)) for n, t in kept.targets.items()
    }
    before = replace(kept, targets=targets, manifest=Manifest("risk-before", format=2))
    again = load_model_folder(tmp_path / "b", save_model_folder(before, tmp_path / "b").files)
    assert not again.keeps_directions
    again = load_model_folder(tmp_path / "k", save_model_folder(kept, tmp_path / "k").files)
    assert again.keeps_directions


def test_one_tie_gives_no_sign(taught):
    """Of a value equal to the peers' usual one nothing is said: its contribution is nought."""
    model, _, training_sets = taught
    rows = training_sets["late"].rows
    records = model.targets["late"].records
    matrix = model.encoder.matrix(rows.table)
    usual = records.peers.usual[records.peers.group_of(rows.table)]
    values, _ = records.shap_against_peers(matrix, rows.table)
    same = (matrix == usual) & ~records.peers.shares
    assert same.sum() > 1000 and (values[same] == 0).all()
