"""Compute a rule profile on a flow of students: ``compute_table(...) -> ReportTable``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import pandas as pd

from dashboard.reports.by_hand import check_cells, check_rows
from dashboard.reports.conditions import IN_PDDIKTI, YEARS_ENDED, Facts, Selection
from dashboard.reports.formulas import fill_formulas, fill_lines
from dashboard.reports.model import (
    CLOSED,
    EMPTY,
    LATER_EXITS,
    MISSING,
    NOT_KNOWN,
    NOT_YET,
    Cell,
    Exclusion,
    FiguresRefused,
    Override,
    ReportTable,
)
from dashboard.reports.profile_parts import Column, Profile, Row, year_name
from data.calendar.academic_year import AcademicCalendar
from data.calendar.cohorts import (
    Notice,
    exits_after,
    flow_notices,
    observed_by_programme,
    snapshot_date,
)


def compute_table(
    profile: Profile,
    flow: pd.DataFrame,
    selection: Selection,
    *,
    active: pd.DataFrame | None = None,
    snapshot: date | None = None,
    inputs: Mapping[tuple[str, str], float] | None = None,
    overrides: tuple[Override, ...] = (),
    calendar: AcademicCalendar = AcademicCalendar(),
) -> ReportTable:
    """Fill a profile from a flow.

    Parameters
    ----------
    profile : Profile
        Resolved for the level of the programme.
    flow : DataFrame
        From :func:`data.calendar.cohorts.build_flow`; other programmes' rows are left out here.
    selection : Selection
        TS and programme.
    active : DataFrame, optional
        Of active registration, as :func:`data.trust.reports_store.active_years` gives it; without it, cells
        of active students are missing.
    snapshot : date, optional
        Last day on which the register was observed; when not given, that of the programme
        (:func:`data.calendar.cohorts.snapshot_date`), or of all where the programme has no student.
    inputs : mapping of (row, column) to number, optional
        Figures that the register does not hold, typed in by the office.
    overrides : tuple of Override
        Figures of the register replaced by hand, each with its reason (:mod:`dashboard.reports.by_hand`).
    calendar : AcademicCalendar
        Must be the one that the flow was built with.

    Returns
    -------
    ReportTable
        Every figure with its state and the students behind it; no model output takes part.

    Raises
    ------
    FiguresRefused
        When a figure by hand has no cell, or contradicts its row without a second reason.
    """
    everybody = flow
    if selection.program_code:
        flow = flow[flow["program_code"] == selection.program_code]
    snapshot = snapshot or snapshot_date(everybody if flow.empty else flow)
    facts = Facts(flow.reset_index(drop=True), active, profile, selection, snapshot, calendar)
    cohort = facts.cohort()
    keys = facts.flow["student_key"].to_numpy()
    check_cells(profile, inputs or {}, overrides)
    by_hand = {(change.row, change.column): change for change in overrides}
    cells = {}
    for row in profile.rows:
        for column in profile.columns:
            if column.kind != "formula":
                cell = _cell(row, column, facts, cohort, keys, inputs or {})
                cells[row.key, column.key] = _overridden(cell, by_hand.get((row.key, column.key)))
    counted = {key for cell in cells.values() for key in cell.students}
    cells = fill_formulas(profile, cells)
    check_rows(profile, cells, inputs or {}, overrides)
    return ReportTable(
        profile=profile,
        selection=selection,
        snapshot=snapshot,
        cells=cells,
        lines=fill_lines(profile, cells, _measured_lines(facts, cohort, keys)),
        exclusions=_exclusions(facts, cohort, keys),
        notices=_notices(facts, cohort, cells),
        overrides=overrides,
        counts={"students": len(facts.flow), "counted": len(counted)},
    )


def _cell(row: Row, column: Column, facts: Facts, cohort, keys, inputs) -> Cell:
    if column.kind == "input":
        value = inputs.get((row.key, column.key))
        return Cell(row.key, column.key, "input", value, MISSING if value is None else "open")
    if _closed(row, column):
        return Cell(row.key, column.key, "measure", None, CLOSED)
    condition = row.where | column.where
    if "active_year" in condition and facts.active is None:
        return Cell(row.key, column.key, "measure", None, MISSING)
    if not facts.known(condition, row.offset, column.offset):
        return Cell(row.key, column.key, "measure", None, NOT_KNOWN)
    if not facts.compared(condition, row.offset, column.offset):
        return Cell(row.key, column.key, "measure", None, MISSING)
    known = facts.observed(condition, row.offset, column.offset)
    if not (known and facts.mature(row.offset, column.horizon_years, column.horizon_normal)):
        return Cell(row.key, column.key, "measure", None, NOT_YET)
    mask = cohort & facts.where(condition, row.offset, column.offset)
    value = _aggregate(facts.flow, mask, column.aggregate)
    state = EMPTY if value is None else "open"
    return Cell(row.key, column.key, "measure", value, state, students=tuple(keys[mask]))


def _closed(row: Row, column: Column) -> bool:
    return column.open_after is not None and column.offset < row.offset + column.open_after


def _aggregate(flow: pd.DataFrame, mask: np.ndarray, aggregate: str) -> float | int | None:
    if aggregate == "count":
        return int(mask.sum())
    name, _, fact = aggregate.partition(":")
    numbers = flow[fact].to_numpy(dtype=float)[mask]
    numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        return None
    return float({"mean": np.mean, "min": np.min, "max": np.max}[name](numbers))


def _overridden(cell: Cell, change: Override | None) -> Cell:
    if change is None:
        return cell
    if cell.state == CLOSED:
        raise FiguresRefused(f"override of {cell.row}/{cell.column}: the instrument leaves this cell closed")
    return Cell(cell.row, cell.column, cell.kind, change.value, students=cell.students, computed=cell.value)


def _measured_lines(facts: Facts, cohort, keys) -> dict:
    """Indicators that count students rather than read the table: key → (value, state, students)."""
    measured = {}
    for indicator in facts.profile.indicators:
        if indicator.formula:
            continue
        if not facts.known(indicator.where, None, None):
            measured[indicator.key] = (None, NOT_KNOWN, ())
            continue
        if not facts.observed(indicator.where, None, None):
            measured[indicator.key] = (None, NOT_YET, ())
            continue
        mask = cohort & facts.where(indicator.where, None, None)
        value = _aggregate(facts.flow, mask, indicator.aggregate)
        measured[indicator.key] = (value, EMPTY if value is None else "open", tuple(keys[mask]))
    return measured


def _span(facts: Facts) -> np.ndarray:
    """Students whose cohort is a row of the table; everybody where rows are not entry cohorts."""
    offsets = [row.offset for row in facts.profile.rows if row.offset is not None]
    by_entry = any("entry_year" in column.where for column in facts.profile.columns)
    if not offsets or not by_entry:
        return np.ones(len(facts.flow), dtype=bool)
    years = facts.flow["entry_year"].to_numpy()
    return (years >= facts.selection.ts + min(offsets)) & (years <= facts.selection.ts + max(offsets))


def _exclusions(facts: Facts, cohort, keys) -> tuple[Exclusion, ...]:
    left_out = [
        Exclusion(name, tuple(keys[mask]), row, int(mask.sum()))
        for name, row, mask in (*_not_of_the_cohort(facts, cohort), *_in_closed_cells(facts, cohort))
        if mask.any()
    ]
    return tuple(left_out)


def _not_of_the_cohort(facts: Facts, cohort) -> Iterator[tuple[str, str, np.ndarray]]:
    """Whom the instrument leaves out by entry or exit: name of the reason, no row, students."""
    span, profile = _span(facts), facts.profile
    for kind in ("transfer", "recognised_prior_learning", "new") if profile.entry_types else ():
        if kind not in profile.entry_types:
            yield f"entry_{kind}", "", span & ~cohort & facts.where({"entry_type": [kind]}, None, None)
    if profile.entry_terms:
        of_terms = facts.where({"entry_term": list(profile.entry_terms)}, None, None)
        yield "entry_term", "", span & ~of_terms
    for kind in profile.exclude_exits:
        yield f"exit_{kind}", "", span & facts.where({"exit_type": [kind]}, None, None)


def _in_closed_cells(facts: Facts, cohort) -> Iterator[tuple[str, str, np.ndarray]]:
    """Students of cells that the instrument leaves closed, by row."""
    for row in facts.profile.rows:
        mask = np.zeros(len(cohort), dtype=bool)
        for column in facts.profile.columns:
            if _closed(row, column):
                mask |= cohort & facts.where(row.where | column.where, row.offset, column.offset)
        yield "graduated_in_closed_cell", row.key, mask


def _notices(facts: Facts, cohort, cells) -> tuple[Notice, ...]:
    """What the reader must know, counted over the students of the table's own cohorts."""
    notices = list(flow_notices(facts.flow[_span(facts) & cohort]))
    last = facts.calendar.last_day(facts.selection.ts)
    if facts.snapshot is None or facts.snapshot < last:
        notices.append(Notice("ts_not_complete", 0, f"{last}"))
    notices += _whole_register(facts, cells)
    notices += _compared_with_pddikti(facts)
    unseen = sum(cell.state == NOT_YET for cell in cells.values())
    if unseen:
        notices.append(Notice("not_yet_observable", unseen))
    if any(column.aggregate.endswith("gpa_final") for column in facts.profile.columns):
        graduated = facts.where({"exit_type": ["graduated"]}, None, None)
        years = {year_name(row.offset): facts.selection.ts + row.offset for row in facts.profile.rows}
        within = facts.flow["exit_year"].isin(years.values()).to_numpy()
        unknown = int((graduated & within & facts.flow["gpa_final"].isna().to_numpy()).sum())
        if unknown:
            notices.append(Notice("gpa_final_missing", unknown))
    empty = sum(cell.state == MISSING and cell.kind != "formula" for cell in cells.values())
    if empty:
        notices.append(Notice("fields_missing", empty))
    return tuple(notices)


def _compared_with_pddikti(facts: Facts) -> list[Notice]:
    """Of a table that asks what PDDikti holds: when it was read, and of how many students it never was."""
    asks = any(fact in IN_PDDIKTI for column in facts.profile.columns for fact in column.where)
    if not asks or facts.flow.empty:
        return []
    days = facts.flow["asked_on"] if "asked_on" in facts.flow else pd.Series(None, index=facts.flow.index)
    known = days.dropna()
    if known.empty:
        return [Notice("never_pulled", 0)]
    read = known.min() if known.min() == known.max() else f"{known.min()} – {known.max()}"
    notices = [Notice("pulled_on", 0, str(read))]
    if len(known) < len(days):
        notices.append(Notice("not_asked_for", len(days) - len(known)))
    return notices


def _whole_register(facts: Facts, cells) -> list[Notice]:
    """What there is to say about the register behind the table: where it begins, and what it lacks."""
    if facts.flow.empty:
        return [Notice("no_students", 0)]
    notices, begins = [], facts.begins
    told = ~facts.flow["no_outcome"].groupby(facts.flow["program_code"], observed=True).all()
    for code in sorted(told.index[~told]):
        notices.append(Notice("no_outcomes_at_all", 0, str(code)))
    days = observed_by_programme(facts.flow)
    if facts.snapshot and len(days) > 1 and days.max() > pd.Timestamp(facts.snapshot):
        late = ", ".join(sorted(days.index[days == pd.Timestamp(facts.snapshot)]))
        notices.append(Notice("stale_programs", 0, f"{facts.snapshot} ({late})"))
    if facts.snapshot:
        later = exits_after(facts.flow, facts.snapshot)
        notices += [Notice(LATER_EXITS, later)] if later else []
    name = f"{begins}/{begins + 1}"
    if before := sum(cell.state == NOT_KNOWN and cell.kind == "measure" for cell in cells.values()):
        notices.append(Notice("before_register", before, name))
    normal = facts.flow["normal_terms"].max() / 2
    asked = [
        year
        for row in facts.profile.rows
        for column in facts.profile.columns
        if (cell := cells[row.key, column.key]).state == "open"
        and cell.kind == "measure"
        and "entry_year" not in row.where | column.where
        for fact, year in facts.years_asked(row.where | column.where, row.offset, column.offset)
        if fact in YEARS_ENDED
    ]
    if any(year < begins + normal for year in asked):
        notices.append(Notice("register_young", 0, name))
    return notices
