"""Counts of entry cohorts, hidden where they are small, by the one rule and all sums of a row together."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from dashboard.cohorts import summaries
from dashboard.shell import stores
from dashboard.shell.service.answers import Bands, Cohort, CohortQuery, Cohorts, Count
from data import queries
from data.calendar.study_time import within_normal_time
from data.columns import BANDS, DROPOUT_EXITS, TARGETS
from data.trust.scope import Scope
from data.trust.small_cells import THRESHOLD, CountSystem, hidden_counts

KEYS = ["program_code", "cohort_term"]
STATES = ("graduated_on_time", "graduated_later", "left", "elsewhere", "studying")
UNSCORED = "not_scored"


def cohorts(scope: Scope, asked: CohortQuery) -> Cohorts:
    """A page of the cohorts that ``scope`` may count."""
    table = _counted(scope)
    if asked.program is not None:
        table = table[table["program_code"] == asked.program]
    if asked.cohort is not None:
        table = table[table["cohort_term"] == asked.cohort]
    page = table.iloc[asked.offset : asked.offset + asked.limit]
    return Cohorts(
        model_version=stores.served_version(),
        data_version=stores.data_version(),
        synthetic=stores.is_synthetic(),
        smallest_count=THRESHOLD,
        total=len(table),
        limit=asked.limit,
        offset=asked.offset,
        rows=[_cohort(row) for row in page.to_dict("records")],
    )


def _counted(scope: Scope) -> pd.DataFrame:
    """One row per programme and entry term: students by state, and for each target that a model may speak
    about ``(target, band)`` of those who study."""
    store = stores.store()
    flow, programs = queries.flow_counts(store, scope), stores.program_table()
    graduated = (flow["state"] == "graduated").to_numpy()
    in_time = within_normal_time(flow["terms_to_exit"], summaries.normal_terms(flow, programs))
    state = pd.Series("elsewhere", index=flow.index)
    state[flow["state"] == "enrolled"] = "studying"
    state[flow["state"].isin(DROPOUT_EXITS)] = "left"
    state[graduated] = "graduated_later"
    state[graduated & in_time] = "graduated_on_time"
    flow = flow.assign(state=state)
    table = flow.pivot_table(index=KEYS, columns="state", values="students", aggfunc="sum", fill_value=0)
    table = table.reindex(columns=list(STATES), fill_value=0).astype(int)
    for target in TARGETS:
        if stores.unlearned(target)[0]:
            continue
        cube = queries.cohort_cube(store, scope, target)
        bands = cube.pivot_table(index=KEYS, columns="band", values="students", aggfunc="sum", fill_value=0)
        bands = bands.reindex(index=table.index, columns=list(BANDS), fill_value=0).fillna(0).astype(int)
        for band in BANDS:
            table[target, band] = bands[band]
        table[target, UNSCORED] = (table["studying"] - bands.sum(axis=1)).clip(lower=0)
    return table.reset_index().sort_values(KEYS, ignore_index=True)


def _cohort(row: dict) -> Cohort:
    counts = tuple((name, int(n)) for name, n in row.items() if name not in KEYS)
    hidden = hidden_in_row(counts)
    told = {name: _count(n, name in hidden) for name, n in counts}
    entered = sum(row[name] for name in STATES)
    targets = {
        target: Bands(**{band: told[target, band] for band in (*BANDS, UNSCORED)})
        if (target, UNSCORED) in told
        else None
        for target in TARGETS
    }
    return Cohort(
        program_code=row["program_code"],
        cohort_term=row["cohort_term"],
        entered=_count(entered, "entered" in hidden),
        **{name: told[name] for name in STATES},
        **targets,
    )


def _count(students: int, hidden: bool) -> Count:
    return Count(students=None if hidden else int(students), hidden=hidden)


@lru_cache(maxsize=4096)
def hidden_in_row(counts: tuple[tuple[str | tuple[str, str], int], ...]) -> frozenset:
    """Which counts of a cohort are not told.

    Those who entered are the states together, and those who study are the bands of each target together: a
    reader knows all three sums, so they are protected as one system. A group that is small as a whole is
    hidden with its zeros.

    Parameters
    ----------
    counts : tuple of (name, students)
        Names of :data:`STATES`, and ``(target, band)``.

    Returns
    -------
    frozenset
        Of these names, and "entered".
    """
    known = dict(counts)
    entered = sum(known[name] for name in STATES)
    if 0 < entered < THRESHOLD:
        return frozenset({*known, "entered"})
    values = {_address(name): n for name, n in known.items()} | {_address("entered"): entered}
    sums = [_sum("entered", STATES)]
    parts = {target: [name for name in known if name[0] == target] for target in TARGETS}
    for names in parts.values():
        if names and sum(known[name] for name in names) == known["studying"]:
            sums.append(_sum("studying", names))
    hidden = set(hidden_counts(CountSystem(values, frozenset(values), tuple(sums))))
    if 0 < known["studying"] < THRESHOLD:
        hidden |= {_address(name) for names in parts.values() for name in names}
    names = {_address(name): name for name in (*known, "entered")}
    return frozenset(names[address] for address in hidden)


def _address(name: str | tuple[str, str]) -> tuple[str, str]:
    return ("", name) if isinstance(name, str) else name


def _sum(whole: str, parts) -> dict[tuple[str, str], float]:
    return {_address(whole): 1.0} | {_address(part): -1.0 for part in parts}
