"""A network on whole scans for any label of two values, as system 1 trains it for on-time graduation."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vision.recipes.device import run_network
from vision.recipes.inputs import data_hash
from vision.recipes.training import TrainSettings, fit
from vision.scans.signature_folders import SUFFIXES, read_scan

SIDE, RESIZED = 224, 256
STEP, GAMMA, EPOCHS = 7, 0.1, 25
VALIDATION_SHARE = 0.2
TABLE = "labels.csv"


@dataclass(frozen=True)
class LabelledSet:
    """Scans with a label of two values.

    Attributes
    ----------
    name : str
        Name of the folder, without its path.
    paths : tuple of Path
    labels : ndarray of bool (n,)
        True for ``names[1]``.
    names : tuple of str
        The two values, in alphabetical order.
    persons : ndarray of str (n,)
        Whose scan it is; a person's scans always stay together.
    """

    name: str
    paths: tuple[Path, ...]
    labels: np.ndarray
    names: tuple[str, str]
    persons: np.ndarray

    def take(self, rows) -> LabelledSet:
        """Some of the scans."""
        rows = np.asarray(rows, dtype=int)
        return replace(
            self,
            paths=tuple(self.paths[row] for row in rows),
            labels=self.labels[rows],
            persons=self.persons[rows],
        )


def read_labelled(folder: Path) -> LabelledSet:
    """Read scans and labels.

    Parameters
    ----------
    folder : Path
        Either with a ``labels.csv`` (columns ``file``, ``label`` and, where a person has several scans,
        ``person``; commas or semicolons), or with one sub-folder per label.

    Raises
    ------
    ValueError
        When a file is missing or outside the folder, or there are not exactly two labels.
    """
    table = folder / TABLE
    rows = _rows_of_table(table, folder) if table.is_file() else _rows_of_folders(folder)
    names = sorted({label for _, label, _ in rows})
    if len(names) != 2:
        shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
        raise ValueError(f"data: {folder.name!r} must hold exactly two labels, got {len(names)}: {shown}")
    paths, labels, persons = zip(*rows, strict=True)
    return LabelledSet(
        folder.name, paths, np.array([label == names[1] for label in labels]), tuple(names), np.array(persons)
    )


def _rows_of_table(table: Path, folder: Path) -> list[tuple[Path, str, str]]:
    text = table.read_text(encoding="utf-8-sig")
    delimiter = ";" if ";" in text.split("\n", 1)[0] else ","
    rows = []
    for number, row in enumerate(csv.DictReader(text.splitlines(), delimiter=delimiter), start=2):
        file, label = (row.get("file") or "").strip(), (row.get("label") or "").strip()
        if not file or not label:
            raise ValueError(f"data: {TABLE}, line {number}, needs values under 'file' and 'label'")
        path = folder / file
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            raise ValueError(f"data: {TABLE}, line {number}: there is no file {file!r} in the folder")
        rows.append((path, label, (row.get("person") or "").strip() or file))
    return rows


def _rows_of_folders(folder: Path) -> list[tuple[Path, str, str]]:
    return [
        (path, group.name, f"{group.name}/{path.name}")
        for group in sorted(entry for entry in folder.iterdir() if entry.is_dir())
        for path in sorted(group.iterdir())
        if path.suffix.lower() in SUFFIXES
    ]


def deal_persons(found: LabelledSet, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two groups without a person in common, both labels in each in proportion.

    Parameters
    ----------
    found : LabelledSet
    share : float
        Of the persons that go to the second group, 0 to 1; at least one of each label does.
    rng : numpy.random.Generator
    """
    persons, which = np.unique(found.persons, return_inverse=True)
    level = np.bincount(which, found.labels) / np.bincount(which)  # a person may have scans of both labels
    chosen = []
    for value in np.unique(level):
        own = rng.permutation(persons[level == value])
        chosen.extend(own[: min(max(1, round(share * len(own))), len(own) - 1)])
    second = np.isin(found.persons, chosen)
    groups = np.flatnonzero(~second), np.flatnonzero(second)
    if any(len(np.unique(found.labels[rows])) < 2 for rows in groups):
        raise ValueError(f"data: need at least 2 persons for each of the labels {', '.join(found.names)}")
    return groups


class LabelTask:
    """Cross-entropy on augmented scans, best epoch by validation accuracy, as the paper has it.

    Parameters
    ----------
    settings : TrainSettings
    found : LabelledSet
    rows : tuple of ndarray
        Training and validation rows.
    network : torch.nn.Module
        With two outputs.
    origin : str
        Where the weights that training starts from are from.
    """

    def __init__(self, settings: TrainSettings, found: LabelledSet, rows, network, origin: str):
        import torch

        self.settings, self.found, self.network = settings, found, network
        self.training, self.validation = rows
        self.optimizer = torch.optim.SGD(network.parameters(), lr=settings.rate, momentum=0.9)
        self.about = {"start": origin, "architecture": settings.backbone, "labels": "\n".join(found.names)}
        self._vary = training_transform()

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Every training scan once; a last batch of one is left out, as batch norm needs two."""
        order = np.random.default_rng((self.settings.seed, 40, epoch)).permutation(self.training)
        size = self.settings.batch
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        return [part for part in parts if len(part) > 1]

    def loss(self, batch: np.ndarray, rng: np.random.Generator):
        """Mean cross-entropy; the transforms draw from PyTorch's generator, seeded for the step."""
        import torch
        from torch.nn import functional

        device = next(self.network.parameters()).device
        images = torch.stack([self._vary(read_page(self.found.paths[row])) for row in batch]).to(device)
        labels = torch.from_numpy(self.found.labels[batch].astype(np.int64)).to(device)
        return functional.cross_entropy(run_network(self.network, images), labels)

    def rate_factor(self, progress: float) -> float:
        """A tenth after every 7 of 25 epochs."""
        return GAMMA ** int(progress * EPOCHS / STEP + 1e-9)

    def validate(self) -> dict[str, float]:
        """Accuracy on the validation scans."""
        shares = label_shares(self.network, [self.found.paths[row] for row in self.validation])
        accuracy = float(np.mean((shares >= 0.5) == self.found.labels[self.validation]))
        return {"score": accuracy, "accuracy": accuracy}


def read_page(path: Path):
    """A scan as a PIL image in RGB, transparent counted as white paper."""
    from PIL import Image

    page = Image.fromarray(read_scan(path))
    if page.mode == "RGBA":
        white = Image.new("RGBA", page.size, "white")
        return Image.alpha_composite(white, page).convert("RGB")
    return page.convert("RGB")


def training_transform():
    """RandomResizedCrop(224), RandomHorizontalFlip, ToTensor, Normalize by ImageNet's figures."""
    from torchvision import transforms

    steps = [transforms.RandomResizedCrop(SIDE), transforms.RandomHorizontalFlip()]
    return transforms.Compose([*steps, *_to_normal()])


def inference_transform():
    """Resize(256), CenterCrop(224), ToTensor, Normalize: the validation pipeline, also in use afterwards."""
    from torchvision import transforms

    return transforms.Compose([transforms.Resize(RESIZED), transforms.CenterCrop(SIDE), *_to_normal()])


def _to_normal() -> list:
    from torchvision import transforms

    from vision.encoder.backbones import IMAGENET_MEAN, IMAGENET_SPREAD

    return [transforms.ToTensor(), transforms.Normalize(IMAGENET_MEAN, IMAGENET_SPREAD)]


def page_shares(network, pages: Sequence[np.ndarray]) -> np.ndarray:
    """What :func:`label_shares` gives, of scans that are in memory (uint8, gray or RGB)."""
    import torch
    from PIL import Image

    network.eval()
    device, fixed = next(network.parameters()).device, inference_transform()
    with torch.inference_mode():
        images = torch.stack([fixed(Image.fromarray(page).convert("RGB")) for page in pages])
        shares = run_network(network, images.to(device)).softmax(1)[:, 1].cpu().numpy()
    return shares.astype(np.float64)


def label_shares(network, paths: Sequence[Path], batch: int = 16) -> np.ndarray:
    """What the network's softmax gives to the second label, float64 (n,), 0 to 1; not calibrated."""
    import torch

    network.eval()
    device, fixed, parts = next(network.parameters()).device, inference_transform(), []
    with torch.inference_mode():
        for start in range(0, len(paths), batch):
            images = torch.stack([fixed(read_page(path)) for path in paths[start : start + batch]])
            parts.append(run_network(network, images.to(device)).softmax(1)[:, 1].cpu().numpy())
    return np.concatenate(parts).astype(np.float64) if parts else np.empty(0)


def train_labels(
    settings: TrainSettings, found: LabelledSet, out: Path, say: Callable[[str], None] = print
) -> tuple:
    """Train on a labelled set, a fifth of its persons held out for validation.

    Returns
    -------
    network : torch.nn.Module
        With the best weights.
    manifest : dict
    """
    import torch

    from vision.networks.backbone_maps import build_backbone

    torch.manual_seed(settings.seed)
    network, origin = build_backbone(settings.backbone, settings.weights, classes=2)
    rows = deal_persons(found, VALIDATION_SHARE, np.random.default_rng((settings.seed, 41)))
    settings = replace(settings, data=data_hash(found.paths, found.labels))
    task = LabelTask(settings, found, rows, network, origin)
    return network, fit(task, settings, out, say)
