"""Train the shipped encoder: a ResNet-50 that tells synthetic writers, and their forgers, apart.

Every signature is performed anew, so no image is seen twice and nothing is stored but the writers' plans.
The schedule follows elapsed training time, not steps, so that the same command fits a busy or a fast
machine, with a GPU or without; each batch has one of several resolutions. Killed at any moment, the same
command goes on from the last checkpoint.
"""

import hashlib
import itertools
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from data.synthetic import signatures
from data.synthetic.paper import DISTURBANCES
from vision.encoder.readout_layout import FINE
from vision.recipes.checkpoints import resume, save_checkpoint
from vision.recipes.device import pick_device
from vision.scans.augment import vary_ink
from vision.scans.preprocess import fit_ink, to_ink

_DISTURBED = 0.4
"""Share of the scans through which something printed runs."""

_SHARPEST = (100, 600)
"""Resolutions of the scans in dots per inch, drawn evenly on a logarithmic scale."""

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
        Heights of the input, of which each batch draws one; the width is 5/2 of it. The file states the
        first as its input, and the last as its fine one where it is another.
    scanned : float
        Share of the images that are scans of forms, cleaned as an office's scans are; the others are drawn
        without paper.
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
    heights: tuple[int, ...] = (64, 96, 128)
    scanned: float = 0.5
    start: str = ""


class WriterStream:
    """Endless fresh signatures of a fixed set of synthetic writers and their forgers."""

    def __init__(self, settings):
        self.settings = settings
        self._known = {}

    def people(self, number):
        """Writer `number` and that writer's forger, made when they are first asked for."""
        if number not in self._known:
            rng = np.random.default_rng((self.settings.seed, number))
            writer = signatures.make_writer(rng)
            self._known[number] = writer, signatures.make_forger(writer, rng)
        return self._known[number]

    def batch(self, step, shape=None):
        """Images and classes of one step, the same for the same step and shape.

        Parameters
        ----------
        step : int
        shape : tuple of int, optional
            Height and width; :func:`shape_at` the step when absent.

        Returns
        -------
        images : ndarray of uint8, shape (batch, height, width)
        classes : ndarray of int64, shape (batch,)
            2w for writer w, 2w + 1 for the forger of w.
        """
        settings = self.settings
        shape = shape or shape_at(step, settings)
        rng = np.random.default_rng((settings.seed, 1_000_000, step))
        who = rng.integers(0, settings.writers, settings.batch)
        forged = rng.random(settings.batch) < settings.forged
        images = np.stack([self._sign(w, f, shape, rng) for w, f in zip(who, forged, strict=True)])
        return images, (2 * who + forged).astype(np.int64)

    __getitem__ = batch
    """As PyTorch's data loader asks for it."""

    def _sign(self, number, forged, shape, rng):
        writer, forger = self.people(int(number))
        if forged:
            trajectory = signatures.perform(writer, rng, "skilled", forger)
        else:
            trajectory = signatures.perform(writer, rng, "hurried" if rng.random() < 0.15 else "genuine")
        ink = None
        if rng.random() < self.settings.scanned:
            ink = _scanned(trajectory, shape, rng)
        if ink is None:
            ink = signatures.render_small(trajectory, rng, shape)
        return vary_ink(ink, rng)


def _scanned(trajectory, shape, rng):
    """The signature on a form, scanned and cleaned; None when cleaning left no ink."""
    low, high = np.log(_SHARPEST)
    printed = str(rng.choice(DISTURBANCES)) if rng.random() < _DISTURBED else None
    dpi = int(np.exp(rng.uniform(low, high)))
    ink = to_ink(signatures.render_scan(trajectory, rng, dpi=dpi, disturbance=printed))
    return fit_ink(ink, shape) if ink.any() else None


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


def to_input(images, device="cpu"):
    """Ink images to the encoder's input.

    Parameters
    ----------
    images : Tensor of uint8, shape (b, h, w)
    device : str or torch.device

    Returns
    -------
    Tensor of float32, shape (b, 3, h, w), channels last
    """
    import torch

    x = images.to(device).float().div_(255).sub_(MEAN).div_(SPREAD)
    return x[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def rate_at(progress, peak):
    """Learning rate: linear warm-up over 3 % of the time, then a half cosine to nearly nothing."""
    warm = 0.03
    if progress < warm:
        return peak * (0.05 + 0.95 * progress / warm)
    return peak * (0.003 + 0.997 * 0.5 * (1 + np.cos(np.pi * min((progress - warm) / (1 - warm), 1.0))))


def shape_at(step, settings):
    """Input size of a step: height, drawn from the settings' heights, and width."""
    rng = np.random.default_rng((settings.seed, 2_000_000, step))
    return _shape(int(rng.choice(settings.heights)))


def _shape(height):
    return height, height * 5 // 2


def train(settings, out, say=print, checkpoint_every=120.0, now=time.monotonic, finish=None, processes=0):
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
    finish : callable, optional
        Receives the path of the trained network's file and completes the file;
        :func:`vision.recipes.readout_fit.add_readout` when absent.
    processes : int
        Processes that draw signatures ahead; 0: this one draws them itself.

    Returns
    -------
    dict
        The manifest, which is also written beside `out`.
    """
    import torch

    torch.manual_seed(settings.seed)
    folder = Path(out).with_suffix(".run")
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device(pick_device())
    encoder, head = (part.to(device) for part in build_network(settings))
    optimizer = _optimizer(encoder, head, settings)
    state = resume(folder, settings, encoder, head, optimizer)
    batches = _batches(WriterStream(settings), state.step, processes)
    clock = _Clock(state, settings, now)
    last_saved, correct, seen = clock.seconds(), 0.0, 0
    while (progress := clock.progress()) < 1.0:
        images, classes = next(batches)
        loss, hit = _step(encoder, head, optimizer, to_input(images, device), classes, progress, settings)
        state.step, state.seconds = state.step + 1, clock.seconds()
        correct, seen = correct + hit, seen + len(classes)
        if state.step % 25 == 0:
            shape, share = "x".join(map(str, images.shape[1:])), float(correct) / seen
            line = f"step {state.step}  {shape}  loss {float(loss):.3f}  right {share:.3f}"
            say(f"{clock.seconds():7.0f} s  {line}")
            correct, seen = 0.0, 0
        if clock.seconds() - last_saved > checkpoint_every:
            last_saved = clock.seconds()
            save_checkpoint(folder, settings, encoder, head, optimizer, state)
            export(encoder, out, settings, state)
    save_checkpoint(folder, settings, encoder, head, optimizer, state)
    export(encoder, out, settings, state)
    if finish is None:
        from vision.recipes.readout_fit import add_readout as finish
    finish(Path(out))
    return _manifest(Path(out), settings, state)


def _batches(stream, first, processes):
    """Batches from a step on, without end, in order, drawn ahead by other processes where there are any."""
    import torch

    if not processes:
        for step in itertools.count(first):
            images, classes = stream.batch(step)
            yield torch.from_numpy(images), torch.from_numpy(classes)
    yield from torch.utils.data.DataLoader(
        stream,
        batch_size=None,
        sampler=_Steps(first),
        num_workers=processes,
        prefetch_factor=4,
        worker_init_fn=_one_thread,
    )


class _Steps:
    """The steps from one on."""

    def __init__(self, first):
        self._first = first

    def __iter__(self):
        return itertools.count(self._first)


def _one_thread(_):
    import cv2

    cv2.setNumThreads(1)


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
    classes = classes.to(images.device)
    with torch.autocast(images.device.type, torch.bfloat16):
        features = encoder(images)
    loss, cosine = head["loss"](head["norm"](features.float()), classes, strength)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(encoder.parameters(), 5.0)
    optimizer.step()
    return loss.detach(), (cosine.argmax(1) == classes).sum()


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

    weights = {
        k: v.half().cpu().contiguous() for k, v in encoder.state_dict().items() if v.is_floating_point()
    }
    about = {
        "architecture": "resnet50",
        "trained_on": "synthetic signatures only",
        "input": json.dumps(_input(settings.heights[0])),
    }
    if settings.heights[-1] != settings.heights[0]:
        about[f"{FINE}input"] = json.dumps(_input(settings.heights[-1]))
    out = Path(out)
    partial = out.with_suffix(".part")
    save_file(weights, partial, metadata=about)
    partial.replace(out)
    return _manifest(out, settings, state)


def _input(height):
    height, width = _shape(height)
    return {"height": height, "width": width, "mean": MEAN, "spread": SPREAD}


def _manifest(out, settings, state):
    """What is in a written file, also beside it."""
    manifest = {
        "settings": asdict(settings) | {"start": Path(settings.start).name},
        "input": _input(settings.heights[0]),
        "steps": state.step,
        "images": state.step * settings.batch,
        "seconds": round(state.seconds),
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
    }
    out.with_suffix(".json").write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest
