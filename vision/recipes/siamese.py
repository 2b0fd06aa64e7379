"""The three Siamese networks of the DeepSign paper, trained on pairs by the contrastive loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vision.metrics import auc, best_accuracy_threshold, classification_rates
from vision.networks.pair_losses import contrastive_loss
from vision.networks.pairs import Pairs, all_pairs, at_most, grouped_batches, pair_batches
from vision.recipes.device import run_network
from vision.recipes.inputs import InputPlan, data_hash, embed_images, prepare_files, to_tensor
from vision.recipes.training import TrainSettings, fit, write_manifest
from vision.scans.signature_folders import SignatureSet

EMBEDDING = 128
MOST_VALIDATION_PAIRS = 20_000
_DENSE_DECAY = {"signet-siamese": 2 * 0.0005, "mobilenet-transfer": 2 * 0.00047, "deepsign": 0.0}
"""Twice the L2 penalty that the paper's tables give for dense layers: the slope of λ‖w‖² is 2λw."""


@dataclass(frozen=True)
class PairData:
    """Signatures in memory and their parts.

    Attributes
    ----------
    images : uint8 (n, h, w)
    writers : ndarray of str (n,)
    forged : ndarray of bool (n,)
    training, validation : list of str
        Disjoint groups of writers.
    """

    images: np.ndarray
    writers: np.ndarray
    forged: np.ndarray
    training: list[str]
    validation: list[str]


def input_plan(recipe: str) -> InputPlan:
    """How the recipe's network wants its scans: binary ink stretched to the input."""
    size = _network_class(recipe).input_size
    return InputPlan("deepsign", size, size)


def _network_class(recipe: str):
    from vision.networks.deepsign import DeepSign, MobileNetTransfer, SiameseSigNet

    classes = {"deepsign": DeepSign, "mobilenet-transfer": MobileNetTransfer, "signet-siamese": SiameseSigNet}
    return classes[recipe]


def build_network(recipe: str, seed: int, weights: str = "none") -> tuple:
    """The recipe's network, MobileNetV2's frozen part from named weights; and where those are from.

    Raises
    ------
    NoWeights
        When the weights cannot be had.
    """
    import torch

    torch.manual_seed(seed)
    if recipe != "mobilenet-transfer":
        return _network_class(recipe)(), "none: trained from scratch"
    from vision.networks.backbone_maps import build_backbone, convolutional_part

    backbone, origin = build_backbone("mobilenet_v2", weights)
    return _network_class(recipe)(convolutional_part(backbone)), origin


class SiameseTask:
    """Pairs, contrastive loss, and validation by AUC on other writers' pairs.

    Parameters
    ----------
    settings : TrainSettings
    data : PairData
    network : torch.nn.Module
    origin : str
        Where the weights that training starts from are from.
    """

    def __init__(self, settings: TrainSettings, data: PairData, network, origin: str):
        self.settings, self.data, self.network = settings, data, network
        self.plan = input_plan(settings.recipe)
        self.optimizer = self._optimizer()
        self.about = {"input": self.plan.to_text(), "start": origin}
        self._pairs = all_pairs(data.writers, data.forged, data.training)
        if not self._pairs.different.any() or self._pairs.different.all():
            raise ValueError("data: training needs both genuine and forged pairs of the training writers")
        rng = np.random.default_rng((settings.seed, 10))
        self._held_out = at_most(
            all_pairs(data.writers, data.forged, data.validation), MOST_VALIDATION_PAIRS, rng
        )
        if not self._held_out.different.any() or self._held_out.different.all():
            raise ValueError("data: validation needs both genuine and forged pairs of other writers")

    def _optimizer(self):
        import torch
        from torch import nn

        recipe, rate = self.settings.recipe, self.settings.rate
        dense = [module.weight for module in self.network.modules() if isinstance(module, nn.Linear)]
        known = {id(weights) for weights in dense}
        other = [w for w in self.network.parameters() if w.requires_grad and id(w) not in known]
        groups = [{"params": dense, "weight_decay": _DENSE_DECAY[recipe]}, {"params": other}]
        if recipe == "signet-siamese":
            return torch.optim.RMSprop(groups, lr=rate, alpha=0.9, eps=1e-8)
        return torch.optim.Adam(groups, lr=rate)

    def batches(self, epoch: int) -> list[Pairs]:
        """Every pair once; or, grouped, every training writer's genuine signatures once."""
        rng, data = np.random.default_rng((self.settings.seed, 11, epoch)), self.data
        if self.settings.grouped:
            return list(grouped_batches(data.writers, data.forged, data.training, rng, self.settings.batch))
        return list(pair_batches(self._pairs, self.settings.batch, rng))

    def loss(self, batch: Pairs, rng: np.random.Generator):
        """Contrastive loss; a signature in several pairs passes the network once."""
        import torch

        rows, where = np.unique(np.concatenate([batch.first, batch.second]), return_inverse=True)
        device = next(self.network.parameters()).device
        values = run_network(self.network, to_tensor(self.data.images[rows], self.plan, device, rng))
        where = torch.from_numpy(where).to(device)
        first, second = values[where[: len(batch)]], values[where[len(batch) :]]
        return contrastive_loss(first, second, torch.from_numpy(batch.different).to(device))

    def rate_factor(self, progress: float) -> float:
        """Constant."""
        return 1.0

    def validate(self) -> dict[str, float]:
        """AUC decides: accuracy stays at the larger kind's share for long. The best threshold is kept."""
        rows = np.unique(np.concatenate([self._held_out.first, self._held_out.second]))
        values = np.zeros((len(self.data.images), EMBEDDING), np.float32)
        values[rows] = embed_images(self.network, self.data.images[rows], self.plan)
        scores = pair_scores(values, self._held_out)
        different = self._held_out.different
        accuracy, threshold = best_accuracy_threshold(scores[~different], scores[different])
        area = auc(scores[~different], scores[different])
        return {"score": area, "auc": area, "accuracy": accuracy, "threshold": threshold}


def train_siamese(
    settings: TrainSettings,
    found: SignatureSet,
    groups: tuple[list[str], list[str], list[str]],
    out: Path,
    say: Callable[[str], None] = print,
) -> tuple:
    """Train on a set's training writers and measure on its test writers.

    Parameters
    ----------
    settings : TrainSettings
    found : SignatureSet
    groups : tuple of list of str
        Training, validation and test writers; the test group may be empty.
    out : Path
        The .safetensors file to write.
    say : callable

    Returns
    -------
    network : torch.nn.Module
        With the best weights.
    manifest : dict
        Under ``test``: AUC, and the rates at the threshold that was best on the validation writers.
    """
    images = prepare_files(found.paths, input_plan(settings.recipe))
    settings = replace(settings, data=data_hash(found.paths, found.forged))
    network, origin = build_network(settings.recipe, settings.seed, settings.weights)
    data = PairData(images, found.writers, found.forged, groups[0], groups[1])
    task = SiameseTask(settings, data, network, origin)
    manifest = fit(task, settings, out, say)
    pairs = all_pairs(found.writers, found.forged, groups[2])
    if pairs.different.any() and not pairs.different.all():
        rows = found.of_writers(groups[2])
        values = np.zeros((len(images), EMBEDDING), np.float32)
        values[rows] = embed_images(network, images[rows], task.plan)
        scores = pair_scores(values, pairs)
        genuine, forged = scores[~pairs.different], scores[pairs.different]
        rates = classification_rates(genuine, forged, manifest["best"]["threshold"])
        manifest["test"] = {
            "writers": len(groups[2]),
            "pairs": len(pairs),
            "auc": auc(genuine, forged),
        } | rates
        write_manifest(out, manifest)
    return network, manifest


def pair_scores(values: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Minus the Euclidean distance of each pair's embeddings, float64 (n,)."""
    return -np.linalg.norm(values[pairs.first].astype(np.float64) - values[pairs.second], axis=1)
