"""Image encoders by name or by weights file. Never with random weights: no weights, no encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from data.signatures.encoder_info import EncoderInfo
from vision.encoder.readout_layout import FINE
from vision.encoder.staged import staged_parts
from vision.encoder.weights_files import (
    ARCHITECTURES,
    NoWeights,
    architecture_of,
    info_of,
    network_with,
    read_weights,
    recipe_of,
    sha256_of,
    without_head,
)
from vision.threads import threads_in_use

SHIPPED, SHIPPED_FINE = "tepat-resnet50", "tepat-resnet50-fine"
SHIPPED_FILE = Path(__file__).parents[1] / "weights" / "tepat-resnet50-v3.safetensors"

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_SPREAD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Encoder:
    """A network that turns ink images into vectors.

    Attributes
    ----------
    info : EncoderInfo
        Name, version, origin and hash of the weights, length of the vectors.
    load : callable
        Gives the network as a `torch.nn.Module` in evaluation mode: (b, 3, h, w) float32 → (b, info.dim).
    architecture : str
        A key of `ARCHITECTURES`.
    input_size : tuple of int
        Height and width of the image it expects.
    mean, spread : tuple of float
        Per channel, subtracted from and dividing values of 0 to 1.
    ink_bright : bool
        Whether ink is bright on a dark ground (our own) or dark on white (ImageNet's networks see
        photographs).
    variant : str
        Preprocessing, a name of `preprocess.VARIANTS`.
    start : callable, optional
        Gives what embeds ink images without PyTorch (:class:`vision.encoder.stage_session.StageSession`).
    """

    info: EncoderInfo
    load: Callable[[], Any]
    architecture: str
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    ink_bright: bool
    variant: str = "tepat"
    start: Callable[[], Any] | None = None

    @cached_property
    def module(self) -> Any:
        """The network in PyTorch, which is loaded when it is first asked for."""
        import torch

        torch.set_num_threads(threads_in_use())
        with torch.inference_mode(False):
            return self.load()

    @cached_property
    def session(self) -> Any:
        """What embeds without PyTorch; None when only PyTorch can run this network."""
        return None if self.start is None else self.start()

    def with_module(self, module: Any) -> Encoder:
        """The same encoder with another network, which PyTorch runs."""
        return replace(self, load=lambda: module, start=None)


def encoder_names() -> list[str]:
    """Names that :func:`load_encoder` takes besides paths."""
    return [SHIPPED, SHIPPED_FINE, *(f"{name}-imagenet" for name in ARCHITECTURES)]


def load_encoder(name_or_path: str | None = None) -> Encoder:
    """Load an encoder.

    Parameters
    ----------
    name_or_path : str, optional
        ``tepat-resnet50`` (the default, shipped with the project); ``tepat-resnet50-fine``, the same network
        on images of twice the height and width, which takes about four times as long;
        ``<architecture>-imagenet``, which torchvision downloads once; or a ``.safetensors`` or ``.pth`` file
        with torchvision's key names. The architecture of a file is read from its metadata or its name;
        ``resnet50=/path/to/file`` states it.

    Returns
    -------
    Encoder

    Raises
    ------
    NoWeights
        When the weights are missing, cannot be downloaded or do not fit the architecture.
    ValueError
        When the name is neither known nor a path.
    """
    wanted = (name_or_path or SHIPPED).strip()
    if wanted in (SHIPPED, SHIPPED_FINE):
        if not SHIPPED_FILE.exists():
            raise NoWeights(
                f"the shipped weights {SHIPPED_FILE.name} are missing from vision/weights; restore the file, "
                f"train it anew (python -m vision train --out {SHIPPED_FILE.name}), or set TEPAT_ENCODER to "
                "a weights file"
            )
        return _from_file(SHIPPED_FILE, "resnet50", wanted)
    if wanted.endswith("-imagenet") and wanted.removesuffix("-imagenet") in ARCHITECTURES:
        return _from_torchvision(wanted)
    architecture, _, path = wanted.rpartition("=")
    if not Path(path).suffix:
        raise ValueError(
            f"name_or_path must be one of {', '.join(encoder_names())} or a weights file, got {wanted!r}"
        )
    if not Path(path).is_file():
        raise NoWeights(f"there is no weights file {path!r}; check the path in TEPAT_ENCODER or --encoder")
    return _from_file(Path(path), architecture or None, None)


def _from_torchvision(name: str) -> Encoder:
    network, info = downloaded_network(name)
    return _finish(network, name.removesuffix("-imagenet"), info, {})


def downloaded_network(name: str) -> tuple[Any, EncoderInfo]:
    """Published ImageNet weights, downloaded once by torchvision, which verifies the hash in the file's name.

    Parameters
    ----------
    name : str
        ``<architecture>-imagenet``.

    Returns
    -------
    network : torch.nn.Module
        With its head, batch norm not folded.
    info : EncoderInfo

    Raises
    ------
    NoWeights
        When they cannot be downloaded.
    """
    import torch
    from torchvision.models import get_model, get_model_weights

    architecture = name.removesuffix("-imagenet")
    weights = get_model_weights(architecture).DEFAULT
    try:
        network = get_model(architecture, weights=weights)
    except (OSError, RuntimeError) as problem:
        raise NoWeights(
            f"{name}: the weights could not be downloaded ({problem}). With a network, run the command "
            f"again; without one, fetch {weights.url} elsewhere and pass {architecture}=/path/to/the/file, "
            f"or use {SHIPPED}"
        ) from problem
    cached = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[-1]
    digest = sha256_of(cached)
    info = EncoderInfo(
        name, f"{weights.name}-{digest[:8]}", digest, weights.url, ARCHITECTURES[architecture][0]
    )
    return network, info


def _from_file(path: Path, architecture: str | None, name: str | None) -> Encoder:
    parts = staged_parts(path, architecture, name, FINE if name == SHIPPED_FINE else "")
    if parts is not None:
        return Encoder(**parts)
    tensors, metadata = read_weights(path)
    architecture = architecture_of(path, architecture, metadata)
    network = network_with(tensors, architecture, path.name)
    info = info_of(path, architecture, name, ARCHITECTURES[architecture][0])
    return _finish(network, architecture, info, recipe_of(metadata))


def _finish(network: Any, architecture: str, info: EncoderInfo, recipe: dict) -> Encoder:
    """Take the head off, fold batch norm where the layout is known, and describe the input."""
    network = without_head(network, architecture)
    if not recipe:
        size = (299, 299) if architecture == "inception_v3" else (224, 224)
        return Encoder(
            info, lambda: network, architecture, size, IMAGENET_MEAN, IMAGENET_SPREAD, ink_bright=False
        )
    size = (int(recipe["height"]), int(recipe["width"]))
    mean, spread = (recipe["mean"],) * 3, (recipe["spread"],) * 3
    return Encoder(info, lambda: network, architecture, size, mean, spread, ink_bright=True)
