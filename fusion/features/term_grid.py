"""Term rows → one number per student: levels, trends and counts over the completed terms.

The rows become arrays of students × terms once, so that a hundred thousand students cost a second.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.records.told_terms import WAITING

OF_LOAD = (
    *("gpa_term", "credits_attempted", "credits_passed", "courses_failed", "courses_repeated"),
    "attendance_rate",
)
ELSEWHERE = "M"
"""Status of a term of Kampus Merdeka: it is studied, at another place, and counts as one that is. The few who
had it last would teach a risk by chance, and such a term would stand as a reason for it."""
OF_TERMS = "_credits_of_terms"  # credits passed by term, summed; no feature
SUMMED = ("credits_attempted", "credits_passed", "courses_failed", "courses_repeated")


def grid_features(
    rows: pd.DataFrame, students: pd.Index, as_of_index: int, values: tuple[str, ...]
) -> pd.DataFrame:
    """Features of the term rows that were known at the cut-off.

    Parameters
    ----------
    rows : DataFrame
        ``student_key``, ``slot`` (1…as_of_index), ``status`` and the columns ``values``; sorted by student
        and term.
    students : Index
        Every student of the risk set, with or without rows.
    as_of_index : int
        Number of completed terms, the width of the grid.
    values : tuple of str
        Numeric columns; absent ones are taken as missing throughout.

    Returns
    -------
    DataFrame
        float64 columns (``status_last``: object), indexed by ``students``; missing where nothing is known.
        :data:`OF_TERMS` is among them.
    """
    width = max(as_of_index, 1)
    rows = _without_empty_load(rows)
    row = students.get_indexer(rows["student_key"])
    slot = rows["slot"].to_numpy(int) - 1
    cells = {name: _grid(rows, name, row, slot, (len(students), width)) for name in values}
    table = pd.DataFrame(index=students)
    _grades(table, cells)
    _credits(table, cells)
    table["failed_total"] = _total(cells["courses_failed"])
    table["failed_last"] = _last(cells["courses_failed"])
    table["repeated_total"] = _total(cells["courses_repeated"])
    attendance = cells["attendance_rate"]
    table["attendance_mean"] = _mean(attendance)
    table["attendance_last"] = _last(attendance)
    table["attendance_change"] = _change(attendance)
    arrears = cells["tuition_arrears_days"]
    table["arrears_last"] = _last(arrears)
    table["arrears_longest"] = _reduce(np.fmax, arrears)
    table["arrears_terms"] = np.where(_seen(arrears), (np.nan_to_num(arrears) > 0).sum(axis=1), np.nan)
    _statuses(table, rows, row, slot, (len(students), width), as_of_index)
    present = np.zeros((len(students), width), bool)
    present[row, slot] = True
    waiting = np.zeros((len(students), width), bool)
    waiting[row, slot] = (rows["status"] == WAITING).to_numpy()
    ungraded = present & np.isnan(cells["gpa_term"]) & ~waiting
    table["gpa_missing"] = ungraded.sum(axis=1).astype(float)
    return table


def _without_empty_load(rows: pd.DataFrame) -> pd.DataFrame:
    """A term of waiting for the competency examination has no courses left to take: its zeros say nothing of
    how somebody studies."""
    waiting = rows["status"] == WAITING
    if not waiting.any() or "credits_attempted" not in rows:
        return rows
    idle = waiting & ~(pd.to_numeric(rows["credits_attempted"]) > 0)
    names = [name for name in OF_LOAD if name in rows]
    return rows.assign(**{name: pd.to_numeric(rows[name]).astype("float64").mask(idle) for name in names})


def _grid(rows, name, row, slot, shape) -> np.ndarray:
    """students × terms, NaN where unknown; a short term adds to, or else updates, its even term."""
    grid = np.full(shape, np.nan)
    if name not in rows:
        return grid
    value = pd.to_numeric(rows[name], errors="coerce").to_numpy(float)
    known = ~np.isnan(value)
    row, slot, value = row[known], slot[known], value[known]
    if name not in SUMMED:
        grid[row, slot] = value  # rows are in term order, so the later one stands
        return grid
    total, seen = np.zeros(shape), np.zeros(shape, bool)
    np.add.at(total, (row, slot), value)
    seen[row, slot] = True
    grid[seen] = total[seen]
    return grid


def _grades(table: pd.DataFrame, cells: dict) -> None:
    gpa = cells["gpa_term"]
    mean = _mean(gpa)
    cumulative = _last(cells["gpa_cum"])
    table["gpa_cum"] = np.where(np.isnan(cumulative), mean, cumulative)
    table["gpa_last"] = _last(gpa)
    table["gpa_first"] = _last(gpa[:, ::-1])
    table["gpa_lowest"] = _reduce(np.fmin, gpa)
    table["gpa_trend"] = _slope(gpa)
    table["gpa_change"] = _change(gpa)
    spread = np.sqrt(_mean((gpa - mean[:, None]) ** 2))
    table["gpa_spread"] = np.where((~np.isnan(gpa)).sum(axis=1) >= 2, spread, np.nan)


def _credits(table: pd.DataFrame, cells: dict) -> None:
    taken, passed = cells["credits_attempted"], cells["credits_passed"]
    booked = _last(cells["credits_cum"])
    table[OF_TERMS] = _total(passed)
    table["credits_cum"] = np.where(np.isnan(booked), table[OF_TERMS], booked)
    table["credits_last"] = _last(passed)
    table["load_mean"] = _mean(np.where(taken > 0, taken, np.nan))  # of terms with courses
    both = ~np.isnan(taken) & ~np.isnan(passed)
    table["pass_ratio"] = _ratio(
        _total(np.where(both, passed, np.nan)), _total(np.where(both, taken, np.nan))
    )
    table["pass_ratio_last"] = _ratio(
        _last(np.where(both, passed, np.nan)), _last(np.where(both, taken, np.nan))
    )


def _statuses(table, rows, row, slot, shape, as_of_index) -> None:
    """Last status, leave and inactive terms, and completed terms that have no row at all."""
    status = np.full(shape, "", dtype=object)
    regular = (rows["term_id"] % 10 != 3).to_numpy()
    status[row[regular], slot[regular]] = rows["status"].replace(ELSEWHERE, "A").to_numpy()[regular]
    present = status != ""
    last = shape[1] - 1 - present[:, ::-1].argmax(axis=1)
    names = status[np.arange(shape[0]), last]
    names[~present.any(axis=1)] = None
    table["status_last"] = pd.Series(names, table.index, dtype=object)
    table["leave_terms"] = (status == "C").sum(axis=1).astype(float)
    table["inactive_terms"] = (status == "N").sum(axis=1).astype(float)
    table["terms_missing"] = float(as_of_index) - present.sum(axis=1)


def _seen(grid: np.ndarray) -> np.ndarray:
    return np.asarray(~np.isnan(grid).all(axis=1))


def _mean(grid: np.ndarray) -> np.ndarray:
    count = (~np.isnan(grid)).sum(axis=1)
    return np.where(count, np.nansum(grid, axis=1) / np.maximum(count, 1), np.nan)


def _total(grid: np.ndarray) -> np.ndarray:
    return np.where(_seen(grid), np.nansum(grid, axis=1), np.nan)


def _reduce(function, grid: np.ndarray) -> np.ndarray:
    return function.reduce(grid, axis=1)


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    return np.divide(over, under, out=np.full(len(over), np.nan), where=under > 0)


def _last(grid: np.ndarray) -> np.ndarray:
    """The rightmost known value."""
    known = ~np.isnan(grid)
    where = grid.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), grid[np.arange(len(grid)), where], np.nan)


def _change(grid: np.ndarray) -> np.ndarray:
    """Last known value minus the one known before it."""
    known = ~np.isnan(grid)
    where = grid.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    earlier = grid.copy()
    earlier[np.arange(len(grid)), where] = np.nan
    return _last(grid) - _last(earlier)


def _slope(grid: np.ndarray) -> np.ndarray:
    """Least-squares slope per term over the known terms; NaN with fewer than two."""
    known = ~np.isnan(grid)
    position = np.where(known, np.arange(grid.shape[1], dtype=float), np.nan)
    x = position - _mean(position)[:, None]
    y = grid - _mean(grid)[:, None]
    below = np.nansum(x * x, axis=1)
    return _ratio(np.nansum(x * y, axis=1), np.where(known.sum(axis=1) >= 2, below, 0.0))
