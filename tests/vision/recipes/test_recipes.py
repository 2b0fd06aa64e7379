"""Recipes on drawn signatures: each trains, writes a file that loads alone, and refuses wrong input."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from vision.__main__ import app
from vision.commands.train import changed
from vision.encoder.backbones import NoWeights
from vision.networks.backbone_maps import build_backbone
from vision.recipes.inputs import InputPlan, prepare, to_tensor
from vision.recipes.labels import LabelledSet, LabelTask, deal_persons, read_labelled, read_page
from vision.recipes.registry import RECIPES, published_settings
from vision.recipes.run import run_recipe
from vision.recipes.synthetic_encoder import Settings
from vision.recipes.trained import load_trained
from vision.recipes.training import TrainSettings
from vision.recipes.writers import WriterTask, build_network, held_out_rows, turn_and_darken
from vision.scans.signature_folders import read_scan, read_signature_set


def drawn(rng, writer, forged=False):
    """A scan: a curve of the writer's own on white paper, shaky when forged."""
    own = np.random.default_rng(writer)
    x = np.linspace(15, 145, 40)
    y = 45 + 22 * np.sin(x / own.uniform(6, 20) + own.uniform(0, 6)) + rng.normal(0, 3 if forged else 0.4, 40)
    page = np.full((90, 160), 255, np.uint8)
    points = np.stack([x + rng.normal(0, 1), y], axis=1).astype(np.int32)
    cv2.polylines(page, [points], False, 30, 2)
    return page


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five writers, four genuine and two forged signatures each."""
    root, rng = tmp_path_factory.mktemp("set"), np.random.default_rng(0)
    for writer in range(5):
        place = root / f"{writer:03}"
        place.mkdir()
        for kind, number in (("genuine", 4), ("forged", 2)):
            for one in range(number):
                cv2.imwrite(str(place / f"{kind}_{one}.png"), drawn(rng, writer, kind == "forged"))
    return root


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Four scans under each of two labels."""
    root, rng = tmp_path_factory.mktemp("labels"), np.random.default_rng(1)
    for writer in range(8):
        place = root / ("on_time" if writer % 2 else "not_on_time")
        place.mkdir(exist_ok=True)
        cv2.imwrite(str(place / f"{writer}.png"), drawn(rng, writer))
    return root


def test_a_siamese_recipe_trains_is_measured_on_other_writers_and_loads_alone(folder, tmp_path):
    out = tmp_path / "siamese.safetensors"
    settings = published_settings("signet-siamese", epochs=1, batch=8, grouped=True)
    manifest = run_recipe(settings, folder, out, lambda line: None)
    assert manifest["trainable_parameters"] == RECIPES["signet-siamese"].trainable == 6_461_568
    assert manifest["test"]["writers"] == 1 and manifest["test"]["pairs"] == 6 + 8
    assert 0 <= manifest["test"]["auc"] <= 1
    trained = load_trained(out)
    scans = [read_scan(path) for path in sorted(folder.glob("000/*.png"))[:2]]
    values = trained.embed(scans)
    assert values.shape == (2, 128)
    np.testing.assert_array_equal(values, load_trained(out).embed(scans))
    with pytest.raises(ValueError, match="gives embeddings, not labels"):
        trained.label_shares([])


def test_signet_f_trains_with_the_forgery_unit_and_loads_alone(folder, tmp_path):
    out = tmp_path / "signet_f.safetensors"
    settings = published_settings("signet-f", epochs=1, batch=16)
    manifest = run_recipe(settings, folder, out, lambda line: None)
    assert manifest["settings"]["formulation"] == "loss2"
    trained = load_trained(out)
    assert trained.network.forged is not None
    assert trained.plan.canvas == tuple(json.loads(manifest["about"]["input"])["canvas"])
    assert trained.embed([read_scan(next(folder.glob("001/*.png")))]).shape == (1, 2048)


@pytest.mark.parametrize(
    ("formulation", "classes", "unit", "rows"),
    [
        ("writers", 5, False, 15),  # 5 writers × (4 genuine − 1 held out)
        ("forgeries_as_classes", 10, False, 20),  # and × (2 forged − 1 held out)
        ("loss1", 5, True, 20),
        ("loss2", 5, True, 20),
    ],
)
def test_each_formulation_has_its_classes_and_its_training_signatures(
    folder, formulation, classes, unit, rows
):
    found = read_signature_set(folder)
    settings = published_settings("signet-f", formulation=formulation)
    network, origin = build_network(settings, 5)
    assert network.writer.out_features == classes and (network.forged is not None) == unit
    images = np.zeros((len(found.paths), 170, 242), np.uint8)
    plan = InputPlan("signet", (170, 242), (150, 220))
    task = WriterTask(settings, found, images, plan, torch.nn.Linear(1, 1), origin)
    assert len(task.training) == rows
    assert not set(task.training) & set(task.validation)
    assert sorted(row for batch in task.batches(0) for row in batch) == task.training.tolist()
    assert [task.rate_factor(share) for share in (0, 0.34, 0.7, 1)] == pytest.approx([1, 0.1, 0.01, 0.01])


def test_held_out_signatures_are_of_every_writer_and_both_kinds(folder):
    found = read_signature_set(folder)
    rows = held_out_rows(found, ["000", "001"], np.random.default_rng(0))
    assert sorted(zip(found.writers[rows].tolist(), found.forged[rows].tolist(), strict=True)) == [
        ("000", False),
        ("000", True),
        ("001", False),
        ("001", True),
    ]


def test_identification_trains_a_backbone_when_epochs_are_given_and_never_uses_random_features(
    folder, tmp_path
):
    out = tmp_path / "who.safetensors"
    settings = published_settings("identification", backbone="mobilenet_v2", weights="none")
    with pytest.raises(ValueError, match="epochs: a backbone without weights must be trained"):
        run_recipe(settings, folder, out, lambda line: None)
    settings = published_settings("identification", backbone="mobilenet_v2", weights="none", epochs=1)
    manifest = run_recipe(settings, folder, out, lambda line: None)
    assert manifest["about"]["start"] == "none: trained from scratch"
    assert load_trained(out).embed([read_scan(next(folder.glob("001/*.png")))]).shape == (1, 1280 * 4 * 4)


def test_turned_and_darkened_pages_stay_pages(folder):
    ink = prepare(
        read_scan(next(folder.glob("001/*.png"))), InputPlan("identification", (100, 120), (100, 120))
    )
    seen = [turn_and_darken(ink, np.random.default_rng(seed)) for seed in range(30)]
    assert all(image.shape == ink.shape and image.dtype == np.uint8 for image in seen)
    paper = {int(image[0, 0]) for image in seen}  # 0, or 255 minus half to nine tenths of 255
    assert 0 in paper and len(paper) > 1 and all(level == 0 or 25 <= level <= 128 for level in paper)


def test_crops_are_random_in_training_and_in_the_middle_afterwards():
    plan = InputPlan("signet", (6, 8), (4, 4))
    image = np.arange(48, dtype=np.uint8).reshape(1, 6, 8)
    middle = to_tensor(image, plan, "cpu")
    np.testing.assert_allclose(middle.numpy()[0, 0], image[0, 1:5, 2:6] / 255, rtol=1e-6)
    corners = {
        round(float(to_tensor(image, plan, "cpu", np.random.default_rng(seed))[0, 0, 0, 0]) * 255)
        for seed in range(60)
    }
    assert corners == {row * 8 + column for row in range(3) for column in range(5)}


def test_graduation_trains_any_two_labels_and_gives_shares(labelled, tmp_path):
    out = tmp_path / "graduation.safetensors"
    settings = published_settings("graduation", epochs=1, backbone="mobilenet_v2", weights="none", batch=4)
    manifest = run_recipe(settings, labelled, out, lambda line: None)
    trained = load_trained(out)
    assert trained.labels == ("not_on_time", "on_time")
    shares = trained.label_shares(sorted(labelled.glob("*/*.png")))
    assert shares.shape == (8,) and ((shares > 0) & (shares < 1)).all()
    assert manifest["best"]["accuracy"] in (0.0, 0.5, 1.0)  # one scan of each label is held out


def test_the_graduation_schedule_is_step_lr_7_with_a_tenth(labelled):
    settings = published_settings("graduation")
    assert (settings.epochs, settings.rate) == (25, 1e-3)
    network, rows = torch.nn.Linear(1, 2), (np.arange(6), np.arange(6, 8))
    task = LabelTask(settings, read_labelled(labelled), rows, network, "none")
    by_epoch = [task.rate_factor(epoch / 25) for epoch in range(25)]
    assert by_epoch == pytest.approx([1.0] * 7 + [0.1] * 7 + [0.01] * 7 + [0.001] * 4)
    group = task.optimizer.param_groups[0]
    assert (group["momentum"], group["lr"], group["nesterov"]) == (0.9, 1e-3, False)


def test_labels_come_from_a_table_with_persons_who_stay_on_one_side(tmp_path):
    rng, lines = np.random.default_rng(2), ["file;label;person"]
    for person in range(6):
        for one in range(2):
            name = f"p{person}_{one}.png"
            cv2.imwrite(str(tmp_path / name), drawn(rng, person))
            lines.append(f"{name};{'late' if person < 3 else 'on time'};P{person}")
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    found = read_labelled(tmp_path)
    assert found.names == ("late", "on time") and found.labels.sum() == 6
    first, second = deal_persons(found, 0.34, rng)
    assert not set(found.persons[first]) & set(found.persons[second])
    assert sorted(found.labels[second]) == [False, False, True, True]  # one person of each label


def test_persons_with_scans_of_both_labels_are_dealt_whole_too():
    labels, persons = np.array([True, False] * 10), np.array([f"P{i // 2}" for i in range(20)])
    found = LabelledSet("made", tuple([None] * 20), labels, ("forged", "genuine"), persons)
    first, second = deal_persons(found, 0.2, np.random.default_rng(0))
    assert len(second) == 4 and sorted(labels[second]) == [False, False, True, True]
    assert not set(persons[first]) & set(persons[second])
    alone = LabelledSet("made", (None, None), labels[:2], ("forged", "genuine"), persons[[0, 2]])
    with pytest.raises(ValueError, match="at least 2 persons for each of the labels forged, genuine"):
        deal_persons(alone, 0.2, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,label", "a.png,late", "b.png,"], "line 3, needs values"),
        (["file,label", "../outside.png,late"], "line 2: there is no file"),
        (["file,label", "a.png,late", "b.png,late"], "exactly two labels, got 1: late"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path, lines, message):
    inside = tmp_path / "set"
    inside.mkdir()
    for path in (inside / "a.png", inside / "b.png", tmp_path / "outside.png"):
        cv2.imwrite(str(path), drawn(np.random.default_rng(0), 1))
    (inside / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_labelled(inside)


def test_pages_are_rgb_with_transparent_parts_white(tmp_path):
    image = np.zeros((20, 20, 4), np.uint8)
    image[:, :10, 3] = 255  # left half opaque black, right half transparent
    cv2.imwrite(str(tmp_path / "a.png"), image)
    page = np.asarray(read_page(tmp_path / "a.png"))
    assert (
        page.shape == (20, 20, 3) and page[0, 0].tolist() == [0, 0, 0] and page[0, 19].tolist() == [255] * 3
    )


def test_weights_are_named_or_refused_never_made_up(tmp_path):
    with pytest.raises(NoWeights, match=r"there is no file 'gone\.safetensors'"):
        build_backbone("mobilenet_v2", str(tmp_path / "gone.safetensors"))
    with pytest.raises(ValueError, match="weights: must be imagenet, none"):
        build_backbone("mobilenet_v2", "random")
    with pytest.raises(ValueError, match="backbone: must be one of"):
        build_backbone("resnet18", "none")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "deepsign"], "needs a folder of scans"),
        (["--recipe", "resnet"], "recipe must be one of"),
        (["--recipe", "deepsign", "--data", "nowhere"], "there is no folder"),
        (["--recipe", "deepsign", "--set", "epochs=many"], "epochs must be of type int"),
        (["--recipe", "deepsign", "--set", "color=red"], "name must be one of"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(tmp_path, arguments, message):
    result = CliRunner().invoke(app, ["train", "--out", str(tmp_path / "a.safetensors"), *arguments])
    assert result.exit_code == 2
    assert message in result.output and "Traceback" not in result.output


def test_settings_are_read_by_their_types():
    wanted = ["epochs=3", "rate=1e-4", "grouped=true", "backbone=vgg16"]
    assert changed(TrainSettings, wanted) == {
        "epochs": 3,
        "rate": 1e-4,
        "grouped": True,
        "backbone": "vgg16",
    }
    assert changed(Settings, ["heights=48,64", "start=a.safetensors"]) == {
        "heights": (48, 64),
        "start": "a.safetensors",
    }
    with pytest.raises(ValueError, match="grouped must be of type bool"):
        changed(TrainSettings, ["grouped=1"])
