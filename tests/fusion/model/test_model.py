import json

import numpy as np
import pandas as pd
import pytest

from fusion.features.assemble import training_set
from fusion.features.encode import fit_encoder
from fusion.features.feature_list import LeakageError
from fusion.features.rows import TrainingSet
from fusion.features.splits import mature_labels
from fusion.model.booster import TreeSettings, fit_trees, tree_margin, tree_shap
from fusion.model.fit import fit_model
from fusion.model.manifest import Manifest, read_manifest
from fusion.model.model_files import ModelFileError, load_model_folder, save_model_folder
from fusion.model.risk_model import band_edges, band_of

SMALL = TreeSettings(rounds=60)


@pytest.fixture(scope="module")
def taught(simulated):
    """A model of both targets, and the rows that taught it."""
    known = mature_labels(simulated.register)
    training_sets = {target: training_set(simulated.rows, known, target) for target in ("late", "dropout")}
    return fit_model(training_sets, seed=1, settings=SMALL, manifest=Manifest("risk-test")), training_sets


def test_shap_values_sum_to_the_margin(taught):
    model, training_sets = taught
    rows = training_sets["late"].rows
    half = rows.with_positions(np.where(np.arange(len(rows)) % 2, rows.position, -1))
    scores = model.score(half, "late")
    base, added = model.margins(half, "late")
    assert np.abs(scores.base_values + scores.phi.sum(axis=1, dtype=float) - base - added).max() < 1e-5
    assert np.allclose(scores.frame["margin"], base + added, atol=1e-5)
    assert scores.phi.shape == scores.inputs.shape == (len(rows), len(model.feature_names))


def test_shap_values_agree_with_the_shap_package(taught):
    import shap

    model, training_sets = taught
    matrix = model.encoder.matrix(training_sets["late"].rows.table)[:200]
    records = model.targets["late"].records
    ours, base = records.shap(matrix)
    explainer, seen = shap.TreeExplainer(records.trees), records.seen(matrix)
    trees, line, weight = explainer.shap_values(seen), records.line, records.weight
    assert 0.25 <= weight <= 0.75
    expected = weight * trees + (1 - weight) * line.contributions(matrix)
    assert np.abs(ours - expected).max() < 1e-5
    start = float(np.ravel(explainer.expected_value)[0])
    assert base == pytest.approx(weight * start + (1 - weight) * line.intercept, abs=1e-5)
    assert np.abs(tree_shap(records.trees, seen)[0] - trees).max() < 1e-5


def test_the_range_contains_the_risk_and_risks_rank_as_margins(taught):
    model, training_sets = taught
    frame = model.score(training_sets["late"].rows, "late").frame
    told = frame.dropna(subset=["risk_low"])
    assert (
        len(told) and (told["risk_low"] <= told["risk"]).all() and (told["risk"] <= told["risk_high"]).all()
    )
    assert frame["risk"].between(0, 1).all()
    assert frame["margin"].corr(frame["risk"], method="spearman") > 0.999


def test_a_student_without_a_signature_gets_the_records_score(taught):
    model, training_sets = taught
    rows = training_sets["late"].rows
    unsigned = model.score(rows.unsigned(), "late")
    switched_off = model.score(rows, "late", use_signature=False)
    pd.testing.assert_frame_equal(unsigned.frame, switched_off.frame)
    assert set(unsigned.frame["modality"]) == {"records"}
    assert (unsigned.phi[:, len(model.encoder.names) :] == 0).all()
    assert np.allclose(model.risk(rows, "late", use_signature=False), unsigned.frame["risk"], atol=1e-6)


def test_unseen_categories_and_all_missing_rows_are_scored(taught):
    model, training_sets = taught
    rows = training_sets["late"].rows.take(np.arange(4))
    table = rows.table.copy()
    table["program_code"] = "a programme never seen"
    for name in table.columns.difference(["program_code", "as_of_index", "terms_left"]):
        table[name] = None if table[name].dtype == object else np.nan
    strange = type(rows)(table, rows.meta, rows.signatures, rows.position)
    scores = model.score(strange, "late")
    assert np.isfinite(scores.frame["risk"]).all()
    column = model.feature_names.index("program_code")
    assert (scores.inputs[:, column] == -1).all()
    assert model.encoder.value("program_code", -1.0) == "another"


def test_no_rows_give_no_scores(taught):
    model, training_sets = taught
    empty = model.score(training_sets["late"].rows.take(np.zeros(0, int)), "late")
    assert len(empty.frame) == 0 and empty.phi.shape == (0, len(model.feature_names))


def test_one_class_gives_a_constant_risk_at_the_base_rate(simulated):
    rows = training_set(simulated.rows, mature_labels(simulated.register), "late").rows
    model = fit_model({"late": TrainingSet(rows, np.zeros(len(rows)))}, settings=SMALL)
    risk = model.score(rows, "late").frame["risk"]
    assert risk.max() < 0.01 and np.ptp(risk) == 0


def test_a_programme_of_three_students_is_taught_and_scored(simulated):
    rows = training_set(simulated.rows, mature_labels(simulated.register), "late").rows
    three = np.unique(rows.students)[:3]
    small = rows.of_students(three)
    outcome = np.where(small.students == three[0], 1.0, 0.0)
    model = fit_model({"late": TrainingSet(small, outcome)}, settings=SMALL)
    frame = model.score(small, "late").frame
    assert np.isfinite(frame["risk"]).all() and model.targets["late"].signature is None
    assert frame["risk_low"].isna().all() and frame["risk_high"].isna().all()  # nobody to count
    assert model.targets["late"].calibrator.counted == ()


def test_no_rows_to_learn_from_is_an_error(simulated):
    with pytest.raises(ValueError, match="at least one student"):
        fit_model({"late": TrainingSet(simulated.rows.take(np.zeros(0, int)), np.zeros(0))})


def test_the_same_seed_gives_the_same_files_and_another_seed_does_not(simulated, tmp_path):
    known = mature_labels(simulated.register)
    training_sets = {"late": training_set(simulated.rows, known, "late")}
    hashes = []
    for name, seed in (("one", 4), ("two", 4), ("three", 5)):
        model = fit_model(training_sets, seed=seed, settings=SMALL, manifest=Manifest(name))
        hashes.append(save_model_folder(model, tmp_path / name).files)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_model_survives_saving_and_loading(taught, tmp_path):
    model, training_sets = taught
    manifest = save_model_folder(model, tmp_path / "m")
    assert sorted(p.suffix for p in (tmp_path / "m").iterdir()) == sorted(
        [".json", ".json", ".safetensors", *[".ubj"] * 4]
    )
    again = load_model_folder(tmp_path / "m", manifest.files)
    for target in ("late", "dropout"):
        before, after = (m.score(training_sets[target].rows, target) for m in (model, again))
        pd.testing.assert_frame_equal(before.frame, after.frame)
        assert np.array_equal(before.phi, after.phi)
    kept = json.loads((tmp_path / "m/manifest.json").read_text())
    assert save_model_folder(model, tmp_path / "m") == again.manifest == read_manifest(kept)


def test_a_changed_missing_or_foreign_file_is_not_loaded(taught, tmp_path):
    model, _ = taught
    manifest = save_model_folder(model, tmp_path / "m")
    target = tmp_path / "m" / "late.records.ubj"
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(bytes(data))
    with pytest.raises(ModelFileError, match="SHA-256"):
        load_model_folder(tmp_path / "m", manifest.files)
    target.unlink()
    with pytest.raises(ModelFileError, match="must exist"):
        load_model_folder(tmp_path / "m")
    with pytest.raises(ModelFileError, match="secret must exist"):  # else all that a model needs is named
        load_model_folder(tmp_path / "m", {"../secret": "0", **manifest.files})


def test_another_model_is_never_written_over(taught, simulated, tmp_path):
    model, _ = taught
    save_model_folder(model, tmp_path / "m")
    other = fit_model(
        {"late": training_set(simulated.rows, mature_labels(simulated.register), "late")},
        seed=9,
        settings=SMALL,
        manifest=Manifest("other"),
    )
    with pytest.raises(ModelFileError, match="another model"):
        save_model_folder(other, tmp_path / "m")


def test_a_leak_in_the_training_table_stops_the_training(simulated):
    rows = training_set(simulated.rows, mature_labels(simulated.register), "late").rows
    leaky = type(rows)(rows.table.assign(gpa_final=3.0), rows.meta, rows.signatures, rows.position)
    with pytest.raises(LeakageError, match="gpa_final"):
        fit_model({"late": TrainingSet(leaky, np.ones(len(rows)))}, settings=SMALL)


def test_categories_are_spread_over_columns_and_summed_back():
    table = pd.DataFrame({"program_code": ["A"] * 30 + ["B"] * 30 + ["rare"], "gpa_cum": 3.0})
    encoder = fit_encoder(table)
    assert encoder.columns == ["program_code=A", "program_code=B", "gpa_cum"]
    matrix = encoder.matrix(pd.DataFrame({"program_code": ["B", "rare", None], "gpa_cum": [1.0, 2.0, None]}))
    expected = [[0, 1, 1], [0, 0, 2], [np.nan, np.nan, np.nan]]
    assert np.array_equal(matrix, np.array(expected, np.float32), equal_nan=True)
    assert encoder.group(np.array([[1.0, 2.0, 4.0]])).tolist() == [[3.0, 4.0]]
    with pytest.raises(ValueError, match="gpa_cum"):
        encoder.matrix(table[["program_code"]])


def test_bands_rise_and_an_edge_belongs_to_the_higher_band():
    assert band_of(np.array([0.1, 0.2, 0.39, 0.9]), (0.2, 0.4, 0.6)).tolist() == [
        "low",
        "moderate",
        "moderate",
        "very_high",
    ]
    edges = band_edges(np.full(100, 0.3))
    assert edges == pytest.approx((0.305, 0.31, 0.315))  # everybody alike is low, and edges do not coincide


def test_nobody_less_at_risk_than_the_mean_is_called_high():
    """The second university once called 2 of 100 high, where 16 of 100 past students had left."""
    skewed = np.r_[np.full(80, 0.004), np.full(8, 0.02), np.full(12, 0.9)]
    low, high, _ = band_edges(skewed)
    assert high >= skewed.mean() and low >= skewed.mean() / 2
    assert set(band_of(np.array([0.004, 0.02, 0.05]), band_edges(skewed))) == {"low"}
    even = np.random.default_rng(0).beta(2, 6, 4000)
    assert band_edges(even) == pytest.approx(np.quantile(even, (0.5, 0.75, 0.9)), abs=0.0026)


COMMON = {  # risks of past students where an outcome is common
    "half leave, known early": np.r_[np.full(50, 0.05), np.full(50, 0.95)],
    "half leave, seen dimly": np.random.default_rng(1).normal(0.5, 0.05, 2000).clip(0.3, 0.7),
    "half leave": np.random.default_rng(2).beta(2, 2, 2000),
    "most leave": np.random.default_rng(3).beta(8, 1, 2000),
    "all leave": np.full(60, 1.0),
    "few are safe": np.r_[np.full(30, 0.02), np.full(70, 0.25)],
    "everybody alike": np.full(60, 0.49),
}


@pytest.mark.parametrize("risk", COMMON.values(), ids=COMMON)
def test_the_word_never_contradicts_the_number(risk):
    """Quantiles alone called 49 of 100 low where half of the past students were late."""
    edges = band_edges(risk)
    assert 0 < edges[0] < edges[1] < edges[2] <= 0.9
    named = dict(zip((0.0, 0.34, 0.67, 0.9), band_of(np.array([0.0, 0.34, 0.67, 0.9]), edges), strict=True))
    assert named[0.0] == "low" and named[0.34] != "low"
    assert named[0.67] in ("high", "very_high") and named[0.9] == "very_high"
    assert edges[0] <= risk.mean() + 0.005  # edges are told to half a percent


def test_those_who_share_one_common_risk_are_not_all_called_high():
    assert set(band_of(np.full(60, 0.49), band_edges(np.full(60, 0.49)))) == {"moderate"}
    few = COMMON["few are safe"]
    assert band_of(np.array([0.02, 0.25]), band_edges(few)).tolist() == ["low", "moderate"]


@pytest.mark.parametrize(
    ("risks", "bands"),
    [
        ([0.0] * 50, {"low": 50}),  # a target that never happens
        ([0.0] * 90 + [1.0] * 10, {"low": 90, "very_high": 10}),
        ([1.0] * 50, {"very_high": 50}),
        ([0.1] * 5 + [0.4] * 95, {"low": 5, "moderate": 95}),
    ],
)
def test_edges_that_coincide_call_no_risk_of_0_moderate(risks, bands):
    edges = band_edges(np.array(risks))
    assert 0 < edges[0] < edges[1] < edges[2] <= 1
    names, counts = np.unique(band_of(np.array(risks), edges).astype(str), return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == bands
    assert band_of(np.array([0.0, 1.0]), edges).tolist() == ["low", "very_high"]


def test_trees_start_from_a_given_margin():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2)).astype(np.float32)
    y = (rng.random(400) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(float)
    stage = fit_trees(x, y, SMALL, 0, start=2.0 * x[:, 0].astype(float))
    assert np.abs(tree_margin(stage, x)).mean() < 0.7  # little is left to learn
