"""Which of a student's specimens become references, and what is said about the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from data.columns import PAPER, SCREEN
from data.signatures.findings import (
    BLANK,
    BLURRED,
    COPY,
    CUT_OFF,
    LITTLE_INK,
    LOW_RESOLUTION,
    WHOLE_PAGE,
    found_codes,
    read_findings,
)
from vision.verification.verify import FEWEST_REFERENCES

SPOILING = (BLANK, LITTLE_INK, LOW_RESOLUTION, BLURRED, CUT_OFF, COPY, WHOLE_PAGE)
"""Findings with which a specimen cannot be a reference: blank, too little ink, low resolution, blurred, cut
off, copy, a whole page. Printed lines are removed before comparing; a second ink, a wide gap or a slope can
be a habit."""
WITNESSED = "enrollment"
"""Occasion on which specimens are given under the eyes of the office; others come with forms."""
OTHER_MEDIUM = "other_medium"
"""Why a specimen signed on a screen is no reference: the student has usable ones on paper."""
MOST_REFERENCES = 12
ADVISED = 5


@dataclass(frozen=True)
class Choice:
    """References and the reasons against the other specimens.

    Attributes
    ----------
    references : tuple of str
        Specimen ids, oldest first.
    left_out : dict of str to tuple of str
        Specimen id → codes: findings, ``other_medium``, ``not_witnessed``, ``not_chosen`` or
        ``too_many``.
    """

    references: tuple[str, ...]
    left_out: dict[str, tuple[str, ...]]

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do, as keys: ``none``, ``too_few`` or ``few`` references; empty when all is well."""
        count = len(self.references)
        if count == 0:
            return ("none",)
        if count < FEWEST_REFERENCES:
            return ("too_few",)
        return ("few",) if count < ADVISED else ()


def choose_references(specimens: pd.DataFrame, wanted: Sequence[str] | None = None) -> Choice:
    """Choose references.

    Without a wish, specimens given at enrolment come first; others count only when these are fewer than 3.
    A specimen with a spoiling finding is never a reference, wished for or not; neither is one that was signed
    on a screen, unless the student has no other that could be one: nobody has measured what the strokes of a
    screen say about strokes on paper, so the two are never references together.

    Parameters
    ----------
    specimens : DataFrame
        One student's: ``specimen_id, captured_on, context, medium, quality`` (list of findings, or null).
    wanted : sequence of str, optional
        Specimens that an officer chose.

    Raises
    ------
    ValueError
        When a wanted specimen is not among them.
    """
    strange = set(wanted or ()) - set(specimens["specimen_id"])
    if strange:
        raise ValueError(f"specimen_ids must be specimens of the student, {len(strange)} are not")
    rows = specimens.sort_values(["captured_on", "specimen_id"]).to_dict("records")
    on_paper = any(row["medium"] == PAPER and not _spoilt(row["quality"]) for row in rows)
    left_out, usable = {}, []
    for row in rows:
        spoilt = _spoilt(row["quality"])
        if spoilt:
            left_out[row["specimen_id"]] = spoilt
        elif row["medium"] == SCREEN and on_paper:
            left_out[row["specimen_id"]] = (OTHER_MEDIUM,)
        elif wanted is not None and row["specimen_id"] not in wanted:
            left_out[row["specimen_id"]] = ("not_chosen",)
        else:
            usable.append(row)
    witnessed = [row for row in usable if row["context"] == WITNESSED]
    if wanted is None and len(witnessed) >= FEWEST_REFERENCES:
        others = [row["specimen_id"] for row in usable if row["context"] != WITNESSED]
        left_out |= dict.fromkeys(others, ("not_witnessed",))
        usable = witnessed
    ids = [row["specimen_id"] for row in usable]
    left_out |= dict.fromkeys(ids[MOST_REFERENCES:], ("too_many",))
    return Choice(tuple(ids[:MOST_REFERENCES]), left_out)


def _spoilt(quality: list[dict] | None) -> tuple[str, ...]:
    return tuple(code for code in found_codes(read_findings(quality)) if code in SPOILING)
