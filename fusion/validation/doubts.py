"""What in a register looks wrong although every row is in order: told with the model, and asked before it
is served."""

from __future__ import annotations

from data.records.exit_sense import turned_exits
from data.records.queries import Records
from fusion.model.manifest import Manifest

EXITS_TURNED = "exits_turned"
DOUBTS = {
    EXITS_TURNED: "Graduated and dropped out look exchanged in this register: those who dropped out stand "
    "above those who graduated of the same programme. A model that learned from it takes good students for "
    "those at risk.",
}
"""Code → what it means, in English."""


def doubts_of(records: Records) -> tuple[str, ...]:
    """Codes of what looks wrong in a register that is to teach."""
    turned = turned_exits(records.students, records.terms, records.outcomes)
    return (EXITS_TURNED,) if turned is not None else ()


def open_doubts(manifest: Manifest) -> tuple[str, ...]:
    """Codes of what looked wrong in the register of a model that nobody has put into service yet.

    Whoever served it has been asked.
    """
    return () if manifest.served else manifest.trained_on.doubts
