"""Networks that learn to tell writers apart: SigNet, SigNet-F in four formulations, and backbones by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from vision.networks.pair_losses import writer_loss
from vision.networks.signet import INPUT_SIZE, SigNet
from vision.recipes.device import run_network
from vision.recipes.inputs import InputPlan, data_hash, prepare_files, to_tensor, with_canvas
from vision.recipes.training import TrainSettings, fit
from vision.scans.signature_folders import SignatureSet

HELD_OUT = 0.1
"""Share of each writer's signatures that training does not see."""
SIGNET_SIZE = (170, 242)
IDENTIFICATION_SIZE = (100, 120)
DARKEST, BRIGHTEST, TURN = 0.5, 0.9, 10.0
"""Augmentation of the identification paper: share of the brightness, degrees."""


def input_plan(recipe: str, paths) -> InputPlan:
    """How the recipe's network wants its scans; SigNet's canvas fits every file's ink."""
    if recipe == "identification":
        return InputPlan("identification", IDENTIFICATION_SIZE, IDENTIFICATION_SIZE)
    return with_canvas(paths, InputPlan("signet", SIGNET_SIZE, INPUT_SIZE))


def build_network(settings: TrainSettings, writers: int) -> tuple:
    """The recipe's network for so many writers, and where its weights are from.

    Raises
    ------
    NoWeights
        When named weights cannot be had.
    ValueError
        When the identification recipe would neither start from weights nor train.
    """
    import torch

    torch.manual_seed(settings.seed)
    if settings.recipe == "identification":
        from vision.networks.backbone_maps import BackboneWriters, build_backbone, convolutional_part

        if settings.weights == "none" and settings.epochs == 0:
            raise ValueError("epochs: a backbone without weights must be trained for at least 1, got 0")
        backbone, origin = build_backbone(settings.backbone, settings.weights)
        return BackboneWriters(convolutional_part(backbone), IDENTIFICATION_SIZE, writers), origin
    double = settings.formulation == "forgeries_as_classes"
    unit = settings.formulation in ("loss1", "loss2")
    return SigNet(2 * writers if double else writers, unit), "none: trained from scratch"


def held_out_rows(found: SignatureSet, writers: list[str], rng: np.random.Generator) -> np.ndarray:
    """A tenth of each writer's genuine and of the forged signatures, at least one of each there is two of."""
    rows = []
    for writer in writers:
        for own in (found.genuine_of(writer), found.forged_of(writer)):
            if len(own) > 1:
                rows.append(rng.permutation(own)[: max(1, round(HELD_OUT * len(own)))])
    return np.sort(np.concatenate(rows)) if rows else np.empty(0, int)


class WriterTask:
    """Cross-entropy over writers, with forgeries in one of the four formulations of Hafemann and others.

    Parameters
    ----------
    settings : TrainSettings
    found : SignatureSet
        Holds the training writers' signatures only.
    images : uint8 (n, h, w)
    plan : InputPlan
    network : torch.nn.Module
        Gives writer logits and forgery logits or None.
    origin : str
        Where the weights that training starts from are from.
    """

    def __init__(self, settings: TrainSettings, found: SignatureSet, images, plan, network, origin):
        import torch

        self.settings, self.images, self.plan, self.network = settings, images, plan, network
        names, self.writers = np.unique(found.writers, return_inverse=True)
        self.forged = found.forged
        held_out = held_out_rows(found, names.tolist(), np.random.default_rng((settings.seed, 30)))
        rows = np.arange(len(images))
        if settings.formulation == "writers":
            rows = rows[~found.forged]
        self.validation = np.intersect1d(rows, held_out)
        self.training = np.setdiff1d(rows, held_out)
        if len(self.training) < 2 or not len(self.validation):
            raise ValueError(f"data: need at least 2 genuine signatures per writer, {len(rows)} images given")
        self.optimizer = torch.optim.SGD(
            network.parameters(), lr=settings.rate, momentum=0.9, nesterov=True, weight_decay=1e-4
        )
        self.about = {
            "input": plan.to_text(),
            "start": origin,
            "architecture": settings.backbone,
            "writers": str(len(names)),
        }

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Every training signature once; a last batch of one is left out, as batch norm needs two."""
        order = np.random.default_rng((self.settings.seed, 31, epoch)).permutation(self.training)
        size = self.settings.batch
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        return [part for part in parts if len(part) > 1]

    def loss(self, batch: np.ndarray, rng: np.random.Generator):
        """Loss of random crops (SigNet), or of turned and darkened images (identification)."""
        images = self.images[batch]
        if self.settings.recipe == "identification":
            images = np.stack([turn_and_darken(image, rng) for image in images])
        return self._judged(batch, images, rng)[0]

    def _judged(self, rows: np.ndarray, images: np.ndarray, rng: np.random.Generator | None = None):
        import torch

        device = next(self.network.parameters()).device
        who, fake = run_network(self.network, to_tensor(images, self.plan, device, rng))
        writers = torch.from_numpy(self.writers[rows]).to(device)
        forged = torch.from_numpy(self.forged[rows]).to(device)
        settings = self.settings
        return writer_loss(who, fake, writers, forged, settings.formulation, settings.forgery_weight), who

    def rate_factor(self, progress: float) -> float:
        """Divided by 10 after each third."""
        return 10.0 ** -min(int(3 * progress + 1e-9), 2)

    def validate(self) -> dict[str, float]:
        """Loss on held-out signatures, which decides, and the share of genuine ones given to their writer."""
        import torch

        self.network.eval()
        losses, right, genuine = [], 0, 0
        with torch.inference_mode():
            for start in range(0, len(self.validation), 64):
                rows = self.validation[start : start + 64]
                loss, who = self._judged(rows, self.images[rows])
                losses.append(float(loss) * len(rows))
                own = ~self.forged[rows]
                right += int((who.argmax(1).cpu().numpy() == self.writers[rows])[own].sum())
                genuine += int(own.sum())
        loss = sum(losses) / len(self.validation)
        return {"score": -loss, "validation_loss": loss, "accuracy": right / max(genuine, 1)}


def turn_and_darken(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn by −10 to 10 degrees, or multiply the brightness of the page by 0.5 to 0.9, or neither."""
    choice = rng.integers(3)
    if choice == 0:
        return ink
    if choice == 1:
        share = rng.uniform(DARKEST, BRIGHTEST)
        return np.rint(255 - share * (255.0 - ink)).astype(np.uint8)
    height, width = ink.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-TURN, TURN)), 1.0)
    return cv2.warpAffine(ink, matrix, (width, height), flags=cv2.INTER_LINEAR)


def train_writers(
    settings: TrainSettings,
    found: SignatureSet,
    out: Path,
    say: Callable[[str], None] = print,
) -> tuple:
    """Train on all writers of a set.

    Parameters
    ----------
    settings : TrainSettings
    found : SignatureSet
        The development set: no writer in it may be judged later.
    out : Path
        The .safetensors file to write.
    say : callable

    Returns
    -------
    network : torch.nn.Module
        With the best weights; ``features`` gives what classifiers use.
    plan : InputPlan
    manifest : dict
    """
    plan = input_plan(settings.recipe, found.paths)
    network, origin = build_network(settings, len(np.unique(found.writers)))
    settings = replace(settings, data=data_hash(found.paths, found.forged))
    task = WriterTask(settings, found, prepare_files(found.paths, plan), plan, network, origin)
    manifest = fit(task, settings, out, say)
    return network, plan, manifest
