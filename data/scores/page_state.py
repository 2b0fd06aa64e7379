"""SELECTs that only pages ask: what changed since the last look, the term before, many reasons at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import case, exists, func, select

from data import schema
from data.calendar.setting import NAME, SETTINGS
from data.engine.bulk import fetch, fetch_by_keys
from data.engine.database import Store
from data.records.course_results import SETTING as GRADE_RULES
from data.scores.standing import still_open
from data.signatures.findings import found_codes, read_findings
from data.trust import origin
from data.trust.scope import Scope
from data.trust.scoping import aggregable, visible

SERVED_RULE = "served_rule"  # fact: the targets that are told by the credits-and-GPA rule
CALENDAR = ("start_month", "closing_months")  # settings by which figures change


@dataclass(frozen=True)
class StoreState:
    """What every page must know before it is drawn.

    Parameters
    ----------
    version : str
        A short text that changes with every import and undo, scoring, change of the served model or
        of what the rule is served for, erasure, and change of the calendar or of how grades count.
    model : str or None
        Name of the served model.
    origin : str
        Whose people it holds (:mod:`data.trust.origin`).
    empty : bool
        Whether there is no student yet.
    time_zone : str
        IANA name of the institution's clock, as the settings say it; empty where they do not.
    described : str
        Changes whenever the institution is described otherwise: its name, clock, place, who signs.
    """

    version: str
    model: str | None
    origin: str
    empty: bool
    time_zone: str = ""
    described: str = ""


def store_state(store: Store) -> StoreState:
    """The state of the store, by one question."""
    imports, scores, models, erasures = schema.imports, schema.scores, schema.models, schema.erasures
    served = select(func.max(models.c.model_version)).where(models.c.status == "served")
    parts = (
        select(func.max(imports.c.finished_at)).scalar_subquery(),
        select(func.max(scores.c.score_id)).scalar_subquery(),
        served.scalar_subquery(),
        select(func.count()).select_from(erasures).scalar_subquery(),
        select(func.max(imports.c.undone_at)).scalar_subquery(),
        _fact(origin.MARK),
        origin.holds_undeclared(),
        exists().where(schema.students.c.student_key.is_not(None)),
        _fact(SETTINGS),
        _fact(NAME),
        _fact(SERVED_RULE),
        _fact(GRADE_RULES),
    )
    with store.reading() as connection:
        row = connection.execute(select(*parts)).one()
    finished, score, model, erased, undone, mark, undeclared, filled, settings, named, ruled, grades = row
    finished = max(filter(None, (finished, undone)), default=None)
    when = "0" if finished is None else f"{finished:%Y%m%d%H%M%S%f}"
    version = f"{when}-{score or 0}-{erased}" + (f"-{model}" if model else "")
    version += "".join(f"-{name}={settings[name]}" for name in CALENDAR if name in (settings or {}))
    version += "".join(f"-rule={target}" for target in sorted(ruled or ()))
    version += "".join(f"-{name}={value}" for name, value in sorted((grades or {}).items()))
    zone = (settings or {}).get("time_zone") or ""
    told = json.dumps([settings, named], sort_keys=True)
    described = hashlib.sha256(told.encode()).hexdigest()[:12]
    return StoreState(version, model, origin.named(mark, undeclared), not filled, zone, described)


def _fact(name: str):
    facts = schema.store_facts
    return select(facts.c.value).where(facts.c.name == name).scalar_subquery()


def data_version(store: Store) -> str:
    """:attr:`StoreState.version` alone."""
    return store_state(store).version


def previous_cube(store: Store, scope: Scope, target: str) -> pd.DataFrame:
    """``program_code, cohort_term, band, students``: today's students by the band of the term before.

    Students without an earlier score, and those for whom the target is no risk any more, are left out.
    """
    table = schema.risk_current
    groups = (table.c.program_code, table.c.cohort_term, table.c.previous_band.label("band"))
    wanted = (table.c.target == target, table.c.previous_band.is_not(None), *aggregable(scope, table))
    with store.reading() as connection:
        statement = (
            select(*groups, func.count().label("students"))
            .where(*wanted, *still_open(connection, table, target))
            .group_by(*groups)
        )
        return fetch(connection, statement)


def advisor_load(store: Store, scope: Scope, target: str) -> pd.DataFrame:
    """``program_code, cohort_term, advisor, students, at_risk``: current students of each advisor, and how
    many of them are in the bands high and very high."""
    table = schema.risk_current
    groups = (table.c.program_code, table.c.cohort_term, table.c.advisor)
    risky = func.sum(case((table.c.band.in_(("high", "very_high")), 1), else_=0))
    wanted = (table.c.target == target, table.c.advisor.is_not(None), *aggregable(scope, table))
    with store.reading() as connection:
        statement = (
            select(*groups, func.count().label("students"), risky.label("at_risk"))
            .where(*wanted, *still_open(connection, table, target))
            .group_by(*groups)
        )
        return fetch(connection, statement)


def risk_lines(store: Store, scope: Scope, target: str, keys: Sequence[str]) -> pd.DataFrame:
    """``student_key, as_of_index, risk`` of the given students under the served model, in order of time."""
    table, owner, model = schema.scores, schema.students, schema.models
    statement = (
        select(table.c.student_key, table.c.as_of_index, table.c.risk)
        .join(owner, owner.c.student_key == table.c.student_key)
        .join(model, model.c.model_version == table.c.model_version)
        .where(table.c.target == target, model.c.status == "served", *visible(scope))
    )
    with store.reading() as connection:
        found = fetch_by_keys(connection, statement, table.c.student_key, list(keys))
    return found.sort_values(["student_key", "as_of_index"], ignore_index=True)


def scored_at(store: Store, scope: Scope, score_ids: Sequence[int]) -> dict[int, datetime]:
    """When each of the given scores was made (UTC), by its id."""
    table, owner = schema.scores, schema.students
    statement = (
        select(table.c.score_id, table.c.scored_at)
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(*visible(scope))
    )
    with store.reading() as connection:
        found = fetch_by_keys(connection, statement, table.c.score_id, [int(one) for one in score_ids])
    return dict(zip(found["score_id"], found["scored_at"], strict=True))


def explanations(store: Store, scope: Scope, score_ids: Sequence[int]) -> pd.DataFrame:
    """``score_id, modality, base_value, phi, inputs`` of the given scores; the last two as float32 arrays."""
    table, owner, why = schema.scores, schema.students, schema.explanations
    statement = (
        select(table.c.score_id, table.c.modality, why.c.base_value, why.c.phi, why.c.inputs)
        .join(why, why.c.score_id == table.c.score_id)
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(*visible(scope))
    )
    with store.reading() as connection:
        found = fetch_by_keys(connection, statement, table.c.score_id, [int(one) for one in score_ids])
    for name in ("phi", "inputs"):
        found[name] = [np.frombuffer(value, dtype="<f4") for value in found[name]]
    return found


def specimen_counts(store: Store, scope: Scope) -> dict[str, int]:
    """``specimens, students, enough`` (students with three or more), ``checked, found`` (specimens)."""
    table, owner, findings = schema.specimens, schema.students, schema.specimen_findings
    n = func.count().label("n")
    each = select(n).join_from(table, owner, owner.c.student_key == table.c.student_key)
    each = each.where(*visible(scope)).group_by(table.c.student_key).subquery()
    enough = func.sum(case((each.c.n >= 3, 1), else_=0))
    listed = select(findings.c.code, func.count())
    if visible(scope):
        listed = listed.join(table, table.c.specimen_id == findings.c.specimen_id)
        listed = listed.join(owner, owner.c.student_key == table.c.student_key).where(*visible(scope))
    codes = (schema.CHECKED, schema.ANY_FINDING)
    with store.reading() as connection:
        sums = (func.sum(each.c.n), func.count(), enough)
        specimens, students, many = connection.execute(select(*sums).select_from(each)).one()
        grouped = listed.where(findings.c.code.in_(codes)).group_by(findings.c.code)
        counted = dict(connection.execute(grouped).tuples().all())
    return {
        "specimens": int(specimens or 0), "students": students, "enough": int(many or 0),
        "checked": counted.get(schema.CHECKED, 0), "found": counted.get(schema.ANY_FINDING, 0),
    }  # fmt: skip


def specimen_list(
    store: Store, scope: Scope, *, finding: str | None = None, context: str | None = None, limit: int = 200
) -> pd.DataFrame:
    """The newest specimens with their findings and, where ``scope`` may identify, whose they are.

    Parameters
    ----------
    finding : str, optional
        A check's code, or "any" for every specimen with a finding.
    context : str, optional
        One of :data:`data.columns.SPECIMEN_CONTEXTS`.
    limit : int
        At most this many rows.

    Returns
    -------
    DataFrame
        ``specimen_id, student_key, captured_on, context, width, height, dpi, quality, medium``,
        ``found`` (codes), and ``student_number, name``.
    """
    table, identity = schema.specimens, schema.identities
    names = (
        "specimen_id",
        "student_key",
        "captured_on",
        "context",
        "width",
        "height",
        "dpi",
        "quality",
        "medium",
    )
    newest = _newest(scope, finding, context, limit).subquery()
    columns = [table.c[name] for name in names]
    statement = select(*columns).join(newest, newest.c.specimen_id == table.c.specimen_id)
    if scope.may_identify:
        statement = statement.outerjoin(identity, identity.c.student_key == table.c.student_key)
        statement = statement.add_columns(identity.c.student_number, identity.c.name)
    with store.reading() as connection:
        found = fetch(connection, statement.order_by(table.c.captured_on.desc(), table.c.specimen_id.desc()))
    found["found"] = [found_codes(read_findings(quality)) for quality in found["quality"]]
    return found


def _newest(scope: Scope, finding: str | None, context: str | None, limit: int):
    """Ids of the newest specimens, from an index in the order wanted."""
    table, owner, findings = schema.specimens, schema.students, schema.specimen_findings
    source = table if finding is None else findings
    statement = select(source.c.specimen_id)
    if finding is not None:
        statement = statement.where(findings.c.code == finding)
    if context is not None or visible(scope):
        if finding is not None:
            statement = statement.join(table, table.c.specimen_id == findings.c.specimen_id)
        statement = statement.join(owner, owner.c.student_key == table.c.student_key).where(*visible(scope))
    if context is not None:
        statement = statement.where(table.c.context == context)
    return statement.order_by(source.c.captured_on.desc(), source.c.specimen_id.desc()).limit(limit)


def same_file_twice(store: Store, scope: Scope, limit: int = 100) -> pd.DataFrame:
    """Files that stand under more than one student: ``sha256, specimen_id, student_key, captured_on`` and,
    where ``scope`` may identify, ``student_number, name``."""
    table, owner, identity = schema.specimens, schema.students, schema.identities
    shared = (
        select(table.c.sha256)
        .group_by(table.c.sha256)
        .having(func.count(table.c.student_key.distinct()) > 1)
        .limit(limit)
    )
    columns = [table.c[name] for name in ("sha256", "specimen_id", "student_key", "captured_on")]
    joined = table.join(owner, owner.c.student_key == table.c.student_key)
    if scope.may_identify:
        joined = joined.outerjoin(identity, identity.c.student_key == table.c.student_key)
        columns += [identity.c.student_number, identity.c.name]
    statement = select(*columns).select_from(joined).where(table.c.sha256.in_(shared), *visible(scope))
    with store.reading() as connection:
        return fetch(connection, statement.order_by(table.c.sha256, table.c.student_key))
