"""Pictures of a questioned signature with the references: worked out once for the peers of a session."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import current_session, stores
from dashboard.students.overlay import Answer
from dashboard.verification import comparison
from data import queries
from data.trust.scope import Scope


def superposed(questioned: bytes, specimen_id: str):
    """A questioned signature and a reference on one sheet
    (:func:`dashboard.verification.comparison.superposed`)."""
    return _superposed(questioned, specimen_id, stores.data_version(), current_session.scope())


@st.cache_data(ttl=900, max_entries=100, show_spinner=False)
def _superposed(questioned: bytes, specimen_id: str, version: str, reader: Scope):
    reference = queries.specimen_image(stores.store(), specimen_id, reader)
    return comparison.superposed(questioned, reference)


def agreement_map(questioned: bytes, specimen_ids: tuple[str, ...]) -> Answer:
    """Where the ink of a questioned signature resembles the references, or why that is not shown."""
    return _agreement_map(questioned, specimen_ids, stores.data_version(), current_session.scope())


@st.cache_data(ttl=900, max_entries=50, show_spinner=False)
def _agreement_map(questioned: bytes, specimen_ids: tuple[str, ...], version: str, reader: Scope) -> Answer:
    from vision.encoder.backbones import NoWeights

    references = [queries.specimen_image(stores.store(), specimen, reader) for specimen in specimen_ids]
    try:
        shared = stores.encoder()
    except NoWeights:
        return Answer(reason="no_encoder")
    with shared.lock:
        return comparison.agreement_map(shared.encoder, questioned, references)
