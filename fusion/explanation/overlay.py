"""From a score to the ink behind it: SHAP direction, heat map, and its honesty through the whole pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fusion.explanation.explain import signature_direction
from fusion.model.booster import tree_margin
from fusion.model.risk_model import RiskModel

LEAST_FIDELITY = 0.3  # rank correlation with occlusion below which a map would mislead
MOST_ALIKE = 0.5  # rank correlation with the map of shuffled weights above which nothing learned is shown


@dataclass(frozen=True)
class SignatureMap:
    """A heat map with the checks that decide whether it is shown.

    Parameters
    ----------
    heat : vision.encoder.heat_maps.Heatmap
    fidelity : float
        Rank correlation of the map with occlusion along the direction, -1…1.
    alike : float
        Rank correlation with the map of the same network with shuffled weights (randomisation check, Adebayo
        et al. 2018), -1…1; NaN when the fidelity already forbids the map.
    shown : bool
        Whether fidelity reaches :data:`LEAST_FIDELITY` and the map differs from the shuffled network's.
    """

    heat: object
    fidelity: float
    alike: float
    shown: bool


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


def explain_signature(
    model: RiskModel,
    encoder,
    image: np.ndarray,
    target: str,
    phi: np.ndarray,
    inputs: np.ndarray,
    rng: np.random.Generator | None = None,
) -> SignatureMap | None:
    """The heat map of one specimen along the score's direction.

    Parameters
    ----------
    model : RiskModel
    encoder : vision.encoder.backbones.Encoder
        The one that made the model's embeddings.
    image : ndarray of uint8, (h, w) or (h, w, 3)
        A scan.
    target : {"late", "dropout"}
    phi, inputs : ndarray (f,)
        As stored with the score.
    rng : Generator, optional
        Shuffles the weights of the randomisation check; default: one with seed 0, so that a page drawn again
        says the same.

    Returns
    -------
    SignatureMap or None
        None when the signature had no influence.

    Raises
    ------
    ValueError
        When the encoder is not the one that the model was trained with.
    """
    from vision.encoder.heat_maps import heatmap_along, occlusion_fidelity, randomised_similarity

    wanted = model.manifest.encoder_id
    if encoder.info.encoder_id != wanted:
        raise ValueError(f"encoder must be {wanted!r}, got {encoder.info.encoder_id!r}")
    direction = signature_direction(model, target, phi, inputs)
    if not direction.any():
        return None
    heat = heatmap_along(encoder, image, direction)
    fidelity = float(occlusion_fidelity(encoder, image, direction, heat))
    if fidelity < LEAST_FIDELITY:
        return SignatureMap(heat, fidelity, float("nan"), False)
    rng = np.random.default_rng(0) if rng is None else rng
    alike = float(randomised_similarity(encoder, image, direction, rng))
    return SignatureMap(heat, fidelity, alike, alike <= MOST_ALIKE)
