"""What a network's stages say about an ink image, as one vector: co-variation of features along the ink.

The average of the last feature maps says what a signature looks like; how a pen moves shows in how the early
and middle stages' features vary together along the line (second-order pooling with the logarithm of the
covariance, Ionescu et al. 2015; regions described by covariances, Tuzel et al. 2006). Everything here is
differentiable, so that heat maps see through it.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from vision.encoder.readout_layout import AVERAGED, BARE, CO_VARYING, FLOOR, PREFIX, readout_length


class SymmetricLog(torch.autograd.Function):
    """Logarithm of symmetric positive matrices, with a gradient that equal eigenvalues do not break.

    The derivative is that of Daleckii and Krein: in the eigenbasis each entry is multiplied by the slope of
    the logarithm between its two eigenvalues, which for equal ones is the tangent's.
    """

    @staticmethod
    def forward(ctx, matrices):
        """Logarithms, float64 (b, k, k)."""
        values, vectors = torch.linalg.eigh(matrices)
        logs = torch.log(values)
        ctx.save_for_backward(values, vectors, logs)
        return vectors @ (logs[:, :, None] * vectors.mT)

    @staticmethod
    def backward(ctx, gradient):
        """Gradient with respect to the matrices."""
        values, vectors, logs = ctx.saved_tensors
        apart = values[:, :, None] - values[:, None]
        middle = (values[:, :, None] + values[:, None]) / 2
        near = apart.abs() < 1e-6 * middle
        rise = (logs[:, :, None] - logs[:, None]) / torch.where(near, torch.ones_like(apart), apart)
        slope = torch.where(near, 1 / middle, rise)
        symmetric = (gradient + gradient.mT) / 2
        return vectors @ (slope * (vectors.mT @ symmetric @ vectors)) @ vectors.mT


def describe_covariance(maps, weights, centre, basis):
    """Logarithm of the covariance of projected features and places, weighted by ink.

    Parameters
    ----------
    maps : Tensor, shape (b, c, h, w)
    weights : Tensor, shape (b, 1, h, w)
        How much ink there is, 0 to 1.
    centre : Tensor of float64, shape (c,)
    basis : Tensor of float64, shape (c, k)

    Returns
    -------
    Tensor of float64, shape (b, (k + 2) (k + 3) / 2)
        The upper triangle; off the diagonal times √2, so that lengths are those of the matrix.
    """
    count, _, height, width = maps.shape
    projected = (maps.double().flatten(2).mT - centre) @ basis
    place = _places(height, width).expand(count, -1, -1)
    features = torch.cat([projected, place], dim=2)
    share = weights.double().flatten(1)[:, :, None] + BARE
    share = share / share.sum(dim=1, keepdim=True)
    features = features - (share * features).sum(dim=1, keepdim=True)
    side = features.shape[2]
    covariance = (share * features).mT @ features + FLOOR * torch.eye(side, dtype=torch.float64)
    logarithm = SymmetricLog.apply(covariance)
    rows, columns = torch.triu_indices(side, side)
    return logarithm[:, rows, columns] * torch.where(rows == columns, 1.0, math.sqrt(2)).double()


def _places(height, width):
    """Position of each cell from the middle, in units of half the image's height, (h * w, 2)."""
    down = (torch.arange(height, dtype=torch.float64) - height / 2) * 2 / height
    right = (torch.arange(width, dtype=torch.float64) - width / 2) * 2 / height
    return torch.stack(
        [right.expand(height, width).flatten(), down[:, None].expand(height, width).flatten()], 1
    )


def describe_average(maps, centre, basis):
    """Average of projected features at unit length, float64 (b, k); see :func:`describe_covariance`."""
    return functional.normalize((maps.double().mean((2, 3)) - centre) @ basis)


class StageReadout(nn.Module):
    """A ResNet without its head whose stages are read out together.

    Parameters
    ----------
    network : torchvision.models.ResNet
        In evaluation mode; its stages become this module's own, under their names.
    tensors : dict of str to Tensor
        ``layerN.centre`` and ``layerN.basis`` of each stage in `CO_VARYING` and `AVERAGED`, and, once fitted,
        ``centre`` and ``scale`` of the vector.
    mean, spread : float
        Of the network's input, (ink - mean) / spread.
    """

    def __init__(self, network: nn.Module, tensors: dict, mean: float, spread: float) -> None:
        super().__init__()
        for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"):
            self.add_module(name, getattr(network, name))
        self.mean, self.spread = float(mean), float(spread)
        for stage in (*CO_VARYING, *AVERAGED):
            for part in ("centre", "basis"):
                self.register_buffer(f"{stage}_{part}", tensors[f"{stage}.{part}"].double())
        length = readout_length()
        self.register_buffer("centre", tensors.get("centre", torch.zeros(length)).double())
        self.register_buffer("scale", tensors.get("scale", torch.ones(length)).double())

    def stages(self, x):
        """Feature maps of every stage by name."""
        x, found = self.maxpool(self.relu(self.bn1(self.conv1(x)))), {}
        for name in (*CO_VARYING, *AVERAGED):
            x = found[name] = getattr(self, name)(x)
        return found

    def ink_weights(self, x):
        """How much ink there is in and beside each pixel of the input, 0 to 1, (b, 1, h, w)."""
        ink = (x[:, :1] * self.spread + self.mean).clamp(0, 1)
        return (3 * functional.max_pool2d(ink, 3, 1, 1)).clamp(max=1)

    def forward(self, x):
        """Vectors, float32 (b, :func:`readout_length`), of inputs (b, 3, h, w)."""
        weights, parts = self.ink_weights(x), []
        for name, maps in self.stages(x).items():
            centre, basis = getattr(self, f"{name}_centre"), getattr(self, f"{name}_basis")
            if name in CO_VARYING:
                ink = functional.adaptive_avg_pool2d(weights, maps.shape[2:])
                parts.append(describe_covariance(maps, ink, centre, basis))
            else:
                parts.append(describe_average(maps, centre, basis))
        return ((torch.cat(parts, dim=1) - self.centre) * self.scale).float()


def readout_tensors(tensors: dict, variant: str = "") -> dict:
    """The readout's tensors of a weights file, without the prefix; empty when the file has none.

    Parameters
    ----------
    tensors : dict
    variant : str
        :data:`vision.encoder.readout_layout.FINE` for the readout of larger images.
    """
    prefix = variant + PREFIX
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
