"""One questioned scan against the references of a student's enrolment, as the store holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data import queries
from data.columns import SCREEN
from data.engine.database import Store
from data.signatures.findings import Finding
from data.trust.scope import Scope
from data.verification import queries as reads
from vision.scans.images import decode_image
from vision.scans.pen import PenTrace, pen_trace
from vision.scans.preprocess import to_ink
from vision.verification.conditions import Compared, Reading, compare_scan, habits_of
from vision.verification.likelihood import Calibration
from vision.verification.verification_tools import Tools
from vision.verification.verify import FEWEST_REFERENCES, Verification, fit_writer_model

_ALL = Scope.system()
ON_SCREEN = "screen_references"
"""Reason of an outcome where the references were signed on a screen: a questioned signature counts as one on
paper, and no error rate is known across the two."""


@dataclass(frozen=True)
class Found:
    """Outcome of the comparison, with what the store wants beside it."""

    verification: Verification
    outcome: str
    reason: str
    enrolment_id: int | None
    reference_ids: list[str]
    calibration: Calibration
    findings: tuple[Finding, ...]


def compare(
    store: Store, tools: Tools, own: pd.DataFrame, key: str, pixels: np.ndarray, reading: Reading
) -> Found:
    """What checks, references and scores say together; the checks have the first word."""
    held = reads.enrolments(store, _ALL, key=key)
    row = None if held.empty else held.iloc[0]
    referred = [] if row is None else row["reference_ids"]
    ids, vectors = reads.descriptors(store, tools.descriptor_id, referred)
    calibration = tools.ground.calibration_for(len(ids))
    enough = len(ids) >= FEWEST_REFERENCES
    referred_to = own[own["specimen_id"].isin(ids)]
    compared = compare_scan(
        pixels,
        reading,
        describe=lambda one: _vector(tools, one),
        model=fit_writer_model(vectors, tools.ground.background, key) if enough else None,
        references=len(ids),
        calibration=calibration,
        reference_pens=_pens(store, tools, ids) if enough else (),
        habits=habits_of(referred_to["quality"].tolist()),
    )
    if (referred_to["medium"] == SCREEN).any():
        compared = _unproven(compared)
    outcome, reason = _with_enrolment(compared, row, tools)
    number = None if row is None else int(row["enrolment_id"])
    return Found(compared.verification, outcome, reason, number, ids, calibration, compared.findings)


def _unproven(compared: Compared) -> Compared:
    """Without an outcome, and without a score or ratio that somebody could read as one."""
    said = replace(compared.verification, outcome="inconclusive", score=None, log10_lr=None)
    return replace(compared, verification=said, outcome="inconclusive", reason=ON_SCREEN)


def _with_enrolment(compared: Compared, row, tools: Tools) -> tuple[str, str]:
    """Outcome and reason; who is not enrolled, or by an earlier method, is told that first."""
    if row is None:
        return "inconclusive", "not_enrolled"
    if row["descriptor_id"] != tools.descriptor_id:
        return "inconclusive", "enrolment_outdated"
    return compared.outcome, compared.reason


def _vector(tools: Tools, ink: np.ndarray) -> np.ndarray:
    """A descriptor as the store would give it back; zeros without ink."""
    return tools.descriptor.describe([ink])[0].astype(np.float16).astype(np.float32) * ink.any()


def _pens(store: Store, tools: Tools, ids: list[str]) -> list[PenTrace]:
    for one in ids:
        if one not in tools.pens:
            tools.pens[one] = pen_trace(to_ink(decode_image(queries.specimen_image(store, one, _ALL))))
    return [tools.pens[one] for one in ids]
