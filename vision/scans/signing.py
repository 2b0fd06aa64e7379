"""Keeping a signature that was drawn on a screen, as a specimen of its own kind."""

from __future__ import annotations

from datetime import date

from data.engine.database import Store
from data.signatures.specimens import inspect_image
from data.signatures.strokes import Strokes, need_signature
from data.signatures.write import specimen_id_of
from data.store import NewSpecimen, new_import, write_specimens
from data.trust.audit import Entry
from vision.scans.drawn import as_scan

SIGNED = "sign on screen"
"""The act in the audit log."""
SOURCE = "screen"
"""What such an import came from, where others name their files."""


def keep_drawn(
    store: Store,
    student_key: str,
    student_number: str,
    drawn: Strokes,
    *,
    context: str,
    captured_on: date,
    actor: str,
    role: str,
    synthetic: bool = False,
) -> str | None:
    """Store strokes, sealed, and their picture as a specimen signed on a screen.

    It is an import of one specimen, which can be undone as any other. In the same transaction the audit log
    says who had whom sign, with what, and nothing of the strokes.

    Parameters
    ----------
    context : str
        One of :data:`data.columns.SPECIMEN_CONTEXTS`.
    captured_on : datetime.date
        Day of signing.
    synthetic : bool
        Whether it is an invented student's; a demo takes no other.

    Returns
    -------
    str or None
        Its specimen id; None when the very same drawing was erased for the student before.

    Raises
    ------
    data.signatures.strokes.RefusedStrokes
        When there is too little for a signature.
    data.trust.origin.RealDataRefused
    """
    need_signature(drawn)
    data = as_scan(drawn)
    facts = inspect_image(data)
    new = NewSpecimen(
        student_number=student_number,
        data=data,
        captured_on=captured_on,
        context=context,
        file_format=facts.file_format,
        width=facts.width,
        height=facts.height,
        dpi=facts.dpi,
        medium="screen",
        strokes=drawn.to_bytes(),
    )
    specimen_id = specimen_id_of(student_key, facts.sha256)
    import_id = new_import(store, source=SOURCE, files={}, actor=actor, synthetic=synthetic)
    told = {"specimen": specimen_id, "pointers": drawn.pointers, "strokes": len(drawn.strokes)}
    entry = Entry(actor, role, SIGNED, student_key, told)
    result = write_specimens(store, [new], actor=actor, import_id=import_id, entry=entry)
    if result.erased or result.unmatched:
        return None
    return specimen_id
