"""Image encoders by name or by weights file. Never with random weights: no weights, no encoder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.signatures.encoder_info import EncoderInfo

SHIPPED = "tepat-resnet50"
SHIPPED_FILE = Path(__file__).parents[1] / "weights" / "tepat-resnet50-v2.safetensors"

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

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_SPREAD = (0.229, 0.224, 0.225)


class NoWeights(LookupError):
    """Weights cannot be had or do not fit; the message says what to do."""


@dataclass(frozen=True)
class Encoder:
    """A network that turns ink images into vectors.

    Attributes
    ----------
    info : EncoderInfo
        Name, version, origin and hash of the weights, length of the vectors.
    module : torch.nn.Module
        (b, 3, h, w) float32 → (b, info.dim); evaluation mode.
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
    """

    info: EncoderInfo
    module: Any
    architecture: str
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    ink_bright: bool
    variant: str = "tepat"


def encoder_names() -> list[str]:
    """Names that :func:`load_encoder` takes besides paths."""
    return [SHIPPED, *(f"{name}-imagenet" for name in ARCHITECTURES)]


def load_encoder(name_or_path: str | None = None) -> Encoder:
    """Load an encoder.

    Parameters
    ----------
    name_or_path : str, optional
        ``tepat-resnet50`` (the default, shipped with the project); ``<architecture>-imagenet``, which
        torchvision downloads once; or a ``.safetensors`` or ``.pth`` file with torchvision's key names. The
        architecture of a file is read from its metadata or its name; ``resnet50=/path/to/file`` states it.

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
    if wanted == SHIPPED:
        if not SHIPPED_FILE.exists():
            raise NoWeights(
                f"the shipped weights {SHIPPED_FILE.name} are missing from vision/weights; restore the file, "
                f"train it anew (python -m vision train --out {SHIPPED_FILE.name}), or set TEPAT_ENCODER to "
                "a weights file"
            )
        return _from_file(SHIPPED_FILE, "resnet50", SHIPPED)
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
    digest = _sha256(cached)
    info = EncoderInfo(
        name, f"{weights.name}-{digest[:8]}", digest, weights.url, ARCHITECTURES[architecture][0]
    )
    return network, info


def _from_file(path: Path, architecture: str | None, name: str | None) -> Encoder:
    tensors, metadata = read_weights(path)
    architecture = architecture or metadata.get("architecture") or _guess_architecture(path)
    if architecture not in ARCHITECTURES:
        raise NoWeights(
            f"{path.name}: the architecture is not clear; say <architecture>={path.name} with one of "
            f"{', '.join(ARCHITECTURES)}"
        )
    network = network_with(tensors, architecture, path.name)
    digest = _sha256(path)
    recipe = json.loads(metadata.get("input", "{}"))
    source = f"file {path.name}" if name is None else "shipped; trained on synthetic signatures only"
    version = f"{path.stem.rsplit('-', 1)[-1] if name else 'file'}-{digest[:8]}"
    info = EncoderInfo(name or architecture, version, digest, source, ARCHITECTURES[architecture][0])
    encoder = _finish(network, architecture, info, recipe)
    return _with_readout(encoder, path, tensors)


def _with_readout(encoder: Encoder, path: Path, tensors: dict) -> Encoder:
    """The encoder under the readout that its file holds, if any."""
    if not any(key.startswith("readout.") for key in tensors):
        return encoder
    from vision.encoder.readout import StageReadout, readout_length, readout_tensors

    if encoder.architecture != "resnet50" or not encoder.ink_bright:
        raise NoWeights(f"{path.name}: a readout needs a resnet50 whose file describes its input")
    try:
        module = StageReadout(encoder.module, readout_tensors(tensors), encoder.mean[0], encoder.spread[0])
    except KeyError as problem:
        raise NoWeights(f"{path.name}: the readout lacks the tensor {problem}") from problem
    info = replace(encoder.info, dim=readout_length())
    return replace(encoder, info=info, module=module.eval().requires_grad_(False))


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
    _check_keys(file_name, architecture, wanted, tensors)
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


def _guess_architecture(path: Path) -> str | None:
    name = path.stem.lower().replace("-", "_")
    return next((known for known in sorted(ARCHITECTURES, key=len, reverse=True) if known in name), None)


def _plain_options(architecture: str) -> dict:
    # Inception otherwise builds a training head and slow random initial weights that are thrown away here.
    return {"aux_logits": False, "init_weights": False} if architecture == "inception_v3" else {}


def _check_keys(file_name: str, architecture: str, wanted: set, tensors: dict) -> None:
    missing = sorted(key for key in wanted - set(tensors) if not key.endswith("num_batches_tracked"))
    if missing:
        raise NoWeights(
            f"{file_name} does not hold a {architecture}: {len(missing)} of {len(wanted)} tensors are "
            f"missing, for example {missing[0]!r}"
        )


def _finish(network: Any, architecture: str, info: EncoderInfo, recipe: dict) -> Encoder:
    """Take the head off, fold batch norm where the layout is known, and describe the input."""
    import torch

    from vision.encoder.folding import fold_batch_norm

    network.eval().requires_grad_(False)
    setattr(network, ARCHITECTURES[architecture][1], torch.nn.Identity())
    if architecture.startswith("vgg"):
        network.avgpool = torch.nn.AdaptiveAvgPool2d(1)
    network = fold_batch_norm(network).to(memory_format=torch.channels_last)
    if not recipe:
        size = (299, 299) if architecture == "inception_v3" else (224, 224)
        return Encoder(info, network, architecture, size, IMAGENET_MEAN, IMAGENET_SPREAD, ink_bright=False)
    size = (int(recipe["height"]), int(recipe["width"]))
    mean, spread = (recipe["mean"],) * 3, (recipe["spread"],) * 3
    return Encoder(info, network, architecture, size, mean, spread, ink_bright=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
