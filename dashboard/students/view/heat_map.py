"""Where a specimen's ink moved a score: worked out once for the peers of a session."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import current_session, stores
from dashboard.students import overlay
from dashboard.students.overlay import Answer
from data import queries
from data.columns import SCREEN
from data.engine.cipher import KeyProblem
from data.queries import StoredExplanation
from data.trust.scope import Scope


def heat_map(specimen_id: str, medium: str, stored: StoredExplanation | None) -> Answer:
    """The map of where a specimen's ink moved a score, or why there is none; kept for the session's peers."""
    if stored is None:
        return Answer(reason="no_model")
    if stored.score["modality"] == "records":
        return Answer(reason="records_only")
    if medium == SCREEN:
        return Answer(reason="screen")
    score_id, version = int(stored.score["score_id"]), stores.data_version()
    return _heat_map(specimen_id, score_id, version, current_session.scope(), stored)


@st.cache_data(ttl=900, max_entries=200, show_spinner=False)
def _heat_map(specimen_id: str, score_id: int, version: str, reader: Scope, _stored) -> Answer:
    from vision.encoder.backbones import NoWeights

    try:
        image = queries.specimen_image(stores.store(), specimen_id, reader)
        shared = stores.encoder()
    except NoWeights:
        return Answer(reason="no_encoder")
    except KeyProblem:
        return Answer(reason="damaged")
    with shared.lock:
        return overlay.explain_specimen(shared.encoder, stores.model(), _stored, image)
