"""The three Siamese networks of the DeepSign paper (Ko and Wang), each giving 128 numbers per signature.

Parameter counts are those of the paper where its tables allow them: DeepSign 256,992 (with a squeeze of 48
in the last Fire block, which is what that count needs), MobileNetV2 transfer 721,589 trainable, and 6,461,568
for the SigNet baseline (the paper's 6,460,974 normalises along the image height).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

EMBEDDING = 128


def trainable_parameters(network: nn.Module) -> int:
    """Number of parameters that training changes."""
    return sum(weights.numel() for weights in network.parameters() if weights.requires_grad)


class SiameseSigNet(nn.Module):
    """Table 1 of the DeepSign paper; input (n, 1, 155, 220), ink 1 on 0."""

    input_size = (155, 220)

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 96, 11, stride=4),
            nn.ReLU(),
            nn.BatchNorm2d(96, eps=1e-6, momentum=0.1),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(96, 256, 5, padding=2),
            nn.ReLU(),
            nn.BatchNorm2d(256, eps=1e-6, momentum=0.1),
            nn.MaxPool2d(3, 2),
            nn.Dropout(0.3),
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(256 * 3 * 5, 1024),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(1024, EMBEDDING),
            nn.ReLU(),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embeddings, float32 (n, 128)."""
        return self.layers(images)


class Fire(nn.Module):
    """Squeeze by 1×1, then expand by 1×1 and 3×3 side by side (SqueezeNet)."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.narrow = nn.Conv2d(squeeze, expand, 1)
        self.wide = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        squeezed = functional.relu(self.squeeze(values))
        return functional.relu(torch.cat([self.narrow(squeezed), self.wide(squeezed)], dim=1))


class DeepSign(nn.Module):
    """Table 3 of the paper; input (n, 1, 300, 360), ink 1 on 0; unit-length embeddings."""

    input_size = (300, 360)

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 64, 3, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            Fire(64, 16, 64),
            Fire(128, 16, 64),
            nn.MaxPool2d(3, 2),
            nn.Dropout(0.2),
            Fire(128, 32, 72),
            Fire(144, 32, 96),
            Fire(192, 48, 128),
            nn.MaxPool2d(3, 2),
            nn.Dropout(0.2),
            nn.Conv2d(256, 256, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(256, EMBEDDING),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embeddings of length 1, float32 (n, 128)."""
        return functional.normalize(self.layers(images))


class MobileNetTransfer(nn.Module):
    """Table 2 of the paper: 1 → 10 → 3 channels, frozen MobileNetV2, 512, dropout 0.24, 128, unit length.

    Parameters
    ----------
    backbone : torch.nn.Module, optional
        Convolutional part (n, 3, h, w) → (n, 1280, h', w'); torchvision's MobileNetV2 without weights by
        default. Its weights are frozen, and it stays in evaluation mode.
    """

    input_size = (224, 224)

    def __init__(self, backbone: nn.Module | None = None) -> None:
        super().__init__()
        if backbone is None:
            from torchvision.models import mobilenet_v2

            backbone = mobilenet_v2(weights=None).features
        self.colour = nn.Sequential(nn.Conv2d(1, 10, 1), nn.ReLU(), nn.Conv2d(10, 3, 1), nn.ReLU())
        self.backbone = backbone.requires_grad_(False).eval()
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(1280, 512),
            nn.ReLU(),
            nn.Dropout(0.24),
            nn.Linear(512, EMBEDDING),
        )

    def train(self, mode: bool = True) -> MobileNetTransfer:
        """Training mode for all but the frozen backbone, whose batch statistics must not move."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embeddings of length 1, float32 (n, 128)."""
        return functional.normalize(self.head(self.backbone(self.colour(images))))


NETWORKS = {"signet": SiameseSigNet, "deepsign": DeepSign, "mobilenet_v2": MobileNetTransfer}
"""The paper's three models by name."""
