"""The training recipe: its data, its loss, its schedule, and going on after a kill."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

from vision.networks.losses import PairedMarginSoftmax
from vision.recipes import synthetic_encoder as recipe
from vision.recipes.checkpoints import TrainingState
from vision.scans.augment import vary_ink

SMALL = recipe.Settings(writers=3, minutes=1.0, seed=2, batch=4)


def test_the_stream_is_the_same_for_the_same_step_and_never_repeats_a_signature():
    first, again = recipe.WriterStream(SMALL), recipe.WriterStream(SMALL)
    images, classes = first.batch(5, (32, 80))
    same, same_classes = again.batch(5, (32, 80))
    np.testing.assert_array_equal(images, same)
    np.testing.assert_array_equal(classes, same_classes)
    other, _ = first.batch(6, (32, 80))
    assert images.shape == (4, 32, 80) and images.dtype == np.uint8
    assert not any(np.array_equal(a, b) for a in images for b in other)
    assert 0 <= classes.min() and classes.max() < 6


def test_varied_ink_keeps_its_shape_and_some_ink():
    rng = np.random.default_rng(0)
    image, _ = recipe.WriterStream(SMALL).batch(0, (48, 120))
    for _ in range(40):
        varied = vary_ink(image[0], rng)
        assert varied.shape == (48, 120) and varied.dtype == np.uint8 and varied.max() > 40


def test_the_loss_is_the_softmax_of_cosines_worked_out_by_hand():
    loss = PairedMarginSoftmax(2, 2, scale=2.0, margin=0.5, pair_margin=0.25)
    with torch.no_grad():
        loss.proxies.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]))
    value, cosine = loss(torch.tensor([[3.0, 0.0]]), torch.tensor([0]))
    np.testing.assert_allclose(cosine.numpy(), [[1, 0, -1, 0]], atol=1e-6)
    # logits: 2(1 - .5) = 1, 2(0 + .25) = .5, 2(-1) = -2, 0
    expected = -1 + np.log(np.exp(1) + np.exp(0.5) + np.exp(-2) + np.exp(0))
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_without_strength_the_margins_vanish():
    loss = PairedMarginSoftmax(2, 2, scale=1.0, margin=0.9, pair_margin=0.9)
    plain = PairedMarginSoftmax(2, 2, scale=1.0, margin=0.0, pair_margin=0.0)
    plain.load_state_dict(loss.state_dict())
    x, y = torch.randn(5, 2), torch.tensor([0, 1, 2, 3, 0])
    assert loss(x, y, strength=0.0)[0].item() == pytest.approx(plain(x, y)[0].item(), rel=1e-6)


@given(st.floats(0, 1), st.floats(1e-6, 1.0))
def test_the_learning_rate_stays_between_nothing_and_its_peak(progress, peak):
    assert 0 < recipe.rate_at(progress, peak) <= peak * (1 + 1e-9)


def test_every_step_draws_one_of_the_heights_and_always_the_same():
    settings = replace(SMALL, heights=(32, 64))
    shapes = [recipe.shape_at(step, settings) for step in range(40)]
    assert set(shapes) == {(32, 80), (64, 160)}
    assert shapes == [recipe.shape_at(step, settings) for step in range(40)]
    images, _ = recipe.WriterStream(settings).batch(3)
    assert images.shape[1:] == shapes[3]


def test_scans_of_forms_join_the_drawn_signatures():
    drawn = recipe.WriterStream(replace(SMALL, scanned=0.0)).batch(1, (64, 160))[0]
    scanned = recipe.WriterStream(replace(SMALL, scanned=1.0)).batch(1, (64, 160))[0]
    assert scanned.shape == drawn.shape and not np.array_equal(scanned, drawn)
    assert (scanned.reshape(4, -1).max(axis=1) > 0).all()


def test_batches_drawn_ahead_by_other_processes_are_those_that_one_would_draw():
    ahead, alone = (recipe._batches(recipe.WriterStream(SMALL), 7, processes) for processes in (2, 0))
    for _ in range(3):
        (images, classes), (same, same_classes) = next(ahead), next(alone)
        torch.testing.assert_close(images, same)
        torch.testing.assert_close(classes, same_classes)
    ahead.close()


def ticking(dies_at=None):
    """A clock on which every look takes a second, and which ends the process at `dies_at`."""
    seconds = 0

    def now():
        nonlocal seconds
        seconds += 1
        if dies_at is not None and seconds > dies_at:
            raise KeyboardInterrupt
        return seconds

    return now


def quiet(line):
    pass


def leave(path):
    """A finish that leaves the small network's file as it is."""


def small_network(settings):
    """A network of the right interface that trains in milliseconds."""
    from torch import nn

    torch.manual_seed(settings.seed)
    encoder = nn.Sequential(nn.Conv2d(3, 4, 3, 4), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    head = nn.ModuleDict({"norm": nn.BatchNorm1d(4), "loss": PairedMarginSoftmax(4, settings.writers)})
    return encoder, head


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "build_network", small_network)
    settings = recipe.Settings(writers=2, minutes=0.5, seed=1, batch=2)
    out = tmp_path / "encoder.safetensors"
    with pytest.raises(KeyboardInterrupt):
        recipe.train(settings, out, quiet, checkpoint_every=0, now=ticking(dies_at=14), finish=leave)
    state = json.loads((out.with_suffix(".run") / "state.json").read_text())
    assert state["step"] >= 1 and out.exists()
    manifest = recipe.train(settings, out, quiet, now=ticking(), finish=leave)
    assert manifest["steps"] > state["step"]
    assert manifest["seconds"] <= 30
    with pytest.raises(ValueError, match="a run with other settings, "):
        recipe.train(recipe.Settings(writers=3, minutes=0.5, seed=1, batch=2), out, now=ticking())


def test_more_minutes_continue_a_finished_run(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "build_network", small_network)
    out = tmp_path / "encoder.safetensors"
    steps = [
        recipe.train(recipe.Settings(2, minutes, 1, 2), out, quiet, now=ticking(), finish=leave)["steps"]
        for minutes in (0.2, 0.2, 0.4)
    ]
    assert steps[0] == steps[1] < steps[2]


def test_the_exported_file_is_a_usable_encoder_under_fifty_megabytes(tmp_path):
    from vision.encoder.backbones import load_encoder

    encoder, _ = recipe.build_network(SMALL)
    out = tmp_path / "tepat-resnet50-v0.safetensors"
    manifest = recipe.export(encoder, out, SMALL, TrainingState(3, 12.0))
    assert out.stat().st_size < 50e6
    with safe_open(out, "pt") as file:
        assert file.metadata()["trained_on"] == "synthetic signatures only"
    loaded = load_encoder(str(out))
    assert loaded.ink_bright and loaded.input_size == (64, 160)
    assert loaded.info.weights_sha256 == manifest["sha256"] and manifest["images"] == 12


def test_a_run_can_start_from_another_ones_encoder(tmp_path):
    encoder, _ = recipe.build_network(SMALL)
    recipe.export(encoder, tmp_path / "first.safetensors", SMALL, TrainingState(1, 1.0))
    second = replace(SMALL, seed=9, writers=5, start=str(tmp_path / "first.safetensors"))
    started, head = recipe.build_network(second)
    torch.testing.assert_close(started.conv1.weight, encoder.conv1.weight, rtol=1e-3, atol=1e-4)
    assert head["loss"].proxies.shape == (10, 512)
