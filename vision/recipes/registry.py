"""Every recipe that ``python -m vision train`` knows, where it is from, and its published settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from vision.recipes.training import TrainSettings

HAFEMANN = "Hafemann, Sabourin and Oliveira 2017, Learning features for offline signature verification"
DEEPSIGN = "Ko and Wang, DeepSign: Efficient Siamese networks for signature verification"
IDENTIFICATION = "Nugraha, Nurhadiyatna and Arsa 2021, Offline signature identification"
GRADUATION = "ResNet-50 on enrollment signatures for on-time graduation (TIFDA Journal)"


@dataclass(frozen=True)
class Recipe:
    """A way of training a network.

    Attributes
    ----------
    trains : str
        What comes out, in a sentence.
    source : str
        Who published it.
    data : str
        ``synthetic``: none; ``writers``: one folder per writer; ``labels``: two labels by folder or CSV.
    trainable : int or None
        Trainable parameters, where they do not depend on the data.
    published : mapping
        Settings as published; for what a paper leaves open, ours.
    """

    trains: str
    source: str
    data: str
    trainable: int | None = None
    published: Mapping = field(default_factory=lambda: MappingProxyType({}))


def _settings(**values) -> Mapping:
    return MappingProxyType(values)


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "synthetic-encoder": Recipe(
            "the shipped encoder: a ResNet-50 that tells synthetic writers and their forgers apart",
            "this project",
            "synthetic",
        ),
        "form-detector": Recipe(
            "the shipped finder of signatures on forms: a line over measures of a page's groups of ink",
            "this project",
            "synthetic",
        ),
        "signet": Recipe(
            "SigNet, features from telling writers apart by their genuine signatures",
            HAFEMANN,
            "writers",
            None,
            _settings(epochs=60, batch=32, rate=1e-3, formulation="writers"),
        ),
        "signet-f": Recipe(
            "SigNet-F, features from telling writers apart and genuine from forged",
            HAFEMANN,
            "writers",
            None,
            _settings(epochs=60, batch=32, rate=1e-3, formulation="loss2", forgery_weight=0.95),
        ),
        "deepsign": Recipe(
            "DeepSign, a light Siamese network of Fire blocks, on genuine and forged pairs",
            DEEPSIGN,
            "writers",
            256_992,
            _settings(epochs=20, batch=32, rate=3e-5, patience=3),
        ),
        "signet-siamese": Recipe(
            "the Siamese SigNet that the DeepSign paper compares with, on genuine and forged pairs",
            DEEPSIGN,
            "writers",
            6_461_568,
            _settings(epochs=20, batch=128, rate=1e-4, patience=1),
        ),
        "mobilenet-transfer": Recipe(
            "a head on a frozen MobileNetV2, on genuine and forged pairs",
            DEEPSIGN,
            "writers",
            721_589,
            _settings(epochs=5, batch=32, rate=1e-3, weights="imagenet"),
        ),
        "identification": Recipe(
            "a backbone with flattened feature maps, for the nearest signature; trained if epochs are given",
            IDENTIFICATION,
            "writers",
            None,
            _settings(epochs=0, batch=32, rate=1e-3, backbone="densenet201", weights="imagenet"),
        ),
        "graduation": Recipe(
            "ResNet-50 for a label of two values, on time or not in the paper, by whole scans",
            GRADUATION,
            "labels",
            None,
            _settings(epochs=25, batch=32, rate=1e-3, backbone="resnet50", weights="imagenet"),
        ),
    }
)
"""Recipes by name."""


def published_settings(recipe: str, **changes) -> TrainSettings:
    """A recipe's published settings, with changes; those that are None are left out.

    Raises
    ------
    ValueError
        If there is no such recipe.
    """
    if recipe not in RECIPES:
        raise ValueError(f"recipe: must be one of {', '.join(RECIPES)}, got {recipe!r}")
    wanted = {name: value for name, value in changes.items() if value is not None}
    return TrainSettings(recipe, **{**RECIPES[recipe].published, **wanted})
