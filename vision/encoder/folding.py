"""Batch normalisation folded into the convolution before it: the same function, one pass over memory less."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Fold in place every batch norm that directly follows a convolution inside one module.

    Pairs are recognised by order of definition (``conv1, bn1`` in residual blocks; neighbours in a
    `Sequential`), with equal channel counts. Networks whose batch norm comes first (DenseNet) are left as
    they are.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode.

    Returns
    -------
    nn.Module
        The same object; submodule names are unchanged, folded norms are `nn.Identity`.

    Raises
    ------
    ValueError
        When the network is in training mode.
    """
    if network.training:
        raise ValueError("network must be in evaluation mode, got training mode")
    for module in list(network.modules()):
        if type(module).__name__ in _NORM_FIRST:
            continue
        for (name, conv), (norm_name, norm) in _neighbours(module):
            fused = fuse_conv_bn_eval(conv, norm)
            _replace(module, name, fused)
            _replace(module, norm_name, nn.Identity())
    return network


_NORM_FIRST = ("_DenseLayer", "_DenseBlock", "_Transition", "DenseNet")


def _replace(module: nn.Module, name: str, new: nn.Module) -> None:
    module._modules[name] = new


def _neighbours(module: nn.Module) -> list:
    """(name, convolution), (name, norm) pairs among the children of one module."""
    children = list(module.named_children())
    if not isinstance(module, nn.Sequential):
        named = dict(children)
        pairs = [(f"conv{i}", f"bn{i}") for i in range(1, 4)] + [("conv", "bn")]
        found = [((a, named[a]), (b, named[b])) for a, b in pairs if a in named and b in named]
    else:
        found = list(zip(children[:-1], children[1:], strict=True))
    return [
        (first, second)
        for first, second in found
        if isinstance(first[1], nn.Conv2d)
        and isinstance(second[1], nn.BatchNorm2d)
        and first[1].out_channels == second[1].num_features
    ]
