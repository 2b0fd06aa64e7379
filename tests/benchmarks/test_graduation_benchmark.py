"""The benchmark of system 1: exact intervals, nobody on both sides, and a control that finds nothing."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import signature_sets
from benchmarks.graduation import main, verdict
from benchmarks.label_measures import Control, cross_validated, exact_figures, label_figures, ridge_weights
from benchmarks.labelled_sets import folds_of, mixed_persons, permuted, read_any, stand_in, twenty_tests
from benchmarks.signature_sets import SignatureSet
from vision.recipes.labels import LabelledSet


def labelled(labels, persons=None):
    persons = range(len(labels)) if persons is None else persons
    paths = tuple(Path(f"{number}.png") for number in range(len(labels)))
    return LabelledSet(
        "made", paths, np.array(labels, bool), ("no", "yes"), np.array([f"p{i}" for i in persons])
    )


def signatures(writers=6, genuine=3, forged=2):
    names = np.repeat([f"{writer:03}" for writer in range(writers)], genuine + forged)
    kinds = np.tile([False] * genuine + [True] * forged, writers)
    return SignatureSet("made", tuple(Path(f"{i}.png") for i in range(len(names))), names, kinds)


def test_thirteen_of_twenty_deserve_the_interval_from_41_to_85_per_cent():
    labels = [False] * 10 + [True] * 10
    said = [-1] * 5 + [1] * 5 + [1] * 8 + [-1] * 2  # the paper's confusion matrix
    figures = exact_figures(labelled(labels), np.array(said, float))
    assert figures["accuracy"]["value"] == 0.65
    assert (round(figures["accuracy"]["low"], 2), round(figures["accuracy"]["high"], 2)) == (0.41, 0.85)
    assert figures["precision"]["value"] == pytest.approx(8 / 13, abs=1e-6)
    assert figures["recall"]["value"] == 0.8
    assert figures["auc"]["value"] == pytest.approx((8 * 5 + 0.5 * (8 * 5 + 2 * 5)) / 100)


def test_nothing_said_yes_gives_no_precision_instead_of_a_division_by_zero():
    figures = exact_figures(labelled([False, True]), np.array([-1.0, -1.0]))
    assert figures["precision"]["value"] is None and figures["recall"]["value"] == 0


def test_ridge_weights_sum_to_one_so_that_a_constant_label_stays():
    rng = np.random.default_rng(0)
    weights = ridge_weights(rng.normal(size=(9, 4)), rng.normal(size=(3, 4)), None)
    assert weights.shape == (3, 9)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-9)


@given(st.lists(st.booleans(), min_size=10, max_size=40), st.integers(0, 9))
def test_folds_keep_persons_together_and_share_the_labels_out(labels, seed):
    persons = np.arange(len(labels)) // 2
    found = labelled(labels, persons)
    folds = folds_of(found, 5, np.random.default_rng(seed))
    assert all(len(set(folds[found.persons == person])) == 1 for person in set(found.persons))
    own = labelled(np.repeat(labels, 1))  # one scan each: the labels' numbers differ by one at most
    folds = folds_of(own, 5, np.random.default_rng(seed))
    numbers = [int(own.labels[folds == fold].sum()) for fold in range(5)]
    assert max(numbers) - min(numbers) <= 1


@given(st.integers(0, 20))
def test_labels_dealt_at_random_keep_every_folds_or_persons_share(seed):
    rng = np.random.default_rng(seed)
    found = labelled([True, False] * 10)
    folds = np.arange(20) % 5
    dealt = permuted(found, folds, rng)
    assert np.bincount(folds, dealt.labels).tolist() == np.bincount(folds, found.labels).tolist()
    mixed = labelled([True, False] * 10, np.arange(20) // 2)
    assert mixed_persons(mixed) and not mixed_persons(found)
    assert np.bincount(np.arange(20) // 2, permuted(mixed, folds, rng).labels).tolist() == [1] * 10


def test_twenty_tests_are_ten_of_each_label_and_nobody_is_also_trained_on():
    for found in (labelled([True] * 25 + [False] * 30), labelled([True, False] * 30, np.arange(60) // 2)):
        training, tests = twenty_tests(found, np.random.default_rng(3))
        assert len(tests) == 20 and int(found.labels[tests].sum()) == 10
        assert not set(found.persons[training]) & set(found.persons[tests])


def test_stand_ins_are_what_they_say():
    rng = np.random.default_rng(0)
    parity = stand_in(signatures(), "parity", 1, rng)
    assert parity.labels.tolist() == [False, True] * 3 and parity.names == ("even", "odd")
    forged = stand_in(signatures(), "forged", 2, rng)
    assert len(forged.paths) == 6 * 4 and int(forged.labels.sum()) == 12 and mixed_persons(forged)


def test_a_planted_label_is_found_and_a_label_of_noise_is_not():
    rng = np.random.default_rng(5)
    found = labelled([True, False] * 30)
    noise = rng.normal(size=(60, 6))
    planted = noise + 2 * found.labels[:, None]
    told, control = cross_validated(found, planted, None, 1, seed=1)
    assert label_figures(told, 1)["auc"]["value"] > 0.95
    assert control.p_value == pytest.approx(1 / 201) and 0.4 < control.auc_mean < 0.6
    told, control = cross_validated(found, noise, None, 1, seed=1)
    figures = label_figures(told, 1)
    assert figures["auc"]["low"] < 0.5  # held-out folds of noise fall a little below one half, not above
    assert control.p_value > 0.05


def test_the_verdict_in_words():
    control = Control(200, 0.5, 0.6, 0.4)
    assert verdict(control, 59).startswith("cannot tell")
    assert verdict(control, 60) == "adds nothing measurable"
    assert verdict(Control(200, 0.5, 0.6, 0.005), 60).startswith("the label can be told")
    assert verdict(None, 60).startswith("not tested")


def test_one_command_prints_the_papers_table_and_writes_every_key(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(signature_sets, "get_settings", lambda: SimpleNamespace(folder=tmp_path / "var"))
    rng = np.random.default_rng(0)
    for writer in range(12):
        place = tmp_path / "set" / ("late" if writer % 2 else "on_time")
        place.mkdir(parents=True, exist_ok=True)
        page = np.full((60, 140), 255, np.uint8)
        points = np.stack([np.linspace(10, 130, 12), rng.uniform(10, 50, 12)], axis=1).astype(np.int32)
        cv2.polylines(page, [points], False, 20, 2)
        cv2.imwrite(str(place / f"{writer}.png"), page)
    out = tmp_path / "graduation.json"
    main(data=tmp_path / "set", references=1, splits=1, label="forged", minutes=0, json_file=out)
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["protocol"]["labels"] == ["late", "on_time"] and result["protocol"]["persons"] == 12
    for key in ("eer_user", "eer_global", "auc", "accuracy", "precision", "recall", "far_random", "frr"):
        assert set(result[key]) == {"value", "low", "high"}
    assert result["base_rate"] == 0.5 and result["reproduced"] is None
    assert result["permuted_labels"]["deals"] == 200
    assert result["label"] == "the institution's label" and result["seconds"] > 0
    printed = capsys.readouterr().out
    assert "accuracy 0.65 of 20 has the 95 % interval 0.41–0.85" in printed and result["verdict"] in printed


def test_a_stand_in_label_that_is_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="label: must be one of forged, parity"):
        read_any(tmp_path, "motivation", 1, 0)
