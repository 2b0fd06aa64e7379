"""Run a recipe on a folder: read it, split it by writer or person, train, and write weights and manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from vision.networks.pairs import split_writers
from vision.recipes.registry import RECIPES
from vision.recipes.training import TrainSettings
from vision.scans.signature_folders import read_signature_set

SIAMESE = ("deepsign", "signet-siamese", "mobilenet-transfer")


def run_recipe(settings: TrainSettings, folder: Path, out: Path, say: Callable[[str], None] = print) -> dict:
    """Train a recipe that learns from real scans.

    Parameters
    ----------
    settings : TrainSettings
        From :func:`vision.recipes.registry.published_settings`.
    folder : Path
        One folder per writer, or two labels, as the recipe needs.
    out : Path
        The .safetensors file to write.
    say : callable

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    NoWeights
        When the weights to start from cannot be had.
    ValueError
        When the folder does not hold what the recipe needs.
    """
    if not folder.is_dir():
        raise ValueError(f"data: there is no folder {folder.name!r}")
    if RECIPES[settings.recipe].data == "labels":
        from vision.recipes.labels import read_labelled, train_labels

        return train_labels(settings, read_labelled(folder), out, say)[1]
    found = read_signature_set(folder)
    if settings.recipe in SIAMESE:
        from vision.recipes.siamese import train_siamese

        groups = split_writers(found.writers, np.random.default_rng((settings.seed, 20)))
        return train_siamese(settings, found, groups, out, say)[1]
    from vision.recipes.writers import train_writers

    return train_writers(settings, found, out, say)[2]
