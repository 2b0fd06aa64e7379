"""Single scores: who is at risk, of those whom a token reaches, while a model may speak about it."""

from __future__ import annotations

import pandas as pd

from dashboard.shell import stores
from dashboard.shell.service.answers import Score, ScoreQuery, Scores
from dashboard.shell.service.problems import Problem
from data import queries
from data.trust.scope import Scope

COLUMNS = tuple(name for name in Score.model_fields if name != "student_number")


def scores(scope: Scope, asked: ScoreQuery) -> Scores:
    """A page of scores.

    Raises
    ------
    Problem
        ``no_model`` or ``model_unfit`` where no risk may be told; ``no_such_student``.
    """
    store, model = stores.store(), may_be_told(asked.target)
    narrowed: dict = {"program_code": asked.program, "cohort_term": asked.cohort, "band": asked.band}
    if asked.student is not None:
        narrowed["key"] = queries.find_student(store, scope, asked.student)
        if narrowed["key"] is None:
            raise Problem("no_such_student", "There is none, or the token's programmes do not reach it.")
    rows = queries.caseload(store, scope, asked.target, asked.limit, offset=asked.offset, **narrowed)
    rows["student_number"] = rows.get("student_number", pd.Series(None, index=rows.index, dtype=object))
    return Scores(
        target=asked.target,
        model_version=model,
        data_version=stores.data_version(),
        synthetic=stores.is_synthetic(),
        total=queries.caseload_size(store, scope, asked.target, **narrowed),
        limit=asked.limit,
        offset=asked.offset,
        rows=[_score(row) for row in rows.to_dict("records")],
    )


def may_be_told(target: str) -> str:
    """The model in service, when it may speak about a target.

    Raises
    ------
    Problem
    """
    silent, fitness = stores.unlearned(target)
    model = stores.served_version()
    if silent and fitness is not None:
        raise Problem(
            "model_unfit",
            f"{fitness.students} students of known outcome, {fitness.events} with the event, in "
            f"{fitness.cohorts} entry cohorts are too few to tell a risk of this kind ({fitness.reason}).",
        )
    if silent or model is None:
        raise Problem("no_model", "Train a model and put it into service first.")
    return model


def _score(row: dict) -> Score:
    told = {name: row[name] for name in COLUMNS} | {"student_number": row["student_number"]}
    return Score(**{name: None if pd.isna(value) else value for name, value in told.items()})
