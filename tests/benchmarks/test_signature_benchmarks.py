"""The signature benchmarks on a drawn set: every command, its JSON, and writers with too few specimens."""

from __future__ import annotations

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks import deepsign, identification, paper_network, signature_sets, signet, verification
from benchmarks.protocols import (
    Trials,
    crossed_thresholds,
    splits_of,
    usable_writers,
    verification_figures,
)
from benchmarks.published import DEEPSIGN, SIGNET, Printed, show
from vision.scans.signature_folders import SignatureSet, read_signature_set

WRITERS = 8
SUFFIXES = (".png", ".JPG", ".tif", ".BMP")
FIGURES = (
    "eer_user",
    "eer_global",
    "auc",
    "accuracy",
    "precision",
    "recall",
    "far_random",
    "far_skilled",
    "frr",
)


def drawn(writer, number, forged):
    """A writer's points, shaken; a forger's line is thicker and shakes more."""
    points = np.random.default_rng(writer).normal(size=(14, 2)) * [6, 24]
    points += np.stack([np.linspace(25, 295, 14), np.full(14, 60.0)], axis=1)
    shake = np.random.default_rng((writer, number, forged)).normal(size=points.shape)
    points += (5.0 if forged else 1.5) * shake
    paper = np.full((120, 320, 3), 245, np.uint8)
    line = points.clip(6, [314, 114]).astype(np.int32)
    cv2.polylines(paper, [line], False, (150, 40, 20), 5 if forged else 3, cv2.LINE_AA)
    return Image.fromarray(cv2.cvtColor(paper, cv2.COLOR_BGR2RGB))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight writers with 7 genuine and 5 forged signatures in mixed formats, and one with 2 genuine."""
    root = tmp_path_factory.mktemp("drawn")
    for writer in range(WRITERS):
        (root / f"{writer:03}").mkdir()
        for forged, count in ((False, 7), (True, 5)):
            for k in range(count):
                name = f"{'Forged' if forged else 'genuine'}_{k:02}{SUFFIXES[k % len(SUFFIXES)]}"
                drawn(writer, k, forged).save(root / f"{writer:03}" / name)
    (root / "few").mkdir()
    for k in range(2):
        drawn(99, k, False).save(root / "few" / f"genuine_{k}.png")
    return root


@pytest.fixture(autouse=True)
def kept(tmp_path_factory, monkeypatch):
    """Descriptors are kept beside the tests, once for all of them."""
    at = tmp_path_factory.getbasetemp() / "kept"
    monkeypatch.setattr(signature_sets, "get_settings", lambda: SimpleNamespace(folder=at))
    return at


def checked(path):
    """The result, after a look at what every one of them must hold."""
    result = json.loads(path.read_text(encoding="utf-8"))
    for name in FIGURES:
        figure = result[name]
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1, name
    assert {"protocol", "data", "descriptor", "seconds", "reproduced"} <= set(result)
    assert result["reproduced"] is None and "--minutes" in result["reproduced_reason"]
    assert str(path.parent) not in path.read_text(encoding="utf-8")
    return result


def test_signet_prints_both_protocols(folder, tmp_path, capsys):
    out = tmp_path / "signet.json"
    signet.main(folder, references=4, splits=2, minutes=0, json_file=out, **PLAIN)
    result = checked(out)
    assert result["protocol"]["writers"] == WRITERS and result["protocol"]["skipped_writers"] == 1
    assert result["writer_independent"]["protocol"]["learned_from"] == folder.name
    assert result["eer_user"]["value"] < 0.2 and result["far_random"]["value"] < 0.1
    printed = capsys.readouterr().out
    assert "SigNet-F, SVM" in printed and "4.63%" in printed and f"{folder.name} (here)" in printed


@pytest.mark.parametrize("references", [1, 3])
def test_deepsign_judges_writers_that_it_has_not_seen(folder, tmp_path, references):
    out = tmp_path / "deepsign.json"
    deepsign.main(folder, references=references, splits=2, minutes=0, json_file=out, **PLAIN)
    result = checked(out)
    assert result["auc"]["value"] > 0.9
    assert result["protocol"]["tested_writers"] <= WRITERS


def test_deepsign_learns_from_another_set(folder, tmp_path):
    out = tmp_path / "deepsign.json"
    options = {**PLAIN, "train_data": folder}
    deepsign.main(folder, references=1, splits=1, minutes=0, json_file=out, **options)
    result = checked(out)
    assert result["data"] == f"{folder.name} → {folder.name}"
    assert result["protocol"]["tested_writers"] == WRITERS


def test_identification_names_the_writer_under_every_metric(folder, tmp_path, capsys):
    out = tmp_path / "identification.json"
    identification.main(folder, references=4, splits=2, minutes=0, json_file=out, **PLAIN)
    result = checked(out)
    assert set(result["metrics"]) == {"euclidean", "manhattan", "minkowski", "cosine"}
    assert min(one["accuracy"]["value"] for one in result["metrics"].values()) > 0.7
    assert result["accuracy"]["value"] > 0.95
    assert result["accuracy"] == result["metrics"][result["protocol"]["metric"]]["accuracy"]
    assert result["protocol"]["skipped_writers"] == 1
    assert "DenseNet201, Manhattan" in capsys.readouterr().out


def test_verification_compares_grey_and_binary_ink(folder, tmp_path):
    out = tmp_path / "verification.json"
    verification.main(
        folder,
        descriptor=["covariance"],
        references=4,
        splits=1,
        ink="both",
        classifier="ridge",
        writers=None,
        json_file=out,
    )
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert [row["ink"] for row in rows] == ["grey", "binary"]
    assert all(row["eer_user"]["value"] < 0.3 for row in rows)


def test_a_set_too_small_for_the_protocol_is_refused_by_name(folder, tmp_path):
    with pytest.raises(ValueError, match="references: fewer than 2 writers have more than 20 genuine"):
        signet.main(folder, references=20, splits=1, minutes=0, json_file=None, **PLAIN)


def test_descriptors_are_computed_once(folder, kept):
    found = read_signature_set(folder)
    calls = []

    class Counting:
        info = SimpleNamespace(dim=1)
        blocks = ()

        def describe(self, inks, progress=None):
            calls.extend(inks)
            return np.ones((len(inks), 1), np.float32)

    first = signature_sets.describe_set(found, Counting())
    again = signature_sets.describe_set(found, Counting())
    assert len(calls) == len(found.paths) and np.array_equal(first, again)
    with pytest.raises(ValueError, match="ink: must be one of grey, binary"):
        signature_sets.describe_set(found, Counting(), "red")


def test_figures_of_the_papers_network_come_from_an_earlier_run(folder, tmp_path):
    earlier = tmp_path / "earlier.json"
    network = {name: {"value": 0.25, "low": 0.2, "high": 0.3} for name in FIGURES} | {"epochs": 3}
    systems = {"deepsign": network, "mobilenet-transfer": network}
    earlier.write_text(json.dumps({"data": folder.name, "systems": systems}), encoding="utf-8")
    found = SimpleNamespace(name=folder.name)
    given = paper_network.network_here("deepsign", found, None, 1, 5.0, earlier)
    assert given["reproduced"]["epochs"] == 3 and set(given["reproduced_others"]) == {"mobilenet-transfer"}
    rows = paper_network.network_rows("deepsign", {"data": "drawn", **given}, 1)
    assert [row.system for row in rows] == ["deepsign, trained here", "mobilenet-transfer, trained here"]
    assert rows[0].figures["auc"] == 0.25
    with pytest.raises(ValueError, match="reproduced: earlier.json must hold signet on"):
        paper_network.network_here("signet", found, None, 12, 5.0, earlier)


def numbered(genuine, forged):
    """A set of so many genuine and forged signatures per writer, without files."""
    writers, kinds = [], []
    for writer, (own, fakes) in enumerate(zip(genuine, forged, strict=True)):
        writers += [f"w{writer}"] * (own + fakes)
        kinds += [False] * own + [True] * fakes
    return SignatureSet("numbered", (), np.array(writers), np.array(kinds))


def test_writers_without_a_test_or_without_forgeries_are_left_out_and_counted():
    found = numbered([6, 7, 12, 9], [5, 5, 0, 5])
    assert usable_writers(found, 6) == (["w1", "w3"], 2)
    assert usable_writers(found, 6, forgeries=False) == (["w1", "w2", "w3"], 1)


def test_references_are_never_tested():
    found = numbered([24, 9], [24, 3])
    for split in splits_of(found, ["w0", "w1"], 6, 3, seed=1):
        for writer in ("w0", "w1"):
            assert not set(split.references[writer]) & set(split.genuine[writer])
            assert (
                not found.forged[split.references[writer]].any() and found.forged[split.skilled[writer]].all()
            )
        assert [len(split.genuine[w]) for w in ("w0", "w1")] == [10, 3]
        assert [len(split.skilled[w]) for w in ("w0", "w1")] == [10, 3]


def trial(genuine, skilled, random=(0.0,)):
    values = [np.array(some, float) for some in (genuine, skilled, random)]
    return Trials(*values, np.array([0.0]), np.array([1.0]))


def test_rates_at_a_given_threshold_by_hand():
    found = verification_figures({"a": trial([1, 3], [0, 2]), "b": trial([3, 3], [0, 0, 0, 3])}, limit=2.0)
    # genuine 1 3 3 3: one of 4 rejected; forged 0 2 0 0 0 3: two of 6 accepted
    assert found["frr"].value == pytest.approx(1 / 4)
    assert found["far_skilled"].value == pytest.approx(2 / 6)
    assert found["accuracy"].value == pytest.approx(7 / 10)
    assert found["precision"].value == pytest.approx(3 / 5)
    assert found["recall"].value == pytest.approx(3 / 4)


def test_a_writer_is_judged_at_the_threshold_of_the_other_half():
    low, high = trial([1, 2], [-2, -1]), trial([11, 12], [8, 9])
    limits = crossed_thresholds([low, high])
    assert 8 < limits[0] <= 11 and -2 < limits[1] <= 1


def test_published_tables_stand_beside_ours(capsys):
    show(
        "title",
        DEEPSIGN + SIGNET,
        [Printed("ours (here)", "signature", {"auc": 0.5}, 3)],
        ("auc", "eer_user"),
    )
    lines = capsys.readouterr().out.splitlines()
    assert "50.00%" in lines[-1] and "–" in lines[-1]
    assert any("SigNet-F" in line and "4.63%" in line for line in lines)
    assert any("CEDAR → BHSig260" in line and "86.00%" in line for line in lines)


PLAIN = {"descriptor": "covariance", "ink": "grey", "train_data": None}
