"""What is read out of each stage of the network, and how long the whole vector is."""

from __future__ import annotations

CO_VARYING = {"layer1": 32, "layer2": 32, "layer3": 24}
"""Stages described by the covariance of so many projected channels and the place on the image."""

AVERAGED = {"layer4": 64}
"""Stages described by the average of so many projected channels."""

PREFIX = "readout."
"""Of the readout's tensors in a weights file."""

FINE = "fine."
"""Before the prefix, and before the description of the input: of a second readout, for larger images."""

FLOOR = 1e-2
"""Added to a covariance's diagonal; projected channels have variance 1 on average."""

BARE = 1e-3
"""Weight of bare paper beside ink's weight 1."""


def covariance_length(channels: int) -> int:
    """Numbers in the description of a stage with so many projected channels."""
    side = channels + 2
    return side * (side + 1) // 2


def readout_length() -> int:
    """Length of the whole vector."""
    return sum(map(covariance_length, CO_VARYING.values())) + sum(AVERAGED.values())


def tensor_names() -> list[str]:
    """Tensors that a readout needs of a weights file, without the prefix."""
    return [f"{stage}.{part}" for stage in (*CO_VARYING, *AVERAGED) for part in ("centre", "basis")]
