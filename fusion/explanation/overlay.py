"""From a score to the ink behind it: direction, heat maps, and their honesty through the whole pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from fusion.model.booster import tree_margin
from fusion.model.risk_model import RiskModel

if TYPE_CHECKING:
    from vision.encoder.heat_maps import CheckedMap

_MOVES = 2_000
"""Random moves by which the slope of the trees is taken."""


def signature_margin(model: RiskModel, target: str, as_of_index: int) -> Callable[[np.ndarray], np.ndarray]:
    """What the signature adds to the log-odds, as a function of embeddings: (n, d) → (n,).

    The embeddings are brought to unit length as at scoring time, so that occluding ink can be followed
    through encoder, reduction and trees.

    Raises
    ------
    ValueError
        When the model has no signature stage for the target.
    """
    stage = model.targets[target].signature
    if stage is None:
        raise ValueError(f"model {model.manifest.version} has no signature stage for {target!r}")

    def margin(embeddings: np.ndarray) -> np.ndarray:
        embeddings = np.atleast_2d(np.asarray(embeddings, np.float32))
        length = np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
        matrix = stage.matrix(embeddings / length, np.full(len(embeddings), as_of_index))
        return tree_margin(stage.booster, matrix)

    return margin


def margin_direction(model: RiskModel, target: str, as_of_index: int, embeddings: np.ndarray) -> np.ndarray:
    """The direction in which a specimen's embedding would move to raise the margin.

    Trees have no gradient. The slope of their margin is taken over a neighbourhood: random moves of the
    components, as large as those by which covering a piece of the ink moves them, and the regression of the
    margin on them (the gradient of the margin smoothed by a normal distribution).

    Parameters
    ----------
    model : RiskModel
    target : {"late", "dropout"}
    as_of_index : int
    embeddings : ndarray (1 + n, d)
        Of the specimen, then with a piece of its ink covered each.

    Returns
    -------
    ndarray of float32 (d,)
        At right angles to the specimen's embedding, whose length does not count; zeros when the margin is
        flat there.
    """
    stage = model.targets[target].signature
    if stage is None:
        raise ValueError(f"model {model.manifest.version} has no signature stage for {target!r}")
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    components = stage.reduction.apply(unit.astype(np.float32)).astype(np.float64)
    reach = (components[1:] - components[0]).std(axis=0) + 1e-12
    moves = np.random.default_rng(0).standard_normal((_MOVES, len(reach)))
    near = stage.matrix_of(components[0] + moves * reach, as_of_index)
    margin = tree_margin(stage.booster, near).astype(np.float64)
    slope = (moves * (margin - margin.mean())[:, None]).mean(axis=0) / reach
    direction = stage.reduction.weights @ slope
    return (direction - (direction @ unit[0]) * unit[0]).astype(np.float32)


def explain_signature(
    model: RiskModel, encoder, image: np.ndarray, target: str, as_of_index: int
) -> list[CheckedMap]:
    """Heat maps of one specimen: which ink moves the score's margin, checked against the score itself.

    Ink is covered piece by piece and each rest goes through encoder, reduction and trees: a map is faithful
    when the ink that it marks is the ink that moves the margin.

    Parameters
    ----------
    model : RiskModel
    encoder : vision.encoder.backbones.Encoder
        The one that made the model's embeddings.
    image : ndarray of uint8, (h, w) or (h, w, 3)
        A scan.
    target : {"late", "dropout"}
    as_of_index : int
        Of the score.

    Returns
    -------
    list of CheckedMap
        The one to lead with first, see :func:`vision.encoder.heat_maps.best_first`; empty when none of the
        specimen's ink, covered, lowers the score.

    Raises
    ------
    ValueError
        When the encoder is not the one that the model was trained with, or the model has no signature stage.
    """
    from vision.encoder.heat_maps import best_first, checked_maps, occlude

    wanted = model.manifest.encoder_id
    if encoder.info.encoder_id != wanted:
        raise ValueError(f"encoder must be {wanted!r}, got {encoder.info.encoder_id!r}")
    covered = occlude(encoder, image, signature_margin(model, target, as_of_index))
    if not covered.moves:
        return []
    direction = margin_direction(model, target, as_of_index, covered.embeddings)
    if not direction.any():
        return []
    return best_first(checked_maps(encoder, image, direction, covered))
