"""Where the ink moved the score: a heat map along the signature's direction, or why there is none.

Trees cannot be differentiated. The SHAP values of the signature's components give a direction in embedding
space; the map shows which ink moves the embedding along it. Its fidelity is checked, and that a network with
shuffled weights would give another map, before anybody sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from data.signatures.specimens import read_pixels


@dataclass(frozen=True)
class Answer:
    """A heat map over the scan, or why there is none.

    Parameters
    ----------
    picture : ndarray of uint8 (h, w, 3) or None
        The scan with the map on it.
    fidelity : float or None
        Rank correlation of the map with occlusion, −1…1.
    reason : str
        Key of the reason in the locales; empty when there is a picture.
    values : dict of str to float
        Numbers that belong to the reason.
    """

    picture: np.ndarray | None = None
    fidelity: float | None = None
    reason: str = ""
    values: dict[str, float] = field(default_factory=dict)


def explain_specimen(encoder, model, stored, image: bytes) -> Answer:
    """Compute the map of one specimen; hold the encoder's lock while it runs.

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
    from fusion.explanation.overlay import LEAST_FIDELITY, MOST_ALIKE, explain_signature
    from vision.encoder.heat_map_overlay import blend
    from vision.scans.preprocess import to_gray

    if encoder.info.encoder_id != model.manifest.encoder_id:
        return Answer(reason="no_encoder")
    gray = to_gray(read_pixels(image))
    explained = explain_signature(model, encoder, gray, stored.score["target"], stored.phi, stored.inputs)
    if explained is None or explained.heat.strength <= 0:
        return Answer(reason="no_effect")
    limits = {"minimum": LEAST_FIDELITY, "value": explained.fidelity}
    if explained.fidelity < LEAST_FIDELITY:
        return Answer(fidelity=explained.fidelity, reason="low_fidelity", values=limits)
    checked = {"minimum": LEAST_FIDELITY, "value": explained.alike, "maximum": MOST_ALIKE}
    if not explained.shown:
        return Answer(fidelity=explained.fidelity, reason="not_learned", values=checked)
    return Answer(blend(gray, explained.heat.values), explained.fidelity, values=checked)
