"""What in a register looks wrong although every row is in order: told with the model, and asked before it
is served."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from data.columns import MOST_STUDENTS
from data.records.exit_sense import turned_exits
from data.records.queries import Records
from fusion.model.manifest import Manifest

ASKED = ("student_key", "term_id", "credits_cum", "credits_passed", "gpa_cum")
EXITS_TURNED = "exits_turned"
DOUBTS = {
    EXITS_TURNED: "Graduated and dropped out look exchanged in this register: those who dropped out stand "
    "above those who graduated of the same programme. A model that learned from it takes good students for "
    "those at risk.",
}
"""Code → what it means, in English."""


def doubts_of(parts: Iterable[Records], most: int = MOST_STUDENTS) -> tuple[str, ...]:
    """Codes of what looks wrong in a register that is to teach.

    Parameters
    ----------
    parts : iterable of Records
        The register as it reads today, part by part; every student is in one of them.
    most : int
        No further part is read once so many students of known end were.
    """
    read: list[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]] = []
    for records in parts:
        ended = records.outcomes[records.outcomes["exit_type"].notna()]
        theirs = records.terms["student_key"].isin(ended["student_key"])
        told = [name for name in ASKED if name in records.terms]
        read.append((records.students, records.terms.loc[theirs, told], ended))
        if sum(len(exits) for _, _, exits in read) >= most:
            break
    students, terms, ends = (pd.concat(frames, ignore_index=True) for frames in zip(*read, strict=True))
    return (EXITS_TURNED,) if turned_exits(students, terms, ends) is not None else ()


def open_doubts(manifest: Manifest) -> tuple[str, ...]:
    """Codes of what looked wrong in the register of a model that nobody has put into service yet.

    Whoever served it has been asked.
    """
    return () if manifest.served else manifest.trained_on.doubts
