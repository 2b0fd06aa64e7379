"""SigNet and SigNet-F (Hafemann, Sabourin and Oliveira 2017): features learned from many writers."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

INPUT_SIZE = (150, 220)
"""Height and width: the crop of a 170 × 242 image."""
FEATURES = 2048


def _convolution(number: int, inputs: int, outputs: int, size: int, stride: int, padding: int) -> OrderedDict:
    """Convolution without bias (the normalisation shifts), batch norm, ReLU."""
    return OrderedDict(
        [
            (f"conv{number}", nn.Conv2d(inputs, outputs, size, stride, padding, bias=False)),
            (f"norm{number}", nn.BatchNorm2d(outputs)),
            (f"relu{number}", nn.ReLU(inplace=True)),
        ]
    )


class SigNet(nn.Module):
    """Table 1 of the paper: five convolutions and two layers of 2048, batch norm everywhere.

    Parameters
    ----------
    classes : int
        Number of writers M (or 2 M when forgeries are classes of their own).
    forgery_unit : bool
        Whether to add the sigmoid that says forged or not (SigNet-F).
    """

    def __init__(self, classes: int, forgery_unit: bool = False) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f"classes: at least 2 writers are needed, got {classes}")
        layers: OrderedDict = OrderedDict()
        layers.update(_convolution(1, 1, 96, 11, 4, 0))
        layers["pool1"] = nn.MaxPool2d(3, 2)
        layers.update(_convolution(2, 96, 256, 5, 1, 2))
        layers["pool2"] = nn.MaxPool2d(3, 2)
        layers.update(_convolution(3, 256, 384, 3, 1, 1))
        layers.update(_convolution(4, 384, 384, 3, 1, 1))
        layers.update(_convolution(5, 384, 256, 3, 1, 1))
        layers["pool5"] = nn.MaxPool2d(3, 2)
        self.convolutions = nn.Sequential(layers)
        self.dense = nn.Sequential(
            nn.Flatten(),
            *self._dense(256 * 3 * 5, FEATURES),
            *self._dense(FEATURES, FEATURES),
        )
        self.writer = nn.Linear(FEATURES, classes)
        self.forged = nn.Linear(FEATURES, 1) if forgery_unit else None

    @staticmethod
    def _dense(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
        return nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU(inplace=True)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """FC7, float32 (n, 2048), of images (n, 1, 150, 220) with values 0 to 1."""
        return self.dense(self.convolutions(images))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Writer logits (n, classes) and forgery logits (n,), None without the forgery unit."""
        features = self.features(images)
        return self.writer(features), None if self.forged is None else self.forged(features)[:, 0]
