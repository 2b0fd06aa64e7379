"""The loop behind the recipes: killed and resumed, stopped early, out of time, and what the manifest says."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from vision.recipes.registry import RECIPES, published_settings
from vision.recipes.training import TrainSettings, fit, load_weights

SETTINGS = TrainSettings("test", epochs=4, batch=2, rate=0.1, seed=3, data="0")


class Killed(Exception):
    """Stands for the end of the process."""


class LineTask:
    """Fits a line with dropout; validation scores are given or follow the loss."""

    def __init__(self, scores=None, kill_at=None):
        torch.manual_seed(0)
        self.network = torch.nn.Sequential(torch.nn.Dropout(0.4), torch.nn.Linear(3, 1))
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=1.0, momentum=0.9)
        self.about = {"start": "none"}
        self.rates, self.steps, self.kill_at, self.scores = [], 0, kill_at, scores

    def batches(self, epoch):
        order = np.random.default_rng(epoch).permutation(6)
        return [order[i : i + 2] for i in range(0, 6, 2)]

    def loss(self, batch, rng):
        if self.steps == self.kill_at:
            raise Killed
        self.steps += 1
        self.rates.append(self.optimizer.param_groups[0]["lr"])
        inputs = torch.tensor(rng.normal(size=(2, 3)) + batch[:, None], dtype=torch.float32)
        return (self.network(inputs) - inputs.sum(1, keepdim=True)).square().mean() * 0.01

    def rate_factor(self, progress):
        return 1 - progress / 2

    def validate(self):
        score = -float(weights_of(self).square().sum()) if self.scores is None else self.scores.pop(0)
        return {"score": score}


def weights_of(task):
    return task.network[1].weight.detach().clone()


def test_a_killed_run_goes_on_and_ends_with_the_weights_of_a_run_that_was_not(tmp_path):
    whole, broken, second = LineTask(), LineTask(kill_at=8), LineTask()
    whole_manifest = fit(whole, SETTINGS, tmp_path / "whole.safetensors", lambda line: None)
    with pytest.raises(Killed):
        fit(broken, SETTINGS, tmp_path / "b.safetensors", lambda line: None, checkpoint_every=-1)
    manifest = fit(second, SETTINGS, tmp_path / "b.safetensors", lambda line: None)
    assert second.steps == 12 - 8  # four epochs of three batches, eight were done
    assert torch.equal(weights_of(whole), weights_of(second))
    assert manifest["history"] == whole_manifest["history"]
    assert manifest["steps"] == 12


def test_the_learning_rate_follows_the_schedule(tmp_path):
    task = LineTask()
    fit(task, SETTINGS, tmp_path / "a.safetensors", lambda line: None)
    assert task.rates == pytest.approx([0.1 * (1 - k / 12 / 2) for k in range(12)])


def test_the_best_epoch_is_kept_and_training_stops_after_too_many_worse_ones(tmp_path):
    task, out = LineTask(scores=[0.1, 0.5, 0.4, 0.5, 0.9]), tmp_path / "a.safetensors"
    kept = {}

    def note(line):
        kept[len(kept) + 1] = weights_of(task)

    manifest = fit(task, replace(SETTINGS, epochs=9, patience=2), out, note)
    assert manifest["stopped_early"] and manifest["epochs"] == 4
    assert manifest["best"]["epoch"] == 2
    assert torch.equal(weights_of(task), kept[2])
    other = LineTask()
    load_weights(other.network, out)
    assert torch.equal(weights_of(other), kept[2])


def test_time_that_is_up_ends_the_run_within_an_epoch_and_the_schedule_follows_it(tmp_path):
    ticks = iter(range(0, 10_000, 1))
    task, minutes = LineTask(), 10 / 60
    settings = replace(SETTINGS, epochs=1000, minutes=minutes)
    manifest = fit(task, settings, tmp_path / "a.safetensors", lambda line: None, now=lambda: next(ticks))
    assert 0 < manifest["steps"] < 12
    assert task.rates[-1] < 0.1 * 0.75  # half of the time had gone although no epoch share had


def test_the_manifest_names_data_code_settings_device_and_weights(tmp_path):
    out = tmp_path / "a.safetensors"
    fit(LineTask(), replace(SETTINGS, weights="/some/where/start.safetensors"), out, lambda line: None)
    manifest = json.loads(out.with_suffix(".json").read_text())
    assert manifest["settings"]["data"] == "0" and manifest["settings"]["seed"] == 3
    assert manifest["settings"]["weights"] == "start.safetensors"  # no path of the machine
    assert len(manifest["code_sha256"]) == len(manifest["sha256"]) == 64
    assert manifest["device"] in ("cpu", "cuda")
    assert manifest["parameters"] == manifest["trainable_parameters"] == 4
    assert len(manifest["history"]) == 4


def test_a_run_is_not_resumed_with_other_settings_or_data(tmp_path):
    out = tmp_path / "a.safetensors"
    fit(LineTask(), SETTINGS, out, lambda line: None)
    with pytest.raises(ValueError, match="holds a run with other settings"):
        fit(LineTask(), replace(SETTINGS, data="1"), out, lambda line: None)


def test_without_an_epoch_the_weights_are_written_as_they_are_over_whatever_was_there(tmp_path):
    out, task = tmp_path / "a.safetensors", LineTask()
    out.write_bytes(b"of another run")
    before = weights_of(task)
    manifest = fit(task, replace(SETTINGS, epochs=0), out, lambda line: None)
    other = LineTask()
    load_weights(other.network, out)
    assert torch.equal(weights_of(other), before) and manifest["steps"] == 0


def test_training_that_diverges_says_so(tmp_path):
    task = LineTask()
    with torch.no_grad():
        task.network[1].weight.fill_(float("inf"))
    with pytest.raises(ValueError, match="rate: training diverged"):
        fit(task, SETTINGS, tmp_path / "a.safetensors", lambda line: None)


def test_every_recipe_names_its_source_and_settings_may_be_changed_by_name():
    assert set(RECIPES) >= {
        "synthetic-encoder",
        "signet",
        "signet-f",
        "signet-siamese",
        "deepsign",
        "mobilenet-transfer",
        "identification",
        "graduation",
    }
    assert all(recipe.trains and recipe.source for recipe in RECIPES.values())
    graduation = published_settings("graduation", epochs=3, rate=None)
    assert (graduation.epochs, graduation.rate, graduation.backbone) == (3, 1e-3, "resnet50")
    with pytest.raises(ValueError, match="recipe: must be one of"):
        published_settings("resnet")
