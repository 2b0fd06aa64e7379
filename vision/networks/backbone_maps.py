"""torchvision's networks as recipes use them: by name, trainable, their weights always accounted for."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vision.encoder.backbones import IMAGENET_MEAN, IMAGENET_SPREAD, downloaded_network
from vision.encoder.weights_files import ARCHITECTURES, NoWeights, network_with, read_weights


def build_backbone(architecture: str, weights: str, classes: int | None = None) -> tuple[Any, str]:
    """A trainable network.

    Parameters
    ----------
    architecture : str
        A key of `ARCHITECTURES`.
    weights : str
        ``imagenet`` (torchvision downloads them once), a .safetensors or .pth file, or ``none``: trained from
        scratch, said so. Nothing falls back to random weights by itself.
    classes : int, optional
        Replaces the last layer by a fresh one with so many outputs.

    Returns
    -------
    network : torch.nn.Module
    origin : str
        Where its weights are from.

    Raises
    ------
    NoWeights
        When the weights cannot be had.
    ValueError
        When the architecture is unknown, or ``weights`` none of the above.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"backbone: must be one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    if weights == "none":
        network, origin = _from_scratch(architecture), "none: trained from scratch"
    elif weights == "imagenet":
        network, info = downloaded_network(f"{architecture}-imagenet")
        origin = f"{info.weights_source}, sha256 {info.weights_sha256}"
    else:
        network, origin = _from_file(architecture, Path(weights))
    if classes is not None:
        replace_head(network, architecture, classes)
    return network, origin


def _from_scratch(architecture: str):
    from torchvision.models import get_model

    options = {"aux_logits": False, "init_weights": True} if architecture == "inception_v3" else {}
    return get_model(architecture, weights=None, **options)


def _from_file(architecture: str, path: Path):
    if path.suffix not in (".safetensors", ".pth", ".pt"):
        raise ValueError(
            f"weights: must be imagenet, none, or a .safetensors or .pth file, got {path.name!r}"
        )
    if not path.is_file():
        raise NoWeights(f"weights: there is no file {path.name!r}")
    tensors, _ = read_weights(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return network_with(tensors, architecture, path.name), f"file {path.name}, sha256 {digest}"


def replace_head(network: nn.Module, architecture: str, classes: int) -> None:
    """Put a fresh last layer with so many outputs in place of the one there is."""
    name = ARCHITECTURES[architecture][1]
    head = getattr(network, name)
    if isinstance(head, nn.Linear):
        setattr(network, name, nn.Linear(head.in_features, classes))
        return
    head[-1] = nn.Linear(head[-1].in_features, classes)


def convolutional_part(network: nn.Module) -> nn.Module:
    """All but pooling and head: images (n, 3, h, w) → feature maps (n, channels, h', w')."""
    if hasattr(network, "features"):  # DenseNet, MobileNet, EfficientNet, VGG
        return network.features
    left_out = ("avgpool", "dropout", "fc", "AuxLogits")
    children = [part for name, part in network.named_children() if name not in left_out and part is not None]
    return nn.Sequential(*children)


class BackboneWriters(nn.Module):
    """Feature maps of a backbone, flattened, and a linear layer over writers (system 3).

    Parameters
    ----------
    maps : torch.nn.Module
        From :func:`convolutional_part`.
    shape : tuple of int
        Height and width of the input.
    classes : int
        Number of writers that training tells apart.
    """

    def __init__(self, maps: nn.Module, shape: tuple[int, int], classes: int) -> None:
        super().__init__()
        self.maps = maps
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(IMAGENET_SPREAD).reshape(1, 3, 1, 1), persistent=False)
        was_training = maps.training
        with torch.no_grad():
            self.length = maps.eval()(torch.zeros(1, 3, *shape)).numel()
        maps.train(was_training)
        self.writer = nn.Linear(self.length, classes)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Flattened feature maps, float32 (n, length), of ink images (n, 1, h, w) with values 0 to 1."""
        paper = (1 - images).expand(-1, 3, -1, -1)  # dark ink on white, as in a photograph
        return torch.relu(self.maps((paper - self.mean) / self.spread)).flatten(1)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Writer logits (n, classes); there is no forgery unit."""
        return self.writer(self.features(images)), None
