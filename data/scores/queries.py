"""SELECTs of risk: caseloads and cubes by index, one student's history and explanation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Select, func, literal, select

from data import schema
from data.engine.bulk import fetch, fetch_by_keys, in_order_of
from data.engine.database import Store
from data.records.derived import NEWEST, current_model
from data.records.name_search import first_named, named
from data.records.spans import EVERYBODY, Span
from data.scores.standing import still_open
from data.trust.scope import Scope
from data.trust.scoping import aggregable, visible, within_programs

IDENTITY = ("student_number", "name")
MAX_ROWS = 500  # of a caseload in one answer; a page never needs more


@dataclass(frozen=True)
class StoredExplanation:
    """Why a model gave a score.

    Parameters
    ----------
    score : dict
        The row of ``scores``.
    base_value : float
        Expected margin (log-odds).
    phi : ndarray, (features,), float32
        SHAP values; ``base_value + phi.sum()`` is the score's margin.
    inputs : ndarray, (features,), float32
        Feature values, in the order of the model's features.
    """

    score: dict[str, Any]
    base_value: float
    phi: np.ndarray
    inputs: np.ndarray


def caseload(
    store: Store,
    scope: Scope,
    target: str,
    limit: int = 50,
    *,
    program_code: str | None = None,
    cohort_term: int | None = None,
    band: str | None = None,
    search: str | None = None,
    key: str | None = None,
    offset: int = 0,
) -> pd.DataFrame:
    """Enrolled students that ``scope`` may see and for whom the target still is a risk, by falling risk.

    The list of those who may be late ends at the normal time, that of drop-outs a term later
    (:func:`data.scores.standing.over`): :func:`data.scores.standing_queries.standing` has the others.

    Parameters
    ----------
    target : {"late", "dropout"}
        Which risk.
    limit : int
        At most this many rows, and never more than :data:`MAX_ROWS`.
    program_code, cohort_term, band : optional
        Filters.
    search : str, optional
        Beginnings of words of the name or student number; nobody is found unless
        ``scope.may_identify``.
    key : str, optional
        One student only.
    offset : int
        Rows to pass over.

    Returns
    -------
    DataFrame
        The columns of ``risk_current``; and, if ``scope.may_identify``, ``student_number, name``.
    """
    table = schema.risk_current
    with store.reading() as connection:
        conditions = _filters(connection, scope, target, program_code, cohort_term, band, search, key)
        page = (
            select(table)
            .where(*conditions, *still_open(connection, table, target))
            .order_by(table.c.risk.desc(), table.c.student_key)
            .limit(max(0, min(limit, MAX_ROWS)))
            .offset(max(0, offset))
        )
        return fetch(connection, _identified(page, scope))


def caseload_size(
    store: Store,
    scope: Scope,
    target: str,
    *,
    program_code: str | None = None,
    cohort_term: int | None = None,
    band: str | None = None,
    search: str | None = None,
    key: str | None = None,
) -> int:
    """How many students :func:`caseload` would list without a limit."""
    table = schema.risk_current
    with store.reading() as connection:
        conditions = _filters(connection, scope, target, program_code, cohort_term, band, search, key)
        conditions += still_open(connection, table, target)
        return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def cohort_cube(store: Store, scope: Scope, target: str, as_of_index: int = NEWEST) -> pd.DataFrame:
    """Counts by programme, cohort and band under the current model.

    Parameters
    ----------
    as_of_index : int
        -1: each enrolled student's newest score, while the target still is a risk; 0 or more: every student
        scored at that index.

    Returns
    -------
    DataFrame
        ``program_code, cohort_term, band, students, risk_sum`` (the expected number of events).
    """
    with store.reading() as connection:
        model = current_model(connection)
        if scope.own_students_only:
            now = still_open(connection, schema.risk_current, target)
            statement = _own_cube(scope, target, as_of_index, model, now)
        else:
            cube = schema.risk_cube
            names = ("program_code", "cohort_term", "band", "students", "risk_sum")
            keys = [cube.c.model_version == model, cube.c.target == target]
            keys += still_open(connection, cube, target) if as_of_index == NEWEST else []
            statement = select(*(cube.c[name] for name in names)).where(
                *keys, cube.c.as_of_index == as_of_index, *within_programs(scope, cube)
            )
        return fetch(connection, statement.order_by("program_code", "cohort_term", "band"))


def search_students(store: Store, scope: Scope, text: str, limit: int = 20) -> pd.DataFrame:
    """Students whose name or number has words that begin with those of ``text``, enrolled or not.

    ``student_key, student_number, name, program_code, cohort_term``; no row unless ``scope.may_identify``.
    """
    table, identity = schema.students, schema.identities
    statement = (
        select(
            table.c.student_key,
            identity.c.student_number,
            identity.c.name,
            table.c.program_code,
            table.c.cohort_term,
        )
        .join(identity, identity.c.student_key == table.c.student_key)
        .order_by(table.c.student_key)
    )
    reached = select(table.c.student_key).where(*visible(scope))
    with store.reading() as connection:
        keys = first_named(connection, scope, text, reached, max(0, min(limit, MAX_ROWS)))
        found = fetch_by_keys(connection, statement, table.c.student_key, keys)
    return in_order_of(found, keys)


def score_history(store: Store, scope: Scope, key: str) -> pd.DataFrame:
    """One student's scores under every model, by model and as-of index: the columns of ``scores``, and
    ``status`` of the model ("served", …)."""
    table, owner, model = schema.scores, schema.students, schema.models
    statement = (
        select(table, model.c.status)
        .join(owner, owner.c.student_key == table.c.student_key)
        .join(model, model.c.model_version == table.c.model_version)
        .where(table.c.student_key == key, *visible(scope))
        .order_by(model.c.created_at, table.c.target, table.c.as_of_index)
    )
    with store.reading() as connection:
        return fetch(connection, statement)


def scores(store: Store, model_version: str, target: str, as_of_index: int | None = None) -> pd.DataFrame:
    """Every score of a model and target, for evaluation and drift: the columns of ``scores``. No scope."""
    table = schema.scores
    statement = select(table).where(table.c.model_version == model_version, table.c.target == target)
    if as_of_index is not None:
        statement = statement.where(table.c.as_of_index == as_of_index)
    with store.reading() as connection:
        return fetch(connection, statement.order_by(table.c.student_key, table.c.as_of_index))


def scored_keys(
    store: Store, model_version: str, target: str, as_of_index: int, span: Span = EVERYBODY
) -> set[str]:
    """The students who have a score of a model, target and as-of index. No scope."""
    table = schema.scores
    statement = select(table.c.student_key).where(
        table.c.model_version == model_version,
        table.c.target == target,
        table.c.as_of_index == as_of_index,
        *span.holds(table.c.student_key),
    )
    with store.reading() as connection:
        return set(connection.scalars(statement))


def explanation(store: Store, scope: Scope, score_id: int) -> StoredExplanation | None:
    """Why a score is what it is; None when there is none or ``scope`` does not reach the student."""
    table, owner, why = schema.scores, schema.students, schema.explanations
    statement = (
        select(table, why.c.base_value, why.c.phi, why.c.inputs)
        .join(why, why.c.score_id == table.c.score_id)
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(table.c.score_id == int(score_id), *visible(scope))
    )
    with store.reading() as connection:
        row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    score = {column.name: row[column.name] for column in table.columns}
    phi, inputs = (np.frombuffer(row[name], dtype="<f4").copy() for name in ("phi", "inputs"))
    return StoredExplanation(score, row["base_value"], phi, inputs)


def _filters(
    connection, scope, target, program_code, cohort_term, band, search, key
) -> list[ColumnElement[bool]]:
    table = schema.risk_current
    conditions = [table.c.target == target, *visible(scope, table)]
    wanted = {"program_code": program_code, "cohort_term": cohort_term, "band": band, "student_key": key}
    conditions += [table.c[name] == value for name, value in wanted.items() if value is not None]
    if search and search.strip():
        conditions.append(named(connection, scope, search, table.c.student_key))
    return conditions


def _identified(page: Select, scope: Scope) -> Select:
    # The limit is applied before the join: only the rows of the page are looked up.
    rows, identity = page.subquery(), schema.identities
    columns: list[ColumnElement] = list(rows.c)
    if not scope.may_identify:
        listed = select(*columns)
    else:
        columns += [identity.c[name] for name in IDENTITY]
        joined = rows.outerjoin(identity, identity.c.student_key == rows.c.student_key)
        listed = select(*columns).select_from(joined)
    return listed.order_by(rows.c.risk.desc(), rows.c.student_key)


def _own_cube(scope: Scope, target: str, as_of_index: int, model: str | None, open_now) -> Select:
    """The cube of one advisor's students; few enough to count."""
    table, owner = schema.scores, schema.students
    if as_of_index == NEWEST:
        now = schema.risk_current
        groups = (now.c.program_code, now.c.cohort_term, now.c.band)
        sums = _sums(now.c.risk)
        wanted = (now.c.target == target, *aggregable(scope, now), *open_now)
        return select(*groups, *sums).where(*wanted).group_by(*groups)
    groups = (owner.c.program_code, owner.c.cohort_term, table.c.band)
    return (
        select(*groups, *_sums(table.c.risk))
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(
            table.c.model_version == literal(model),
            table.c.target == target,
            table.c.as_of_index == as_of_index,
            *aggregable(scope),
        )
        .group_by(*groups)
    )


def _sums(risk) -> tuple:
    return func.count().label("students"), func.sum(risk).label("risk_sum")
