"""Weights files: read without executing anything, checked against the network that they are for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from data.signatures.encoder_info import EncoderInfo

ARCHITECTURES = {
    "resnet50": (2048, "fc"),
    "densenet121": (1024, "classifier"),
    "densenet201": (1920, "classifier"),
    "mobilenet_v2": (1280, "classifier"),
    "mobilenet_v3_large": (960, "classifier"),
    "efficientnet_b0": (1280, "classifier"),
    "vgg16": (512, "classifier"),
    "vgg19": (512, "classifier"),
    "inception_v3": (2048, "fc"),
}
"""torchvision architectures: length of the pooled features, and the head that is taken off."""


class NoWeights(LookupError):
    """Weights cannot be had or do not fit; the message says what to do."""


def network_with(tensors: dict, architecture: str, file_name: str) -> Any:
    """A torchvision network with the given weights; its head keeps fresh ones.

    Parameters
    ----------
    tensors : dict of str to Tensor
        With torchvision's key names.
    architecture : str
        A key of `ARCHITECTURES`.
    file_name : str
        For the message.

    Raises
    ------
    NoWeights
        When tensors are missing.
    """
    from torchvision.models import get_model

    head = ARCHITECTURES[architecture][1]
    network = get_model(architecture, weights=None, **_plain_options(architecture))
    wanted = {key for key in network.state_dict() if not key.startswith(f"{head}.")}
    check_keys(file_name, architecture, wanted, set(tensors))
    network.load_state_dict({k: v.float() for k, v in tensors.items() if k in wanted}, strict=False)
    return network


def read_weights(path: Path) -> tuple[dict, dict]:
    """Tensors and text metadata of a weights file; nothing in it is executed.

    Raises
    ------
    NoWeights
        When the file is of another kind or damaged.
    """
    from pickle import UnpicklingError

    import torch
    from safetensors import SafetensorError, safe_open

    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
        if path.suffix in (".pth", ".pt"):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
            loaded = loaded.get("state_dict", loaded)
            return {key.removeprefix("module."): value for key, value in loaded.items()}, {}
    except (
        SafetensorError,
        UnpicklingError,
        RuntimeError,
        OSError,
        AttributeError,
        EOFError,
    ) as problem:
        raise NoWeights(f"{path.name} cannot be read as weights: {problem}") from problem
    raise NoWeights(f"{path.name}: weights must be .safetensors, .pth or .pt")


def without_head(network: Any, architecture: str) -> Any:
    """A network that gives pooled features, for evaluation; batch norm folded where the layout is known."""
    import torch

    from vision.encoder.folding import fold_batch_norm

    network.eval().requires_grad_(False)
    setattr(network, ARCHITECTURES[architecture][1], torch.nn.Identity())
    if architecture.startswith("vgg"):
        network.avgpool = torch.nn.AdaptiveAvgPool2d(1)
    return fold_batch_norm(network).to(memory_format=torch.channels_last)


def architecture_of(path: Path, stated: str | None, metadata: dict) -> str:
    """A key of :data:`ARCHITECTURES`, as stated, as the file says or as its name has it."""
    found = stated or metadata.get("architecture") or _guess_architecture(path)
    if found not in ARCHITECTURES:
        raise NoWeights(
            f"{path.name}: the architecture is not clear; say <architecture>={path.name} with one of "
            f"{', '.join(ARCHITECTURES)}"
        )
    return found


def info_of(path: Path, architecture: str, name: str | None, length: int) -> EncoderInfo:
    """What is told of the encoder of a weights file, with the file's hash."""
    digest = sha256_of(path)
    source = f"file {path.name}" if name is None else "shipped; trained on synthetic signatures only"
    version = f"{path.stem.rsplit('-', 1)[-1] if name else 'file'}-{digest[:8]}"
    return EncoderInfo(name or architecture, version, digest, source, length)


def recipe_of(metadata: dict, variant: str = "") -> dict:
    """How the file's network wants its input; empty when the file does not say."""
    return json.loads(metadata.get(f"{variant}input", "{}"))


def _guess_architecture(path: Path) -> str | None:
    name = path.stem.lower().replace("-", "_")
    return next((known for known in sorted(ARCHITECTURES, key=len, reverse=True) if known in name), None)


def _plain_options(architecture: str) -> dict:
    # Inception otherwise builds a training head and slow random initial weights that are thrown away here.
    return {"aux_logits": False, "init_weights": False} if architecture == "inception_v3" else {}


def check_keys(file_name: str, architecture: str, wanted: set, held: set) -> None:
    """Refuse a file that lacks tensors of the network.

    Raises
    ------
    NoWeights
    """
    missing = sorted(key for key in wanted - held if not key.endswith("num_batches_tracked"))
    if missing:
        raise NoWeights(
            f"{file_name} does not hold a {architecture}: {len(missing)} of {len(wanted)} tensors are "
            f"missing, for example {missing[0]!r}"
        )


def sha256_of(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
