import numpy as np
import pytest

from fusion.model.blend import choose_weight, fit_records
from fusion.model.booster import TreeSettings
from fusion.model.linear import LinearPart, fit_linear, linear_out_of_fold


def example(rows=400, seed=0):
    """Three columns: one that matters, one that never varies, one that is missing now and then."""
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([rng.normal(size=rows), np.full(rows, 3.0), rng.uniform(0, 10, rows)])
    absent = rng.random(rows) < 0.3
    matrix[absent, 2] = np.nan
    chance = 1 / (1 + np.exp(-(1.5 * matrix[:, 0] + absent - 0.5)))
    return matrix.astype(np.float32), (rng.random(rows) < chance).astype(float)


def test_terms_are_those_worked_out_by_hand():
    one = np.ones(1)
    line = LinearPart(0.5, 0 * one, 4 * one, 1 * one, 2 * one, 3 * one, 0.25 * one)
    # 2·(3-1) - 3·0.25; beyond the range: 2·(4-1) - 0.75; missing: 3·(1-0.25)
    found = line.contributions(np.array([[3.0], [9.0], [np.nan]]))
    assert found[:, 0] == pytest.approx([3.25, 5.25, 2.25])
    assert line.margin(np.array([[3.0]])) == pytest.approx([3.75])


def test_the_line_is_that_of_scikit_learn_and_its_terms_agree_with_the_shap_package():
    import shap
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(300, 4)).astype(np.float32)
    outcome = (rng.random(300) < 1 / (1 + np.exp(-matrix[:, 0] + matrix[:, 3]))).astype(float)
    line = fit_linear(matrix, outcome)
    standard = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(standard, outcome)
    assert np.allclose(line.margin(matrix), theirs.decision_function(standard), atol=1e-3)
    explainer = shap.LinearExplainer((line.slope, line.intercept), (matrix.mean(axis=0), np.eye(4)))
    assert np.abs(explainer.shap_values(matrix) - line.contributions(matrix)).max() < 1e-5


def test_terms_are_nought_on_average_and_a_constant_column_says_nothing():
    matrix, outcome = example()
    line = fit_linear(matrix, outcome)
    terms = line.contributions(matrix)
    assert np.abs(terms.mean(axis=0)).max() < 1e-5
    assert (terms[:, 1] == 0).all()
    assert line.slope[0] > 1 and line.absent_slope[2] > 0.5
    assert np.isfinite(line.margin(np.full((2, 3), np.nan, np.float32))).all()


def test_too_few_of_one_outcome_leave_the_trees_alone():
    matrix, outcome = example(60)
    rare = np.zeros(60)
    rare[:5] = 1
    assert fit_linear(matrix, rare) is None
    students = np.arange(60)
    assert linear_out_of_fold(matrix, rare, students, np.random.default_rng(0)) is None
    model, _ = fit_records(matrix, rare, students, TreeSettings(rounds=5), np.random.default_rng(0))
    assert model.line is None and model.weight == 1.0
    assert model.margin(matrix).shape == (60,)


def test_the_weight_goes_half_way_from_the_best_to_equal():
    outcome = np.r_[np.ones(50), np.zeros(50)]
    good, bad = np.where(outcome == 1, 3.0, -3.0), np.where(outcome == 1, -3.0, 3.0)
    assert choose_weight(good, bad, outcome) == pytest.approx(0.75)
    assert choose_weight(bad, good, outcome) == pytest.approx(0.25)


def test_the_blend_and_its_shares_sum_to_the_margin():
    matrix, outcome = example()
    model, held_out = fit_records(
        matrix, outcome, np.arange(400), TreeSettings(rounds=40), np.random.default_rng(1)
    )
    values, base = model.shap(matrix)
    assert np.abs(base + values.sum(axis=1, dtype=float) - model.margin(matrix)).max() < 1e-5
    assert np.corrcoef(held_out, model.margin(matrix))[0, 1] > 0.8
