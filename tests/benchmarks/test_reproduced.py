"""The papers' networks, trained for a moment on drawn signatures: every figure is there and accounted for."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import typer

from benchmarks import report_file, reproduced
from benchmarks.reproduced import SYSTEMS, _distance_figures, reproduce
from benchmarks.signature_sets import read_signature_set
from vision.encoder.backbones import NoWeights
from vision.networks import backbone_maps

RATES = ("far_random", "far_skilled", "frr")
FIGURES = ("eer_user", "eer_global", "auc", "accuracy", "precision", "recall", *RATES)
ACCOUNT = ("network", "start", "epochs", "steps", "minutes", "device", "trained_on", "tested_on", "note")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Ten writers with three genuine and two forged signatures."""
    root, rng = tmp_path_factory.mktemp("drawn"), np.random.default_rng(4)
    for writer in range(10):
        place = root / f"{writer:03}"
        place.mkdir()
        base = np.stack([np.linspace(10, 110, 14), rng.uniform(15, 55, 14)], axis=1)
        for kind, number, shake in (("genuine", 3, 1.0), ("forged", 2, 5.0)):
            for one in range(number):
                page = np.full((70, 120), 255, np.uint8)
                points = (base + rng.normal(0, shake, base.shape)).astype(np.int32)
                cv2.polylines(page, [points], False, 30, 2, cv2.LINE_AA)
                cv2.imwrite(str(place / f"{kind}_{one}.png"), page)
    return read_signature_set(root)


def checked(result):
    assert all(set(result[name]) == {"value", "low", "high"} for name in FIGURES)
    assert all(0 <= result[name]["value"] <= 1 for name in FIGURES if result[name]["value"] is not None)
    assert all(name in result for name in ACCOUNT)
    return result


def test_a_siamese_network_is_measured_on_writers_it_was_not_trained_on(found):
    result = checked(reproduce("signet-siamese", found, minutes=0.01))
    assert result["trainable_parameters"] == 6_461_568
    assert result["tested_on"].endswith("2 writers")
    assert "instead of 32 single pairs" in result["note"]


@pytest.mark.slow
def test_trained_on_another_set_all_writers_are_tested(found):
    result = checked(reproduce("signet-siamese", found, found.take(np.arange(20)), minutes=0.01))
    assert result["tested_on"].endswith("10 writers") and result["trained_on"].endswith("3 writers")


def test_signet_is_judged_by_the_papers_classifier_on_the_other_half_of_the_writers(found):
    result = checked(reproduce("signet", found, minutes=0.01, references=2))
    assert result["trained_on"].endswith("5 writers") and result["tested_on"].endswith("5 writers")
    assert "gamma 2^-11, 2 references" in result["note"]


def test_without_imagenets_weights_a_small_backbone_is_trained_and_the_note_says_so(found, monkeypatch):
    def unreachable(name):
        raise NoWeights(f"{name}: the weights could not be downloaded")

    monkeypatch.setattr(backbone_maps, "downloaded_network", unreachable)
    result = checked(reproduce("identification", found, minutes=0.01, references=2))
    assert result["start"] == "none: trained from scratch" and result["steps"] >= 1
    assert "no ImageNet weights could be had" in result["note"]


def test_a_weights_file_that_is_named_must_be_there(found):
    with pytest.raises(NoWeights, match="there is no file"):
        reproduce(
            "identification", found, minutes=0.01, references=2, weights="mobilenet_v2=gone.safetensors"
        )


def test_no_time_means_no_result_and_wrong_requests_are_named(found):
    assert all(reproduce(system, found, minutes=0) is None for system in SYSTEMS)
    with pytest.raises(ValueError, match="system: must be one of"):
        reproduce("caffenet", found, minutes=1)
    with pytest.raises(ValueError, match="references: fewer than 2 writers have more than 9"):
        reproduce("signet", found, minutes=1, references=9)


def test_the_command_keeps_figures_of_other_systems_on_the_same_set(found, monkeypatch, tmp_path):
    one = {name: {"value": 0.5, "low": 0.4, "high": 0.6} for name in FIGURES} | {"note": "made"}
    monkeypatch.setattr(reproduced, "reproduce", lambda system, *sets, **options: {**one, "network": system})
    folder, out = found.paths[0].parents[1], tmp_path / "r.json"
    for system in ("deepsign", "signet"):
        reproduced.main(data=folder, system=[system], json_file=out)
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["data"] == found.name
    assert {name: kept["network"] for name, kept in document["systems"].items()} == {
        "deepsign": "deepsign",
        "signet": "signet",
    }


def test_a_file_of_another_set_or_benchmark_is_refused_and_left_as_it_is(found, tmp_path):
    for held in ({"data": "elsewhere", "systems": {}}, {"data": found.name, "eer_user": 0.1}):
        out = tmp_path / "held.json"
        out.write_text(json.dumps(held), encoding="utf-8")
        with pytest.raises(typer.BadParameter, match="held.json holds .*: name another file"):
            reproduced.main(data=found.paths[0].parents[1], system=["signet"], json_file=out)
        assert json.loads(out.read_text(encoding="utf-8")) == held


def test_a_result_is_not_written_over_another_benchmarks(tmp_path):
    out = tmp_path / "r.json"
    report_file.running("verification-latency")
    try:
        report_file.write_result({"data": "a", "p50": 1}, out)
        report_file.write_result({"data": "a", "p50": 2}, out)
        before = out.read_bytes()
        with pytest.raises(typer.BadParameter, match="r.json holds data a, and this is b"):
            report_file.write_result({"data": "b"}, out)
        report_file.running("signs")
        with pytest.raises(typer.BadParameter, match="holds benchmark verification_latency, "):
            report_file.write_result({"data": "a"}, out)
    finally:
        report_file.running(None)
    assert out.read_bytes() == before
    assert json.loads(before)["benchmark"] == "verification_latency"


def test_kept_training_goes_on_and_counts_what_was_before(found, tmp_path):
    first = reproduce("signet-f:loss1", found, minutes=0.02, references=2, keep=tmp_path)
    again = reproduce("signet-f:loss1", found, minutes=0.08, references=2, keep=tmp_path)
    assert again["steps"] > first["steps"] >= 1
    assert "loss1, forgery weight 0.95" in again["note"]
    assert [path.name for path in tmp_path.rglob("*.safetensors") if "checkpoint" not in path.name] == [
        "signet-f-loss1.safetensors"
    ]


def test_as_published_trains_on_single_pairs_at_the_papers_rate(found, tmp_path):
    published = reproduce("signet-siamese", found, minutes=0.01, keep=tmp_path, as_published=True)
    assert "single pairs" not in published["note"] and "learning rate" not in published["note"]
    assert (tmp_path / f"{found.name}-as-published").is_dir()


def test_figures_of_distances_by_hand():
    # two writers; scores are minus distances; threshold −0.5
    first = (np.array([-0.1, -0.2]), np.array([-0.9, -0.4]), np.array([-2.0]))
    second = (np.array([-0.3, -0.8]), np.array([-0.7, -0.6]), np.array([-0.3]))
    figures = _distance_figures([first, second], -0.5, 0)
    assert figures["frr"]["value"] == 0.25  # one of four genuine pairs lies beyond
    assert figures["far_skilled"]["value"] == 0.25  # one of four forged pairs lies within
    assert figures["far_random"]["value"] == 0.5
    assert figures["accuracy"]["value"] == 0.75
    assert figures["precision"]["value"] == 0.75 and figures["recall"]["value"] == 0.75
    # per writer: perfectly apart (0), and one genuine above and one below both forged (½)
    assert figures["eer_user"]["value"] == 0.25
    assert figures["auc"]["value"] == pytest.approx((4 + 4 + 4 + 1) / 16)
