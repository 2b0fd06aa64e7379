"""The loop that all recipes on real signatures share: budget, schedule, early stopping, resume, manifest."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vision.recipes.checkpoints import TrainingState, resume, save_checkpoint
from vision.recipes.device import fast_bfloat16, pick_device


@dataclass(frozen=True)
class TrainSettings:
    """What makes a run reproducible; a checkpoint is resumed with these settings only.

    Attributes
    ----------
    recipe : str
        Name in `RECIPES`.
    epochs, batch : int
    rate : float
        First learning rate.
    minutes : float
        Training stops after so much time, validation included; 0: no limit. The learning rate follows
        epochs or minutes, whichever is further.
    seed : int
    patience : int
        Epochs without improvement after which training stops; 0: never.
    formulation : str
        Of SigNet's loss, a name of `pair_losses.FORMULATIONS`.
    forgery_weight : float
        λ of the formulations ``loss1`` and ``loss2``.
    backbone : str
        torchvision architecture, for recipes that start from one.
    weights : str
        ``imagenet``, a weights file's name, or ``none`` for training from scratch.
    grouped : bool
        Pairs in batches of a few signatures of a few writers (see
        :func:`vision.networks.pairs.grouped_batches`).
    data : str
        SHA-256 of the training data, filled in.
    """

    recipe: str
    epochs: int
    batch: int
    rate: float
    minutes: float = 0.0
    seed: int = 7
    patience: int = 0
    formulation: str = "writers"
    forgery_weight: float = 0.95
    backbone: str = ""
    weights: str = "none"
    grouped: bool = False
    data: str = ""


class Task(Protocol):
    """What a recipe brings to :func:`fit`.

    Attributes
    ----------
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
        Of the network's trainable weights.
    about : dict of str
        Goes into the weights file, so that it can be loaded and used alone.
    """

    network: Any
    optimizer: Any
    about: dict[str, str]

    def batches(self, epoch: int) -> Sequence:
        """All batches of an epoch, the same for the same epoch."""

    def loss(self, batch: Any, rng: np.random.Generator) -> Any:
        """Mean loss of a batch; the generator is the step's own."""

    def rate_factor(self, progress: float) -> float:
        """Multiplies the first learning rate at a share (0 to 1) of the training."""

    def validate(self) -> dict[str, float]:
        """Figures on validation data; ``score`` decides which epoch is best, higher is better."""


@dataclass
class RunState(TrainingState):
    """How far a run is: epoch, place in it, sum of its losses, and the best so far."""

    epoch: int = 0
    place: int = 0
    losses: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    stale: int = 0
    history: list = field(default_factory=list)


@dataclass
class _Budget:
    minutes: float
    start: float
    now: Callable[[], float]

    def seconds(self) -> float:
        return self.now() - self.start

    def share(self) -> float:
        return self.seconds() / (60 * self.minutes) if self.minutes > 0 else 0.0


def fit(
    task: Task,
    settings: TrainSettings,
    out: Path,
    say: Callable[[str], None] = print,
    checkpoint_every: float = 120.0,
    now: Callable[[], float] = time.monotonic,
) -> dict:
    """Train, keep the best epoch's weights in ``out``, and write the manifest beside it.

    Killed at any moment, the same call goes on from the last checkpoint and reaches the same weights on the
    same machine, unless ``minutes`` cut it short.

    Parameters
    ----------
    task : Task
    settings : TrainSettings
        With the hash of the data.
    out : Path
        The .safetensors file; checkpoints go to a folder beside it.
    say : callable
        Receives progress lines.
    checkpoint_every : float
        Seconds between checkpoints within an epoch.
    now : callable
        Seconds of a clock that only goes forward.

    Returns
    -------
    dict
        The manifest; the network of the task then has the best weights.
    """
    import torch

    device = pick_device()
    task.network.to(device, memory_format=torch.channels_last)
    folder = out.with_suffix(".run")
    folder.mkdir(parents=True, exist_ok=True)
    keep = _Keeper(task, settings, out, folder, torch.nn.Identity())
    state = resume(folder, settings, task.network, keep.nothing, task.optimizer, RunState)
    budget = _Budget(settings.minutes, now() - state.seconds, now)
    while state.epoch < settings.epochs and budget.share() < 1 and not _stopped(state, settings):
        _epoch(task, settings, state, budget, keep, say, checkpoint_every)
    if state.best is None or not out.exists():  # no epoch at all, or the file is gone: weights as they are
        state.best = None
        keep.judge(state, task.validate() | {"epoch": state.epoch})
    load_weights(task.network, out)
    return keep.manifest(state, device)


def _stopped(state: RunState, settings: TrainSettings) -> bool:
    return bool(settings.patience) and state.stale >= settings.patience


def _epoch(task, settings, state, budget, keep, say, checkpoint_every) -> None:
    """One epoch, or what the budget leaves of it, and its validation."""
    import torch

    batches = task.batches(state.epoch)
    last_saved = budget.seconds()
    while state.place < len(batches) and budget.share() < 1:
        done = (state.epoch + state.place / len(batches)) / settings.epochs
        rng = np.random.default_rng((settings.seed, 1_000_000, state.step))
        torch.manual_seed(int(rng.integers(2**31)))  # dropout, the same after a resume
        loss = _step(task, settings, batches[state.place], max(done, budget.share()), rng)
        state.losses += loss
        state.step, state.place, state.seconds = state.step + 1, state.place + 1, budget.seconds()
        if budget.seconds() - last_saved > checkpoint_every:
            last_saved = budget.seconds()
            keep.checkpoint(state)
            place = f"epoch {state.epoch + 1}  batch {state.place}/{len(batches)}"
            say(f"{last_saved:7.0f} s  {place}  loss {loss:.4f}")
    figures = task.validate() | {"loss": state.losses / max(state.place, 1)}
    if state.place == len(batches):
        state.epoch, state.place, state.losses = state.epoch + 1, 0, 0.0
    share_of_epoch = state.place / len(batches) if state.place else 0.0
    keep.judge(state, figures | {"epoch": round(state.epoch + share_of_epoch, 2)})
    state.seconds = budget.seconds()
    keep.checkpoint(state)
    shown = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
    say(f"{state.seconds:7.0f} s  epoch {state.epoch + share_of_epoch:.2f}/{settings.epochs}  {shown}")


def _step(task, settings, batch, progress: float, rng) -> float:
    task.network.train()
    for group in task.optimizer.param_groups:
        group["lr"] = settings.rate * task.rate_factor(min(progress, 1.0))
    loss = task.loss(batch, rng)
    task.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    task.optimizer.step()
    value = float(loss.detach())
    if not np.isfinite(value):
        raise ValueError(f"rate: training diverged (loss {value}); lower the rate, {settings.rate} was given")
    return value


@dataclass(frozen=True)
class _Keeper:
    """Writes checkpoints, the best weights and the manifest."""

    task: Task
    settings: TrainSettings
    out: Path
    folder: Path
    nothing: Any

    def checkpoint(self, state: RunState) -> None:
        save_checkpoint(
            self.folder, self.settings, self.task.network, self.nothing, self.task.optimizer, state
        )

    def judge(self, state: RunState, figures: dict) -> None:
        """Note an epoch's figures, and keep its weights if they are the best."""
        score = figures["score"]
        state.history.append({name: round(float(value), 6) for name, value in figures.items()})
        if state.best is not None and score <= state.best:
            state.stale += 1
            return
        state.best, state.best_epoch, state.stale = score, len(state.history), 0
        save_weights(self.task.network, self.out, self.task.about | {"recipe": self.settings.recipe})

    def manifest(self, state: RunState, device: str) -> dict:
        manifest = {
            "recipe": self.settings.recipe,
            "settings": asdict(self.settings) | {"weights": Path(self.settings.weights).name},
            "code_sha256": code_version(),
            "device": device,
            "precision": "bfloat16 where it is fast" if fast_bfloat16(device) else "float32",
            "parameters": sum(weights.numel() for weights in self.task.network.parameters()),
            "trainable_parameters": sum(
                weights.numel() for weights in self.task.network.parameters() if weights.requires_grad
            ),
            "steps": state.step,
            "epochs": state.epoch,
            "stopped_early": _stopped(state, self.settings),
            "seconds": round(state.seconds, 1),
            "best": state.history[state.best_epoch - 1],
            "history": state.history,
            "about": self.task.about,
            "sha256": hashlib.sha256(self.out.read_bytes()).hexdigest(),
        }
        write_manifest(self.out, manifest)
        return manifest


def write_manifest(out: Path, manifest: dict) -> None:
    """The manifest of a weights file, ``<name>.json`` beside it."""
    out.with_suffix(".json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def save_weights(network, out: Path, about: dict[str, str]) -> None:
    """Write a network's tensors with text about them; never half a file."""
    from safetensors.torch import save_file

    partial = out.with_suffix(".part")
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, partial, metadata=about)
    partial.replace(out)


def load_weights(network, path: Path) -> None:
    """Load what :func:`save_weights` wrote."""
    from safetensors.torch import load_file

    network.load_state_dict(load_file(path))


@lru_cache
def code_version() -> str:
    """SHA-256 over the source files of this package's training code."""
    digest = hashlib.sha256()
    folder = Path(__file__).parents[1]
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
