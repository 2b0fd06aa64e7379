"""Where the ink moved the score: a heat map along the signature's direction, or why there is none.

Trees have no gradient; the slope of their margin around the specimen gives a direction in embedding space,
and the map shows which ink moves the embedding along it. Its fidelity to the score itself is checked, and
that a network with shuffled weights would give another map, before anybody sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from data.signatures.specimens import read_pixels

if TYPE_CHECKING:
    from vision.encoder.heat_maps import CheckedMap


@dataclass(frozen=True)
class Picture:
    """A heat map over the scan.

    Parameters
    ----------
    pixels : ndarray of uint8 (h, w, 3)
    fidelity : float
        Rank correlation of the map with occlusion, −1…1.
    method : str
        Key of the method in the locales: ``hires_cam`` or ``gradients``.
    layer : str
        That a class activation map read, ``layer2`` for example; ``ink`` for summed gradients.
    """

    pixels: np.ndarray
    fidelity: float
    method: str
    layer: str


@dataclass(frozen=True)
class Answer:
    """Heat maps over the scan, or why there is none.

    Parameters
    ----------
    pictures : tuple of Picture
        The one to lead with first.
    fidelity : float or None
        Of the leading map, or of the best one that was not good enough.
    reason : str
        Key of the reason in the locales; empty when there is a picture.
    values : dict of str to float
        Numbers that belong to the reason.
    """

    pictures: tuple[Picture, ...] = ()
    fidelity: float | None = None
    reason: str = ""
    values: dict[str, float] = field(default_factory=dict)


def answer_of(gray: np.ndarray, maps: list[CheckedMap]) -> Answer:
    """What the checked maps of a scan come to.

    Parameters
    ----------
    gray : ndarray of uint8 (h, w)
        The scan.
    maps : list of CheckedMap
        From :func:`vision.encoder.heat_maps.best_first`, or empty when no ink has an effect.
    """
    from vision.encoder.heat_map_overlay import blend
    from vision.encoder.heat_maps import LEAST_FIDELITY, MOST_ALIKE

    if not maps:
        return Answer(reason="no_effect")
    lead = maps[0]
    if not lead.faithful:
        values = {"minimum": LEAST_FIDELITY, "value": lead.fidelity}
        return Answer(fidelity=lead.fidelity, reason="low_fidelity", values=values)
    values = {"minimum": LEAST_FIDELITY, "value": lead.alike, "maximum": MOST_ALIKE}
    if not lead.shown:
        return Answer(fidelity=lead.fidelity, reason="not_learned", values=values)
    pictures = tuple(
        Picture(blend(gray, one.heat.values), one.fidelity, one.heat.method, one.heat.layer) for one in maps
    )
    return Answer(pictures, lead.fidelity, values=values)


def explain_specimen(encoder, model, stored, image: bytes) -> Answer:
    """Compute the maps of one specimen; hold the encoder's lock while it runs.

    Parameters
    ----------
    encoder : vision.encoder.backbones.Encoder
        The one that made the embeddings.
    model : fusion.model.risk_model.RiskModel
        The model in service.
    stored : data.queries.StoredExplanation
        The score to explain.
    image : bytes
        The specimen's file.
    """
    from fusion.explanation.overlay import explain_signature
    from vision.scans.preprocess import to_gray

    if encoder.info.encoder_id != model.manifest.encoder_id:
        return Answer(reason="no_encoder")
    gray = to_gray(read_pixels(image))
    score = stored.score
    maps = explain_signature(model, encoder, gray, score["target"], int(score["as_of_index"]))
    return answer_of(gray, maps)
