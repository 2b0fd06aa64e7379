"""What a hand keeps whatever name it writes: how strokes are made, without where they stand.

The covariances of the stroke measures over the whole signature, and over strokes of one direction, less
everything that involves the place on the sheet. Half a signature against the other half of the same writer's
is how this was judged on real paper (``python -m benchmarks duplicates``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision.descriptor.covariance import DIRECTIONS, GRIDS, Block
from vision.descriptor.stroke_channels import CHANNELS

_BANDS = 3
"""Stretches of the signature, left to right, for each direction."""


def style_of(placed: np.ndarray, blocks: Sequence[Block]) -> np.ndarray | None:
    """The style in placed descriptors.

    Parameters
    ----------
    placed : float32 (n, d)
        On the common scale (:meth:`vision.descriptor.common_scale.DescriptorSpace.place`).
    blocks : sequence of Block
        The descriptor's.

    Returns
    -------
    float32 (n, k) or None
        None where the descriptor has no covariances.
    """
    named = {block.name: block for block in blocks}
    if not {"cells", "directions"} <= set(named):
        return None
    rows, columns = np.triu_indices(len(CHANNELS))
    place = [CHANNELS.index("x"), CHANNELS.index("y")]
    kept = ~(np.isin(rows, place) | np.isin(columns, place))
    cells, directions = (placed[:, named[name].start : named[name].stop] for name in ("cells", "directions"))
    count, triangle = len(placed), len(rows)
    parts = sum(bands * bars for bands, bars in GRIDS)
    whole = cells.reshape(count, parts, triangle)[:, 0, kept]
    each = directions.reshape(count, DIRECTIONS, _BANDS, triangle)[..., kept].mean(axis=2)
    # Every number at the weight that it has alone: the whole is one cell of many in the descriptor.
    weights = np.sqrt(parts), np.sqrt(DIRECTIONS * _BANDS / 2)
    return np.hstack([weights[0] * whole, weights[1] * each.reshape(count, -1)]).astype(np.float32)
