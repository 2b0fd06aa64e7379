"""A ResNet-50 with a readout: embeds without PyTorch, which is loaded for heat maps and training only."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from data.signatures.encoder_info import EncoderInfo
from vision.encoder.readout_layout import FINE, PREFIX, readout_length
from vision.encoder.readout_layout import tensor_names as readout_names
from vision.encoder.weights_files import (
    NoWeights,
    architecture_of,
    check_keys,
    info_of,
    network_with,
    read_weights,
    recipe_of,
    sha256_of,
    without_head,
)


def staged_parts(
    path: Path, stated: str | None, name: str | None, variant: str = ""
) -> dict[str, Any] | None:
    """What :class:`vision.encoder.backbones.Encoder` needs of a file with a readout; else None.

    Parameters
    ----------
    path : pathlib.Path
    stated : str, optional
        The architecture.
    name : str, optional
        Of a shipped encoder.
    variant : str
        :data:`vision.encoder.readout_layout.FINE` for the file's readout of larger images.

    Raises
    ------
    NoWeights
        When the file cannot be read, or lacks what such a network needs.
    """
    from safetensors import SafetensorError, safe_open

    if path.suffix != ".safetensors":
        return None
    try:
        with safe_open(path, "np") as file:
            keys, metadata = set(file.keys()), file.metadata() or {}
    except (SafetensorError, OSError) as problem:
        raise NoWeights(f"{path.name} cannot be read as weights: {problem}") from problem
    prefix = variant + PREFIX
    if not any(key.startswith(prefix) for key in keys):
        return None
    architecture, recipe = architecture_of(path, stated, metadata), recipe_of(metadata, variant)
    if architecture != "resnet50" or not recipe:
        raise NoWeights(f"{path.name}: a readout needs a resnet50 whose file describes its input")
    for lacking in sorted(set(readout_names()) - {key.removeprefix(prefix) for key in keys}):
        raise NoWeights(f"{path.name}: the readout lacks the tensor {lacking!r}")
    from vision.encoder.stage_graph import REDUCED, tensor_names

    check_keys(path.name, architecture, set(tensor_names()), keys)
    info = info_of(path, architecture, name, readout_length())
    size = (int(recipe["height"]), int(recipe["width"]))
    spreads = (float(recipe["mean"]), float(recipe["spread"]))
    parts = {
        "info": info,
        "load": partial(_module, path, info, variant, *spreads),
        "architecture": architecture,
        "input_size": size,
        "mean": (spreads[0],) * 3,
        "spread": (spreads[1],) * 3,
        "ink_bright": True,
    }
    if size[0] % REDUCED or size[1] % REDUCED:
        return parts
    return parts | {"start": partial(_session, path, info, variant, size, *spreads)}


def _module(path: Path, info: EncoderInfo, variant: str, mean: float, spread: float) -> Any:
    """The network under its readout, in PyTorch."""
    from vision.encoder.readout import StageReadout, readout_tensors

    tensors, _ = read_weights(_unchanged(path, info))
    network = {key: value for key, value in tensors.items() if PREFIX not in key}
    plain = without_head(network_with(network, "resnet50", path.name), "resnet50")
    return StageReadout(plain, readout_tensors(tensors, variant), mean, spread).eval().requires_grad_(False)


def _session(
    path: Path, info: EncoderInfo, variant: str, size: tuple[int, int], mean: float, spread: float
) -> Any:
    """The network's stages in ONNX Runtime, the readout in NumPy."""
    from safetensors.numpy import load_file

    from vision.encoder.stage_session import StageSession

    tensors: dict[str, np.ndarray] = load_file(_unchanged(path, info))
    if variant == FINE:
        tensors |= {key.removeprefix(FINE): value for key, value in tensors.items() if key.startswith(FINE)}
    return StageSession(tensors, size, mean, spread)


def _unchanged(path: Path, info: EncoderInfo) -> Path:
    if sha256_of(path) != info.weights_sha256:
        raise NoWeights(f"{path.name} has changed since it was opened; start the program again")
    return path
