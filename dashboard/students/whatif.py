"""What a score would be had the last term gone otherwise, from what was stored with it. Pure functions.

The signature's part of a fused score does not depend on the levers: it stays as stored, and only the change
in the records' part is added to the stored margin. So no embedding is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.queries import StoredExplanation
from fusion.explanation.levers import NOT_STUDIED, applied
from fusion.explanation.whatif import moved, possible, score_changes
from fusion.features.fuse import no_signatures
from fusion.features.rows import Rows
from fusion.model.risk_model import RiskModel, band_of

__all__ = ["Changed", "changed_score", "levers", "moved", "of_one_term", "stored_row", "studied"]


RANGE = ("risk", "risk_low", "risk_high")
SHARES = {"attendance_last": 100.0}
"""Levers that are shares, and what they are shown as shares of."""
STEPS = {"attendance_last": 1.0, "gpa_last": 0.05, "arrears_last": 5.0}
LONGEST_ARREARS = 365.0
"""Days; a slider over years could not be set."""
COLUMN_OF = {  # lever → column of the terms that gives its value
    "attendance_last": "attendance_rate",
    "arrears_last": "tuition_arrears_days",
    "failed_last": "courses_failed",
    "gpa_last": "gpa_term",
    "credits_last": "credits_passed",
}


@dataclass(frozen=True)
class Changed:
    """A score as it would be: risk and range in 0–1 (NaN: nobody to count), and the band."""

    risk: float
    low: float
    high: float
    band: str


def stored_row(model: RiskModel, stored: StoredExplanation) -> Rows:
    """The feature row behind a stored score, without its signature.

    Parameters
    ----------
    model : RiskModel
        The model that made the score.
    stored : StoredExplanation
        With the ``inputs`` of the score.
    """
    names = list(model.encoder.names)
    values = {name: [model.encoder.value(name, stored.inputs[i])] for i, name in enumerate(names)}
    table = pd.DataFrame(
        {
            name: value if name in model.encoder.categories else np.array(value, dtype=float)
            for name, value in values.items()
        }
    )
    meta = pd.DataFrame(
        {
            "student_key": [stored.score["student_key"]],
            "as_of_index": [int(stored.score["as_of_index"])],
            "program_code": [str(values.get("program_code", [""])[0])],
            "cohort_term": [0],
            "cutoff": [pd.NaT],
        }
    )
    return Rows(table, meta, no_signatures(), np.array([-1]))


def levers(row: Rows) -> dict[str, tuple[float, float, float]]:
    """What can be tried for a row: name → (present value, lowest, highest)."""
    return {name: span for name, span in possible(row.table.iloc[0]).items() if span[2] > span[1]}


def of_one_term(
    known: dict[str, tuple[float, float, float]], terms: pd.DataFrame, as_of_index: int
) -> dict[str, tuple[float, float, float]]:
    """Those levers whose present value comes from the term that the score follows.

    A feature of the last term is the newest value on record, which may be older: of a term without a row, or
    with an empty cell, there is nothing to move, and moving an earlier term would mix the two.

    Parameters
    ----------
    known : dict
        From :func:`levers`.
    terms : DataFrame
        The student's rows (:func:`data.queries.term_rows`): ``term_index`` and the register's columns.
    as_of_index : int
        Of the score: regular terms completed.
    """
    last = terms[terms["term_index"] == as_of_index]
    told = {name for name in known if COLUMN_OF[name] in last and last[COLUMN_OF[name]].notna().any()}
    return {name: span for name, span in known.items() if name in told}


def scale_of(name: str, span: tuple[float, float, float]) -> tuple[float, float, float, float, int]:
    """The scale that a lever is shown on.

    Parameters
    ----------
    name : str
    span : tuple of float
        Of :func:`levers`.

    Returns
    -------
    (now, low, high, step, digits)
        ``now`` is what the record says, whether it is a multiple of the step or not.
    """
    now, low, high = (SHARES.get(name, 1.0) * value for value in span)
    if name == "arrears_last":
        high = min(high, max(LONGEST_ARREARS, now))
    digits = 2 if name == "gpa_last" else 0 if name in SHARES or float(now).is_integer() else 1
    return now, min(low, now), max(high, now), STEPS.get(name, 1.0), digits


def settled(
    row: Rows, known: dict[str, tuple[float, float, float]], chosen: dict[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """The levers that somebody has moved, and where every lever then stands.

    A lever that follows another one stands where that one has taken it. Where two that were moved contradict
    each other, the one moved last holds.

    Parameters
    ----------
    row : Rows
        From :func:`stored_row`.
    known : dict
        Of :func:`levers`.
    chosen : dict of str to float
        Lever → value, the one moved last at the end.

    Returns
    -------
    (changes, stands)
        Lever → value; ``changes`` holds those moved away from the present value that still stand there.
    """
    now = row.table.iloc[0].to_dict()
    changes = {name: value for name, value in chosen.items() if value != known[name][0]}
    while True:
        then = applied(dict(now), changes)
        undone = [name for name, value in changes.items() if abs(then[name] - value) > 1e-6]
        if not undone:
            return changes, {name: float(then[name]) for name in known}
        first = next(name for name in changes)
        changes.pop(first if len(changes) > 1 else undone[0])


def studied(row: Rows) -> bool:
    """Whether anything was studied in the last term: on leave or not registered there is nothing to move."""
    return "status_last" not in row.table or row.table["status_last"].iloc[0] not in NOT_STUDIED


def changed_score(
    model: RiskModel, row: Rows, stored: StoredExplanation, changes: dict[str, float]
) -> Changed:
    """The score with the levers at other values.

    Parameters
    ----------
    row : Rows
        From :func:`stored_row`.
    changes : dict of str to float
        Lever → value; empty gives the stored score.
    """
    if not changes:
        return Changed(*map(_end, (stored.score[name] for name in RANGE)), stored.score["band"])
    target = stored.score["target"]
    frame = score_changes(model, row, target, [{}, changes])
    after = frame.iloc[1]
    if stored.score["modality"] == "records":
        return Changed(*map(_end, (after[name] for name in RANGE)), after["band"])
    part = model.targets[target]
    margin = stored.score["margin"] + float(after["margin"] - frame.iloc[0]["margin"])
    risk = part.signature.calibrator.risk(np.array([margin]))
    low, high = part.signature.calibrator.interval(risk, row.as_of)
    return Changed(float(risk[0]), float(low[0]), float(high[0]), str(band_of(risk, part.bands)[0]))


def _end(value: float | None) -> float:
    return float("nan") if value is None else float(value)
