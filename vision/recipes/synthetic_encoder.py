"""Train the shipped encoder: a ResNet-50 that tells synthetic writers, and their forgers, apart.

Every signature is performed anew, so no image is seen twice and nothing is stored but the writers' plans.
The schedule follows elapsed training time, not steps, so that the same command fits a busy or a fast
machine; images grow from low to higher resolution. Killed at any moment, the same command goes on from the
last checkpoint.
"""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from data.synthetic import signatures
from vision.recipes.checkpoints import resume, save_checkpoint
from vision.recipes.readout_fit import add_readout
from vision.scans.augment import vary_ink

_LAST_STAGE = 0.85
"""Share of the time from which the last, larger input size is used."""

MEAN, SPREAD = 0.08, 0.22
"""Of ink images with values 0 to 1; the encoder's input is (ink - MEAN) / SPREAD."""


@dataclass(frozen=True)
class Settings:
    """What makes a run reproducible, apart from the machine's speed.

    Attributes
    ----------
    writers : int
        Synthetic writers, each with one forger; at least 2.
    minutes : float
        Training time, checkpoints and resumed parts included.
    seed : int
    batch : int
        Images per step.
    forged : float
        Share of forgeries in a batch.
    rate, decay : float
        Peak learning rate and weight decay of AdamW.
    dim : int
        Length of the projected embedding.
    heights : tuple of int
        Height of the input at first and in the last part of the time; the width is 5/2 of it.
    start : str
        A .safetensors file of this recipe whose encoder to start from, with new writers; empty: none.
    """

    writers: int = 400
    minutes: float = 60.0
    seed: int = 7
    batch: int = 32
    forged: float = 0.35
    rate: float = 1.0e-3
    decay: float = 0.02
    dim: int = 512
    heights: tuple[int, int] = (48, 64)
    start: str = ""


class WriterStream:
    """Endless fresh signatures of a fixed set of synthetic writers and their forgers."""

    def __init__(self, settings):
        self.settings = settings
        self.writers, self.forgers = [], []
        for number in range(settings.writers):
            rng = np.random.default_rng((settings.seed, number))
            writer = signatures.make_writer(rng)
            self.writers.append(writer)
            self.forgers.append(signatures.make_forger(writer, rng))

    def batch(self, step, shape):
        """Images and classes of one step, the same for the same step and shape.

        Parameters
        ----------
        step : int
        shape : tuple of int
            Height and width.

        Returns
        -------
        images : ndarray of uint8, shape (batch, height, width)
        classes : ndarray of int64, shape (batch,)
            2w for writer w, 2w + 1 for the forger of w.
        """
        settings = self.settings
        rng = np.random.default_rng((settings.seed, 1_000_000, step))
        who = rng.integers(0, settings.writers, settings.batch)
        forged = rng.random(settings.batch) < settings.forged
        images = np.stack([self._sign(w, f, shape, rng) for w, f in zip(who, forged, strict=True)])
        return images, (2 * who + forged).astype(np.int64)

    def _sign(self, number, forged, shape, rng):
        writer = self.writers[number]
        if forged:
            trajectory = signatures.perform(writer, rng, "skilled", self.forgers[number])
        else:
            trajectory = signatures.perform(writer, rng, "hurried" if rng.random() < 0.15 else "genuine")
        return vary_ink(signatures.render_small(trajectory, rng, shape), rng)


def build_network(settings):
    """The encoder (torchvision's ResNet-50 with a projection as its last layer) and its training head."""
    import torch
    from safetensors.torch import load_file
    from torch import nn
    from torchvision.models import resnet50

    from vision.networks.losses import PairedMarginSoftmax

    torch.manual_seed(settings.seed)
    encoder = resnet50(weights=None, num_classes=settings.dim, zero_init_residual=True)
    if settings.start:
        encoder.load_state_dict({k: v.float() for k, v in load_file(settings.start).items()}, strict=False)
    encoder = encoder.to(memory_format=torch.channels_last)
    head = nn.ModuleDict(
        {"norm": nn.BatchNorm1d(settings.dim), "loss": PairedMarginSoftmax(settings.dim, settings.writers)}
    )
    return encoder, head


def to_input(images):
    """Ink images to the encoder's input.

    Parameters
    ----------
    images : ndarray of uint8, shape (b, h, w)

    Returns
    -------
    Tensor of float32, shape (b, 3, h, w), channels last
    """
    import torch

    x = torch.from_numpy(np.ascontiguousarray(images)).float().div_(255).sub_(MEAN).div_(SPREAD)
    return x[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def rate_at(progress, peak):
    """Learning rate: linear warm-up over 3 % of the time, then a half cosine to nearly nothing."""
    warm = 0.03
    if progress < warm:
        return peak * (0.05 + 0.95 * progress / warm)
    return peak * (0.003 + 0.997 * 0.5 * (1 + np.cos(np.pi * min((progress - warm) / (1 - warm), 1.0))))


def shape_at(progress, heights):
    """Input size at a share of the training time."""
    height = heights[int(progress >= _LAST_STAGE)]
    return height, height * 5 // 2


def train(settings, out, say=print, checkpoint_every=120.0, now=time.monotonic, finish=add_readout):
    """Train, export, and fit the readout.

    Parameters
    ----------
    settings : Settings
    out : pathlib.Path
        The safetensors file to write; checkpoints go to a folder beside it.
    say : callable
        Receives progress lines.
    checkpoint_every : float
        Seconds between checkpoints.
    now : callable
        Seconds of a clock that only goes forward.
    finish : callable
        Receives the path of the trained network's file and completes the file.

    Returns
    -------
    dict
        The manifest, which is also written beside `out`.
    """
    import torch

    torch.manual_seed(settings.seed)
    folder = Path(out).with_suffix(".run")
    folder.mkdir(parents=True, exist_ok=True)
    encoder, head = build_network(settings)
    optimizer = _optimizer(encoder, head, settings)
    state = resume(folder, settings, encoder, head, optimizer)
    stream = WriterStream(settings)
    clock = _Clock(state, settings, now)
    last_saved, correct, seen = clock.seconds(), 0.0, 0
    while (progress := clock.progress()) < 1.0:
        images, classes = stream.batch(state.step, shape_at(progress, settings.heights))
        loss, hit = _step(
            encoder, head, optimizer, to_input(images), torch.from_numpy(classes), progress, settings
        )
        state.step, state.seconds = state.step + 1, clock.seconds()
        correct, seen = correct + hit, seen + len(classes)
        if state.step % 25 == 0:
            shape = "x".join(map(str, shape_at(progress, settings.heights)))
            share = correct / seen
            say(f"{clock.seconds():7.0f} s  step {state.step}  {shape}  loss {loss:.3f}  right {share:.3f}")
            correct, seen = 0.0, 0
        if clock.seconds() - last_saved > checkpoint_every:
            last_saved = clock.seconds()
            save_checkpoint(folder, settings, encoder, head, optimizer, state)
            export(encoder, out, settings, state)
    save_checkpoint(folder, settings, encoder, head, optimizer, state)
    export(encoder, out, settings, state)
    finish(Path(out))
    return _manifest(Path(out), settings, state)


def _optimizer(encoder, head, settings):
    import torch

    heavy = [p for p in encoder.parameters() if p.ndim > 1]
    light = [p for p in encoder.parameters() if p.ndim <= 1] + list(head["norm"].parameters())
    groups = [
        {"params": heavy, "weight_decay": settings.decay, "factor": 1.0},
        {"params": light, "weight_decay": 0.0, "factor": 1.0},
        {"params": list(head["loss"].parameters()), "weight_decay": 0.0, "factor": 3.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98), eps=1e-6)


def _step(encoder, head, optimizer, images, classes, progress, settings):
    import torch

    encoder.train()
    head.train()
    for group in optimizer.param_groups:
        group["lr"] = rate_at(progress, settings.rate) * group["factor"]
    strength = float(np.clip((progress - 0.4) / 0.35, 0, 1))
    with torch.autocast("cpu", torch.bfloat16):
        features = encoder(images)
    loss, cosine = head["loss"](head["norm"](features.float()), classes, strength)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(encoder.parameters(), 5.0)
    optimizer.step()
    return float(loss.detach()), float((cosine.argmax(1) == classes).sum())


class _Clock:
    """Training time, resumed parts included."""

    def __init__(self, state, settings, now):
        self._limit, self._now = settings.minutes * 60, now
        self._start = now() - state.seconds

    def seconds(self):
        return self._now() - self._start

    def progress(self):
        return self.seconds() / self._limit


def export(encoder, out, settings, state):
    """Write the encoder as float16 with a manifest beside it.

    Returns
    -------
    dict
        The manifest.
    """
    from safetensors.torch import save_file

    weights = {k: v.half().contiguous() for k, v in encoder.state_dict().items() if v.is_floating_point()}
    about = {
        "architecture": "resnet50",
        "trained_on": "synthetic signatures only",
        "input": json.dumps(_input(settings)),
    }
    out = Path(out)
    partial = out.with_suffix(".part")
    save_file(weights, partial, metadata=about)
    partial.replace(out)
    return _manifest(out, settings, state)


def _input(settings):
    height, width = shape_at(1.0, settings.heights)
    return {"height": height, "width": width, "mean": MEAN, "spread": SPREAD}


def _manifest(out, settings, state):
    """What is in a written file, also beside it."""
    manifest = {
        "settings": asdict(settings) | {"start": Path(settings.start).name},
        "input": _input(settings),
        "steps": state.step,
        "images": state.step * settings.batch,
        "seconds": round(state.seconds),
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
    }
    out.with_suffix(".json").write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest
