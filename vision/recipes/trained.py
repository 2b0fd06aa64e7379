"""Networks that recipes have trained, loaded from their weights file alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision.recipes.device import pick_device
from vision.recipes.inputs import InputPlan, embed_images, prepare
from vision.recipes.run import SIAMESE


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network ready for use.

    Attributes
    ----------
    recipe : str
    network : torch.nn.Module
        In evaluation mode.
    plan : InputPlan or None
        How scans become its input; None for recipes on whole scans.
    labels : tuple of str
        The two labels of a recipe on labels, else empty.
    """

    recipe: str
    network: Any
    plan: InputPlan | None
    labels: tuple[str, ...] = ()

    def embed(self, scans: Sequence[np.ndarray]) -> np.ndarray:
        """Embeddings, float32 (n, d), of scans (uint8, gray or colour).

        Raises
        ------
        ValueError
            If the recipe gives labels, not embeddings.
        """
        if self.plan is None:
            raise ValueError(f"recipe: {self.recipe} gives labels, not embeddings")
        return embed_images(self.network, np.stack([prepare(scan, self.plan) for scan in scans]), self.plan)

    def label_shares(self, paths: Sequence[Path]) -> np.ndarray:
        """Share of the second label for each scan, float64 (n,), 0 to 1.

        Raises
        ------
        ValueError
            If the recipe gives embeddings, not labels.
        """
        if not self.labels:
            raise ValueError(f"recipe: {self.recipe} gives embeddings, not labels")
        from vision.recipes.labels import label_shares

        return label_shares(self.network, paths)

    def page_share(self, page: np.ndarray) -> float:
        """Share of the second label for one scan in memory (uint8, gray or RGB), 0 to 1; not calibrated.

        Raises
        ------
        ValueError
            If the recipe gives embeddings, not labels.
        """
        if not self.labels:
            raise ValueError(f"recipe: {self.recipe} gives embeddings, not labels")
        from vision.recipes.labels import page_shares

        return float(page_shares(self.network, [page])[0])


def load_trained(path: Path) -> TrainedNetwork:
    """Load what a recipe has written.

    Raises
    ------
    NoWeights
        When the file cannot be read or is not a recipe's.
    """
    from vision.encoder.weights_files import NoWeights, read_weights

    tensors, about = read_weights(path)
    recipe = about.get("recipe", "")
    plan = InputPlan.from_text(about["input"]) if "input" in about and recipe else None
    network = _empty_network(recipe, about, tensors, plan)
    if network is None:
        raise NoWeights(f"{path.name} is not the file of a recipe on scans")
    network.load_state_dict(tensors)
    network.to(pick_device()).eval()
    labels = tuple(about["labels"].split("\n")) if "labels" in about else ()
    return TrainedNetwork(recipe, network, plan, labels)


def _empty_network(recipe: str, about: dict, tensors: dict, plan: InputPlan | None):
    if recipe in SIAMESE:
        from vision.recipes.siamese import build_network

        return build_network(recipe, 0)[0]
    if recipe in ("signet", "signet-f"):
        from vision.networks.signet import SigNet

        return SigNet(len(tensors["writer.weight"]), "forged.weight" in tensors)
    if recipe in ("identification", "graduation"):
        from vision.networks.backbone_maps import BackboneWriters, build_backbone, convolutional_part

        if recipe == "graduation":
            return build_backbone(about["architecture"], "none", classes=2)[0]
        maps = convolutional_part(build_backbone(about["architecture"], "none")[0])
        return BackboneWriters(maps, plan.crop, len(tensors["writer.weight"]))
    return None
