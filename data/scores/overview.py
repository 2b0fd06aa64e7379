"""SELECTs for overviews: counts from the derived cubes, student flow, imports, models."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Integer, Select, Text, case, cast, func, select

from data import schema
from data.calendar.setting import study_calendar
from data.columns import DROPOUT_EXITS, REGISTERED
from data.engine.bulk import all_columns, fetch, fetch_by_keys
from data.engine.database import Store
from data.records.derived import flow_rows, term_rows
from data.records.told_terms import told_averages
from data.trust.scope import Scope
from data.trust.scoping import aggregable, within_programs


@dataclass(frozen=True)
class StoredModel:
    """A registered model.

    Parameters
    ----------
    version : str
        Its name.
    created_at : datetime
        UTC.
    status : {"candidate", "served", "retired"}
        Whether its scores are the ones that pages show.
    folder : str
        Name of its folder below ``store.models_folder``.
    manifest : dict
        Data hash, code version, metrics, features, band edges.
    """

    version: str
    created_at: datetime
    status: str
    folder: str
    manifest: dict[str, Any]


def flow_counts(store: Store, scope: Scope) -> pd.DataFrame:
    """Students by entry, state and time to exit.

    ``program_code, cohort_term, entry_type`` ("" unknown), ``state`` (an exit type or "enrolled"),
    ``terms_to_exit`` (-1 unknown or enrolled), ``students``.
    """
    with store.reading() as connection:
        if scope.own_students_only:
            own = flow_rows(aggregable(scope))
            return fetch(connection, own.order_by(*own.selected_columns[:5]))
        cube = schema.flow_cube
        return fetch(connection, select(cube).where(*within_programs(scope, cube)).order_by(*cube.c))


def kpi_counts(store: Store, scope: Scope) -> dict[str, int]:
    """``students, enrolled, graduated, dropout, transferred, deceased`` in all, over what scope may count."""
    flow = _flow_by(store, scope, "state").set_index("state")["students"]
    figures = {name: int(flow.get(name, 0)) for name in ("enrolled", "graduated", "transferred", "deceased")}
    figures["dropout"] = int(sum(flow.get(name, 0) for name in DROPOUT_EXITS))
    return {"students": int(flow.sum()), **figures}


def exits_by_type(store: Store, scope: Scope) -> pd.DataFrame:
    """``program_code, cohort_term, state, students``: the present state of each entry cohort."""
    return _flow_by(store, scope, "program_code", "cohort_term", "state")


def retention(store: Store, scope: Scope) -> pd.DataFrame:
    """What became of each entry cohort, term by term.

    Returns
    -------
    DataFrame
        ``program_code, cohort_term, term_index``; ``entrants`` (size of the cohort at entry, always whole),
        ``active`` (studying: status A, G, M or U), ``on_leave``, ``inactive``, ``graduated`` (in an earlier
        term), ``retained`` = active + on_leave + graduated, ``rate`` = retained / entrants, ``gpa_mean``
        (cumulative), ``gpa_rows`` (students behind it). Only terms that the register has reached for the
        cohort.
    """
    keys = ["program_code", "cohort_term"]
    flow = _flow_by(store, scope, *keys, "state", "terms_to_exit")
    with store.reading() as connection:
        own = scope.own_students_only
        rows = term_rows(aggregable(scope)) if own else _cube(scope)
        table = fetch(connection, _terms_by_index(rows))
        if own:  # the cube holds them
            table = _with_averages(table, told_averages(connection, aggregable(scope)))
    table["gpa_mean"] = table.pop("gpa_sum") / table["gpa_rows"].where(table["gpa_rows"] > 0)
    table["entrants"] = _per_cohort(table, keys, flow)
    left = flow[(flow["state"] == "graduated") & (flow["terms_to_exit"] >= 0)]
    left = left.assign(term_index=left["terms_to_exit"] + 1)  # gone from the term after the last one on
    table["graduated"] = _running(table, keys, left)
    table["retained"] = table["active"] + table["on_leave"] + table["graduated"]
    table["rate"] = table["retained"] / table["entrants"]
    order = ["entrants", "active", "on_leave", "inactive", "graduated", "retained", "rate"]
    order += ["gpa_mean", "gpa_rows"]
    return table[[*keys, "term_index", *order]].sort_values([*keys, "term_index"], ignore_index=True)


def last_closed_term(store: Store, scope: Scope) -> int | None:
    """The newest regular term whose exits the register can show: closed on the last day that it tells of.

    None for a register that tells of no day. The same for every scope, which is taken as all overviews do.
    """
    days = [select(func.max(schema.outcomes.c.observed_until)), select(func.max(schema.terms.c.known_at))]
    with store.reading() as connection:
        known = [day for day in map(connection.scalar, days) if day is not None]
        return study_calendar(connection).last_closed(max(known)) if known else None


def student_flow(store: Store, scope: Scope) -> pd.DataFrame:
    """One row per registration that ``scope`` may count, for cohort tables; no identity.

    ``student_key, program_code, cohort_term, entry_type, degree_level, normal_terms, exit_type`` (missing:
    enrolled), ``exit_term, exit_date, terms_to_exit, gpa_final, has_outcome`` (whether there is an outcome
    row), ``observed_until`` (of a student without one: how far the terms of the programme reach).
    """
    table, program, outcome = schema.students, schema.programs, schema.outcomes
    columns = [table.c[name] for name in ("student_key", "program_code", "cohort_term", "entry_type")]
    columns += [program.c[name] for name in ("degree_level", "normal_terms")]
    columns += [
        outcome.c[name] for name in ("exit_type", "exit_term", "exit_date", "terms_to_exit", "gpa_final")
    ]
    columns += [outcome.c.student_key.is_not(None).label("has_outcome"), outcome.c.observed_until]
    joined = table.join(program, program.c.program_code == table.c.program_code)
    joined = joined.outerjoin(outcome, outcome.c.student_key == table.c.student_key)
    rows = select(*columns).select_from(joined).where(*aggregable(scope))
    with store.reading() as connection:
        flow = fetch(connection, rows.order_by(table.c.student_key))
        unseen = flow["observed_until"].isna()
        if unseen.any():  # the terms are many: looked through only where something rests on them
            reach = _last_known(connection, flow.loc[unseen, "program_code"].unique())
            told = pd.Series(reach.reindex(flow["program_code"]).to_numpy(), index=flow.index)
            flow["observed_until"] = flow["observed_until"].fillna(told)
    return flow


def _last_known(connection: Connection, program_codes: Collection[str]) -> pd.Series:
    """Programme → the last day that its terms tell of."""
    owner, terms = schema.students, schema.terms
    reach = select(owner.c.program_code, func.max(terms.c.known_at).label("reach"))
    reach = reach.join(terms, terms.c.student_key == owner.c.student_key).group_by(owner.c.program_code)
    found = fetch_by_keys(connection, reach, owner.c.program_code, list(program_codes))
    return found.set_index("program_code")["reach"].astype("datetime64[us]")


def leave_terms(store: Store, scope: Scope) -> pd.DataFrame:
    """``student_key, term_id`` of every regular term of approved leave (status C) within ``scope``."""
    terms, owner = schema.terms, schema.students
    leave = select(terms.c.student_key, terms.c.term_id).where(
        terms.c.status == "C", terms.c.term_id % 10 != 3
    )
    if reach := aggregable(scope, owner):
        leave = leave.join(owner, owner.c.student_key == terms.c.student_key).where(*reach)
    with store.reading() as connection:
        return fetch(connection, leave.order_by(terms.c.student_key, terms.c.term_id))


def imports(store: Store) -> pd.DataFrame:
    """Imports, newest first: the columns of ``imports`` but ``replaced``; ``finished_at`` is missing where
    one was cut off."""
    table = schema.imports
    with store.reading() as connection:
        rows = all_columns(table, without=["replaced"])
        return fetch(connection, rows.order_by(table.c.started_at.desc(), table.c.import_id))


def models(store: Store) -> pd.DataFrame:
    """Registered models, newest first: the columns of ``models``."""
    table = schema.models
    with store.reading() as connection:
        return fetch(connection, select(table).order_by(table.c.created_at.desc(), table.c.model_version))


def served_model(store: Store) -> StoredModel | None:
    """The model whose scores the pages show; None when none is served."""
    table = schema.models
    names = ("model_version", "created_at", "status", "folder")
    text = cast(table.c.manifest, Text).label("manifest")
    statement = select(*(table.c[name] for name in names), text).where(table.c.status == "served")
    with store.reading() as connection:
        newest = connection.execute(statement.order_by(table.c.created_at.desc()).limit(1))
        row = newest.mappings().one_or_none()
    if row is None:
        return None
    told = {**row, "manifest": _manifest(row["manifest"])}
    return StoredModel(*(told[name] for name in (*names, "manifest")))


@lru_cache(maxsize=4)
def _manifest(text: str) -> dict[str, Any]:
    """A manifest, large and asked for in every run of a page: read once as long as it says the same."""
    return json.loads(text)


def counts(store: Store) -> pd.DataFrame:
    """``table, rows``: how many rows every table of the store has."""
    with store.reading() as connection:
        rows = [
            (table.name, connection.scalar(select(func.count()).select_from(table)))
            for table in schema.metadata.sorted_tables
        ]
    return pd.DataFrame(rows, columns=["table", "rows"])


def _flow_by(store: Store, scope: Scope, *by: str) -> pd.DataFrame:
    """Students counted by some columns of :func:`flow_counts`."""
    source = flow_rows(aggregable(scope)).subquery() if scope.own_students_only else schema.flow_cube
    conditions = () if scope.own_students_only else within_programs(scope, source)
    groups = [source.c[name] for name in by]
    counted = select(*groups, func.sum(source.c.students).label("students")).where(*conditions)
    with store.reading() as connection:
        return fetch(connection, counted.group_by(*groups).order_by(*groups)).astype({"students": "int64"})


def _cube(scope: Scope) -> Select:
    return select(schema.term_cube).where(*within_programs(scope, schema.term_cube))


def _terms_by_index(rows: Select) -> Select:
    """One row per cohort and term: students by group of status, and the sum of their GPA."""
    source = rows.subquery()
    groups = [source.c[name] for name in ("program_code", "cohort_term", "term_index")]
    kinds = {"active": REGISTERED, "on_leave": ("C",), "inactive": ("N",)}
    sums = [
        cast(func.sum(case((source.c.status.in_(statuses), source.c.students), else_=0)), Integer).label(name)
        for name, statuses in kinds.items()
    ]
    sums.append(cast(func.sum(source.c.gpa_rows), Integer).label("gpa_rows"))
    sums.append(func.sum(source.c.gpa_sum).label("gpa_sum"))
    return select(*groups, *sums).group_by(*groups)


def _with_averages(table: pd.DataFrame, averages: pd.DataFrame) -> pd.DataFrame:
    """Rows of :func:`_terms_by_index` with the averages that only grades tell."""
    keys = ["program_code", "cohort_term", "term_index"]
    more = averages.groupby(keys)[["gpa_rows", "gpa_sum"]].sum()
    more = more.reindex(pd.MultiIndex.from_frame(table[keys]), fill_value=0)
    return table.assign(**{name: table[name] + more[name].to_numpy() for name in more})


def _per_cohort(table: pd.DataFrame, keys: list[str], flow: pd.DataFrame) -> np.ndarray:
    """The cohort's size, for every row of ``table``."""
    sizes = flow.groupby(keys, as_index=False)["students"].sum()
    return table[keys].merge(sizes, on=keys, how="left")["students"].to_numpy()


def _running(table: pd.DataFrame, keys: list[str], left: pd.DataFrame) -> np.ndarray:
    """How many of ``left`` have a term_index up to that of each row of ``table``, within its cohort."""
    events = left.groupby([*keys, "term_index"], as_index=False)["students"].sum()
    both = pd.concat([events, table[[*keys, "term_index"]].assign(students=0, row=np.arange(len(table)))])
    both = both.sort_values([*keys, "term_index", "row"], na_position="first", kind="stable")
    both["students"] = both.groupby(keys, sort=False)["students"].cumsum()
    asked = both[both["row"].notna()].sort_values("row")
    return asked["students"].to_numpy(dtype="int64")
