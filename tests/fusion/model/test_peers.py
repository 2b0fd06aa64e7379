"""Reasons against the typical peer: who that is, and that the values are exact."""

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
import xgboost

from fusion.features.encode import fit_encoder
from fusion.model.blend import RecordsModel
from fusion.model.linear import fit_linear
from fusion.model.peers import LEAST_PEERS, Peers, peer_shap, typical_peers
from fusion.model.treeshap import against, shap_values, tabulate


def example(seed=0, rows=300):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 5)).astype(np.float32)
    matrix[:, 3:] = rng.random((rows, 2)) < 0.3
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    filled = np.nan_to_num(matrix)
    outcome = (filled[:, 0] - filled[:, 1] * filled[:, 2] + filled[:, 3] + rng.normal(size=rows) > 0).astype(
        int
    )
    parameters = {"max_depth": 3, "objective": "binary:logistic", "nthread": 1}
    return xgboost.train(parameters, xgboost.DMatrix(matrix, outcome), 15), matrix, outcome


def single(row) -> Peers:
    """One group whose usual values are those of a row."""
    usual = np.asarray(row, float)[None]
    return Peers(("",), usual, np.isnan(usual).astype(float), np.zeros(usual.shape[1], bool))


def test_against_one_row_the_values_are_those_of_the_shap_package():
    import shap

    booster, matrix, _ = example()
    matrix = np.nan_to_num(matrix)  # the package's interventional values know nothing of missing ones
    values, base = peer_shap(booster, matrix[:60], np.zeros(60, int), single(matrix[99]))
    explainer = shap.TreeExplainer(booster, matrix[99:100], feature_perturbation="interventional")
    assert np.abs(values - explainer.shap_values(matrix[:60])).max() < 1e-5
    assert base == pytest.approx(np.full(60, float(np.ravel(explainer.expected_value)[0])), abs=1e-5)


def test_many_and_few_rows_get_the_same_values_and_they_sum_to_the_margin():
    booster, matrix, _ = example(2)
    many, base = peer_shap(booster, matrix, np.zeros(len(matrix), int), single(matrix[7]))
    few, _ = peer_shap(booster, matrix[:20], np.zeros(20, int), single(matrix[7]))
    assert np.abs(many[:20] - few).max() < 1e-6
    margin = booster.predict(xgboost.DMatrix(matrix), output_margin=True)
    assert np.abs(base + many.sum(axis=1, dtype=float) - margin).max() < 1e-5


def test_against_shares_the_values_are_the_mean_over_all_baselines_by_hand():
    """Every subset of the columns, every mix of the two share columns: Shapley's formula spelled out."""
    booster, matrix, _ = example(3)
    row, usual = matrix[11], np.nan_to_num(matrix[5]).astype(float)
    shares = np.array([False, False, False, True, True])
    usual[shares], missing = [0.25, 0.6], np.array([[0, 0, 0, 0.1, 0]])
    peers = Peers(("",), usual[None], missing, shares)

    def margin(one) -> float:
        return float(booster.predict(xgboost.DMatrix(np.float32([one])), output_margin=True)[0])

    def mean(kept) -> float:
        total = 0.0
        for a, p in ((1, 0.9 * 0.25), (0, 0.9 * 0.75), (np.nan, 0.1)):
            for b, q in ((1, 0.6), (0, 0.4)):
                other = np.r_[usual[:3], a, b]
                total += p * q * margin(np.where(np.isin(np.arange(5), kept), row, other))
        return total

    expected = np.zeros(5)
    for column in range(5):
        rest = [c for c in range(5) if c != column]
        for size in range(5):
            weight = factorial(size) * factorial(4 - size) / factorial(5)
            for kept in combinations(rest, size):
                expected[column] += weight * (mean((*kept, column)) - mean(kept))
    values, base = peer_shap(booster, row[None], np.zeros(1, int), peers)
    assert values[0] == pytest.approx(expected, abs=1e-5)
    assert base[0] == pytest.approx(mean(()), abs=1e-5)


def test_the_path_dependent_values_come_back_with_the_covers_shares():
    booster, matrix, _ = example(4)
    leaves = tabulate(booster)
    inner = against(leaves, np.full(len(leaves.feature), 0.5))
    assert not np.allclose(inner.table, leaves.table)
    expected = booster.predict(xgboost.DMatrix(matrix), pred_contribs=True)
    assert np.abs(shap_values(leaves, matrix) - expected[:, :-1]).max() < 1e-5


def test_the_blend_sums_to_its_margin_against_peers():
    booster, matrix, outcome = example(5)
    peers = single(matrix[3])
    for line in (None, fit_linear(matrix, outcome)):
        model = RecordsModel(booster, line, 1.0 if line is None else 0.4, None, peers)
        values, base = model.shap_against_peers(matrix, pd.DataFrame(index=range(len(matrix))))
        assert np.abs(base + values.sum(axis=1, dtype=float) - model.margin(matrix)).max() < 5e-6
        assert (values[3] == 0).all()  # the typical row itself has no reasons


def test_what_is_missing_among_the_peers_too_is_no_reason():
    """Before the first term nobody has a GPA: trees see the same value in its place, of row and peers."""
    booster, matrix, _ = example(6)
    instead = np.r_[0.7, -0.4, np.nan, np.nan, np.nan]
    typical = matrix[3].copy()
    typical[:3] = np.nan
    model = RecordsModel(booster, None, 1.0, instead, single(typical))
    rows = np.vstack([typical, matrix[:50]]).astype(np.float32)
    values, base = model.shap_against_peers(rows, pd.DataFrame(index=range(len(rows))))
    assert (values[0] == 0).all()
    assert np.abs(base + values.sum(axis=1, dtype=float) - model.margin(rows)).max() < 5e-6


def table(rows: int = 2 * LEAST_PEERS) -> pd.DataFrame:
    """Half after one term, half after two, one D3 among the latter."""
    half = rows // 2
    return pd.DataFrame(
        {
            "degree_level": ["S1"] * (rows - 1) + ["D3"],
            "as_of_index": [1.0] * half + [2.0] * half,
            "entry_type": ["new"] * (rows - 9) + ["transfer"] * 9,
            "failed_last": [0.0] * (half - 5) + [3.0] * 5 + [1.0] * half,
            "gpa_last": [np.nan] * (half - 5) + [3.0] * 5 + [2.5] * half,
            "status_last": ["A"] * (rows - 10) + ["N"] * 10,
        }
    )


def test_peers_are_of_the_same_term_and_level_and_the_usual_is_the_median():
    rows = table()
    encoder = fit_encoder(rows)
    signs = np.array([0] * encoder.columns.index("failed_last") + [1, -1, -1, 1])
    peers = typical_peers(encoder, rows, signs)
    at = {name: place for place, name in enumerate(encoder.columns)}
    groups = [peers.names[g] for g in peers.group_of(rows)]
    assert groups[0] == "1|S1" and groups[-1] == "2|"  # one D3 student is no group: the term's stands in
    assert "2|S1" not in peers.names  # 29 rows
    first, second, everybody = (peers.names.index(name) for name in ("1|S1", "2|", ""))
    assert peers.usual[first, at["failed_last"]] == 0 and peers.usual[second, at["failed_last"]] == 1
    assert np.isnan(peers.usual[first, at["gpa_last"]]) and peers.usual[second, at["gpa_last"]] == 2.5
    assert peers.usual[second, [at["status_last=A"], at["status_last=N"]]].tolist() == [1, 0]
    assert peers.shares[at["entry_type=new"]] and not peers.shares[at["status_last=A"]]
    assert peers.usual[everybody, at["entry_type=transfer"]] == pytest.approx(9 / 60)


def test_a_group_never_seen_is_held_against_everybody():
    rows = table()
    encoder = fit_encoder(rows)
    peers = typical_peers(encoder, rows, np.zeros(len(encoder.columns), int))
    strange = pd.DataFrame({"degree_level": ["S2", None], "as_of_index": [7.0, np.nan]})
    assert [peers.names[g] for g in peers.group_of(strange)] == ["", ""]
    assert [peers.names[g] for g in peers.group_of(rows[["gpa_last"]].head(1))] == [""]


def test_the_share_of_peers_with_a_value_is_counted_within_the_group():
    rows = table()
    encoder = fit_encoder(rows)
    signs = np.array([0] * encoder.columns.index("failed_last") + [1, -1, -1, 1])
    peers = typical_peers(encoder, rows, signs)
    columns = {name: np.flatnonzero(encoder.owners == place) for place, name in enumerate(encoder.names)}
    group = peers.group_at(2.0, "S1")
    assert peers.names[group] == "2|" and peers.group_at(None, None) == peers.names.index("")
    new, transfer = (
        encoder.categories["entry_type"].index("new"),
        encoder.categories["entry_type"].index("transfer"),
    )
    assert peers.share_with(group, columns["entry_type"], new) == pytest.approx(21 / 30)
    assert peers.share_with(group, columns["entry_type"], transfer) == pytest.approx(9 / 30)
    assert peers.share_with(group, columns["entry_type"], -1) == pytest.approx(0)
    assert peers.share_with(group, columns["entry_type"], None) == 0
    assert peers.share_with(group, columns["status_last"], 0) == 0  # it has a direction
    assert peers.share_with(group, columns["failed_last"], 0) == 0  # a number
