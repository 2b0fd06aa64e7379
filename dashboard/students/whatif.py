"""What a score would be had the last term gone otherwise, from what was stored with it. Pure functions.

The signature's part of a fused score does not depend on the levers: it stays as stored, and only the change
in the records' part is added to the stored margin. So no embedding is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.queries import StoredExplanation
from data.records.course_results import GradeRules
from fusion.explanation.levers import NOT_STUDIED, OF_COURSES, USUAL, applied, courses_for, gpa_room
from fusion.explanation.whatif import moved, possible, score_changes
from fusion.features.fuse import no_signatures
from fusion.features.rows import Rows
from fusion.model.risk_model import RiskModel, band_of

__all__ = ["Changed", "Settled", "changed_score", "levers", "moved", "of_one_term", "stored_row", "studied"]

Span = tuple[float, float, float]
GPA = "gpa_last"
_TOLD = 0.005  # grade points that two decimals cannot tell apart
_SAME = 1e-6
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


@dataclass(frozen=True)
class Settled:
    """Where the levers stand.

    Parameters
    ----------
    changes : dict of str to float
        Lever → value, of those away from the present value.
    stands : dict of str to float
        Every lever → value.
    took : tuple of str
        Levers that were taken along, since what was chosen is not possible together.
    """

    changes: dict[str, float]
    stands: dict[str, float]
    took: tuple[str, ...] = ()


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


def levers(row: Rows) -> dict[str, Span]:
    """What can be tried for a row: name → (present value, lowest, highest)."""
    return {name: span for name, span in possible(row.table.iloc[0]).items() if span[2] > span[1]}


def of_one_term(known: dict[str, Span], terms: pd.DataFrame, as_of_index: int) -> dict[str, Span]:
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
    if not studied_in(terms, as_of_index):
        return {}
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
    row: Rows, known: dict[str, Span], chosen: dict[str, float], rules: GradeRules = USUAL
) -> Settled:
    """The levers that somebody has moved, and where every lever then stands.

    A lever that follows another one stands where that one has taken it. Where the GPA and the courses are not
    possible together, the one moved last holds and the other one goes to the nearest value that is possible.
    Of two levers of courses the one moved last holds.

    Parameters
    ----------
    row : Rows
        From :func:`stored_row`.
    known : dict
        Of :func:`levers`.
    chosen : dict of str to float
        Lever → value, the one moved last at the end; the present value too, where a lever was moved back.
    rules : GradeRules
        Of the institution.
    """
    now = row.table.iloc[0].to_dict()
    changes = _without_contradicted(now, chosen, rules)
    took = []
    follows = _follows(known, changes)
    if GPA in changes and follows is not None:
        rest = {name: value for name, value in changes.items() if name != GPA}
        low, high, _ = gpa_room(now, rest, rules)
        if not low - _TOLD <= changes[GPA] <= high + _TOLD:
            stood = applied(dict(now), rest, rules)[follows]
            changes[follows] = courses_for(now, changes, follows, rules)
            took += [follows] * (abs(changes[follows] - stood) > _SAME)
    then = applied(dict(now), changes, rules)
    if GPA in changes and abs(then[GPA] - changes[GPA]) > _SAME:
        took, changes[GPA] = [*took, GPA], then[GPA]
    return Settled(_moved_away(changes, known), {name: float(then[name]) for name in known}, tuple(took))


def _follows(known: dict[str, Span], changes: dict[str, float]) -> str | None:
    """The lever of courses that goes along with the GPA; None where it was moved after the GPA, and holds."""
    order = [name for name in changes if name in (GPA, *OF_COURSES)]
    if len(order) > 1:
        return order[0] if order[-1] == GPA else None
    return next((name for name in OF_COURSES if name in known), None)


def _without_contradicted(now: dict, chosen: dict[str, float], rules: GradeRules) -> dict[str, float]:
    """Without the lever of courses that another one, moved later, has undone."""
    courses = [name for name in chosen if name in OF_COURSES]
    then = applied(dict(now), {name: chosen[name] for name in courses}, rules)
    undone = any(abs(then[name] - chosen[name]) > _SAME for name in courses)
    return {name: value for name, value in chosen.items() if not (undone and name == courses[0])}


def _moved_away(changes: dict[str, float], known: dict[str, Span]) -> dict[str, float]:
    """Without what is the present value; of the GPA it is a change where the courses would take it along."""
    away = {name for name, value in changes.items() if abs(value - known[name][0]) > _SAME}
    held = {GPA} if away & set(OF_COURSES) else set()
    return {name: value for name, value in changes.items() if name in away | held}


def studied(row: Rows) -> bool:
    """Whether anything was studied in the last term: on leave or not registered there is nothing to move."""
    return "status_last" not in row.table or row.table["status_last"].iloc[0] not in NOT_STUDIED


def room_of(
    row: Rows, known: dict[str, Span], changes: dict[str, float], rules: GradeRules = USUAL
) -> tuple[float, float, bool] | None:
    """What the GPA can be as the courses stand (:func:`fusion.explanation.levers.gpa_room`).

    None where the two are not both levers.
    """
    if GPA not in known or not set(OF_COURSES) & set(known):
        return None
    rest = {name: value for name, value in changes.items() if name != GPA}
    return gpa_room(row.table.iloc[0].to_dict(), rest, rules)


def studied_in(terms: pd.DataFrame, as_of_index: int) -> bool:
    """The same by the register's rows: a model that met few terms of a status has no name for it."""
    last = terms[terms["term_index"] == as_of_index]
    return last.empty or "status" not in last or not last["status"].isin(NOT_STUDIED).all()


def changed_score(
    model: RiskModel,
    row: Rows,
    stored: StoredExplanation,
    changes: dict[str, float],
    rules: GradeRules = USUAL,
) -> Changed:
    """The score with the levers at other values.

    Parameters
    ----------
    row : Rows
        From :func:`stored_row`.
    changes : dict of str to float
        Lever → value; empty gives the stored score.
    rules : GradeRules
        Of the institution.
    """
    if not changes:
        return Changed(*map(_end, (stored.score[name] for name in RANGE)), stored.score["band"])
    target = stored.score["target"]
    frame = score_changes(model, row, target, [{}, changes], rules)
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
