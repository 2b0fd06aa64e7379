"""A ResNet-50 with a readout: embeds without PyTorch, which is loaded for heat maps and training only."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from data.signatures.encoder_info import EncoderInfo
from vision.encoder.readout_layout import PREFIX, readout_length
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


def staged_parts(path: Path, stated: str | None, name: str | None) -> dict[str, Any] | None:
    """What :class:`vision.encoder.backbones.Encoder` needs of a file with a readout; else None.

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
    if not any(key.startswith(PREFIX) for key in keys):
        return None
    architecture, recipe = architecture_of(path, stated, metadata), recipe_of(metadata)
    if architecture != "resnet50" or not recipe:
        raise NoWeights(f"{path.name}: a readout needs a resnet50 whose file describes its input")
    for lacking in sorted(set(readout_names()) - {key.removeprefix(PREFIX) for key in keys}):
        raise NoWeights(f"{path.name}: the readout lacks the tensor {lacking!r}")
    from vision.encoder.stage_graph import REDUCED, tensor_names

    check_keys(path.name, architecture, set(tensor_names()), keys)
    info = info_of(path, architecture, name, readout_length())
    size = (int(recipe["height"]), int(recipe["width"]))
    spreads = (float(recipe["mean"]), float(recipe["spread"]))
    parts = {
        "info": info,
        "load": partial(_module, path, info, *spreads),
        "architecture": architecture,
        "input_size": size,
        "mean": (spreads[0],) * 3,
        "spread": (spreads[1],) * 3,
        "ink_bright": True,
    }
    if size[0] % REDUCED or size[1] % REDUCED:
        return parts
    return parts | {"start": partial(_session, path, info, size, *spreads)}


def _module(path: Path, info: EncoderInfo, mean: float, spread: float) -> Any:
    """The network under its readout, in PyTorch."""
    from vision.encoder.readout import StageReadout, readout_tensors

    tensors, _ = read_weights(_unchanged(path, info))
    plain = without_head(network_with(tensors, "resnet50", path.name), "resnet50")
    return StageReadout(plain, readout_tensors(tensors), mean, spread).eval().requires_grad_(False)


def _session(path: Path, info: EncoderInfo, size: tuple[int, int], mean: float, spread: float) -> Any:
    """The network's stages in ONNX Runtime, the readout in NumPy."""
    from safetensors.numpy import load_file

    from vision.encoder.stage_session import StageSession

    tensors: dict[str, np.ndarray] = load_file(_unchanged(path, info))
    return StageSession(tensors, size, mean, spread)


def _unchanged(path: Path, info: EncoderInfo) -> Path:
    if sha256_of(path) != info.weights_sha256:
        raise NoWeights(f"{path.name} has changed since it was opened; start the program again")
    return path
