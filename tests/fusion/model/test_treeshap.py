import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.model import booster as boosters
from fusion.model.treeshap import NotTabular, _quadrature, _shapley, shap_values, tabulate


def trained(seed: int, depth: int, rows: int = 400, rounds: int = 12):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 6)).astype(np.float32)
    matrix[:, 1] = np.round(matrix[:, 1])  # ties at thresholds
    matrix[rng.random(matrix.shape) < 0.15] = np.nan
    filled = np.nan_to_num(matrix)
    outcome = (filled[:, 0] + filled[:, 1] * filled[:, 2] + rng.normal(size=rows) > 0).astype(int)
    parameters = {"max_depth": depth, "objective": "binary:logistic", "seed": seed, "nthread": 1}
    return xgboost.train(parameters, xgboost.DMatrix(matrix, outcome), rounds), matrix


def test_a_leaf_of_one_feature_gives_it_the_whole_effect():
    # v (o − z): a leaf of weight 2 that a quarter of the cover reaches.
    assert _shapley(2.0, [0.25])[:, 0] == pytest.approx([-0.5, 1.5])


def test_a_leaf_of_two_features_shares_their_effect_as_worked_out_by_hand():
    # z = (1/2, 1/4), v = 1, both met: phi_1 = 1/2 (1/2 · 1/4 + 1/2) = 5/16; phi_2 = 3/4 · 3/4 = 9/16.
    assert _shapley(1.0, [0.5, 0.25])[3] == pytest.approx([5 / 16, 9 / 16])
    assert _shapley(1.0, [0.5, 0.25])[3].sum() == pytest.approx(1.0 - 0.125)


def test_the_quadrature_integrates_the_polynomials_it_is_used_for():
    for d in range(1, 9):
        points, weights = _quadrature(d)
        for power in range(d):
            assert weights @ points**power == pytest.approx(1.0 / (power + 1))


@given(seed=st.integers(0, 10_000), depth=st.integers(1, 5))
@settings(max_examples=12, deadline=None)
def test_tables_agree_with_xgboost_and_sum_to_the_margin(seed, depth):
    booster, matrix = trained(seed, depth)
    expected = booster.predict(xgboost.DMatrix(matrix), pred_contribs=True)
    found = shap_values(tabulate(booster), matrix)
    assert np.abs(found - expected[:, :-1]).max() < 1e-5
    margin = booster.predict(xgboost.DMatrix(matrix), output_margin=True)
    assert np.abs(found.sum(axis=1) + expected[0, -1] - margin).max() < 1e-5


def test_tables_agree_with_the_shap_package():
    import shap

    booster, matrix = trained(3, 4)
    expected = shap.TreeExplainer(booster).shap_values(matrix)
    assert np.abs(shap_values(tabulate(booster), matrix) - expected).max() < 1e-5


def test_threads_do_not_change_the_values():
    booster, matrix = trained(4, 3)
    leaves = tabulate(booster)
    assert np.array_equal(shap_values(leaves, matrix, 3), shap_values(leaves, matrix, 1))


def test_trees_that_tables_cannot_hold_are_left_to_xgboost(monkeypatch):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(600, 12)).astype(np.float32)
    outcome = (np.abs(matrix).sum(axis=1) > 9.5).astype(int)
    parameters = {"max_depth": 11, "objective": "binary:logistic", "min_child_weight": 0, "nthread": 1}
    booster = xgboost.train(parameters, xgboost.DMatrix(matrix, outcome), 3)
    with pytest.raises(NotTabular, match="more than 8 features"):
        tabulate(booster)
    monkeypatch.setattr(boosters, "TABLE_ROWS", 1)
    values, base = boosters.tree_shap(booster, matrix)
    margin = boosters.tree_margin(booster, matrix)
    assert np.abs(values.sum(axis=1) + base - margin).max() < 1e-5


def test_many_rows_and_few_rows_get_the_same_values(monkeypatch):
    booster, matrix = trained(5, 4)
    few, base = boosters.tree_shap(booster, matrix)
    monkeypatch.setattr(boosters, "TABLE_ROWS", 1)
    many, same = boosters.tree_shap(booster, matrix)
    assert np.abs(few - many).max() < 1e-5
    assert base == pytest.approx(same, abs=1e-6)


def test_a_constant_model_has_nothing_to_tabulate():
    matrix = np.zeros((10, 2), np.float32)
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(matrix, np.zeros(10)), 0)
    with pytest.raises(NotTabular, match="no split"):
        tabulate(booster)
