"""Scans → the images that a published network takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from vision.recipes.device import run_network
from vision.scans.preprocess import center_on_canvas, to_ink
from vision.scans.signature_folders import read_scan


@dataclass(frozen=True)
class InputPlan:
    """How a scan becomes a network's input.

    Attributes
    ----------
    variant : str
        Of preprocessing, a name of `preprocess.VARIANTS`.
    size : tuple of int
        Height and width of the prepared image.
    crop : tuple of int
        Height and width that the network sees: a random place in training, the middle afterwards.
    canvas : tuple of int or None
        Ink is first placed on a canvas of this size by its centre of mass; None: stretched to `size`.
    """

    variant: str
    size: tuple[int, int]
    crop: tuple[int, int]
    canvas: tuple[int, int] | None = None

    def to_text(self) -> str:
        """As JSON, for the weights file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> InputPlan:
        """Back from :meth:`to_text`."""
        kept = json.loads(text)
        canvas = kept["canvas"] and tuple(kept["canvas"])
        return cls(kept["variant"], tuple(kept["size"]), tuple(kept["crop"]), canvas)


def prepare(scan: np.ndarray, plan: InputPlan) -> np.ndarray:
    """Ink image of a scan, uint8 of shape ``plan.size``, ink bright on 0."""
    return _placed(to_ink(scan, plan.variant), plan)


def prepare_files(paths: Sequence[Path], plan: InputPlan) -> np.ndarray:
    """Ink images of many files, uint8 (n, *plan.size)."""
    images = np.zeros((len(paths), *plan.size), np.uint8)
    for index, path in enumerate(paths):
        images[index] = prepare(read_scan(path), plan)
    return images


def with_canvas(paths: Sequence[Path], plan: InputPlan) -> InputPlan:
    """The plan with a canvas that every file's ink fits on, as the paper chooses one per collection."""
    shapes = np.array([to_ink(read_scan(path), plan.variant).shape for path in paths])
    return replace(plan, canvas=tuple(int(side) for side in shapes.max(axis=0)))


def _placed(ink: np.ndarray, plan: InputPlan) -> np.ndarray:
    if plan.canvas is not None:
        ink = center_on_canvas(ink, plan.canvas)
    shrinking = ink.shape[0] * ink.shape[1] > plan.size[0] * plan.size[1]
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return cv2.resize(ink, plan.size[::-1], interpolation=method)


def to_tensor(images: np.ndarray, plan: InputPlan, device: str, rng: np.random.Generator | None = None):
    """Network input, float32 (n, 1, *plan.crop), 0 to 1; cropped at random when ``rng`` is given."""
    import torch

    spare = [whole - part for whole, part in zip(plan.size, plan.crop, strict=True)]
    if rng is None:
        corners = np.tile([space // 2 for space in spare], (len(images), 1))
    else:
        corners = np.stack([rng.integers(0, space + 1, len(images)) for space in spare], axis=1)
    height, width = plan.crop
    cut = np.stack(
        [
            image[top : top + height, left : left + width]
            for image, (top, left) in zip(images, corners, strict=True)
        ]
    )
    return torch.from_numpy(cut).to(device).float().div_(255)[:, None]


def embed_images(network, images: np.ndarray, plan: InputPlan, batch: int = 64) -> np.ndarray:
    """Embeddings of prepared images, float32 (n, d): what ``network.features`` gives, or else its output."""
    import torch

    network.eval()
    call = getattr(network, "features", network)
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            values = run_network(call, to_tensor(images[start : start + batch], plan, device))
            parts.append(values.cpu().numpy())
    return np.concatenate(parts)


def data_hash(paths: Sequence[Path], labels: Sequence) -> str:
    """SHA-256 over files' contents and what each is said to be; where the folder lies does not matter."""
    digest = hashlib.sha256()
    for path, label in zip(paths, labels, strict=True):
        digest.update(f"{path.parent.name}/{path.name}|{label}|".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
