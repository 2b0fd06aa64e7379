"""Entry cohorts side by side on the axis of study terms, small counts hidden. Pure functions.

A cohort that has not reached a term is not yet observed there: its figures are missing, never zero. Shares
are of everybody who entered, so that nobody leaves the denominator and the few who moved or died cannot be
worked out from a second one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.cohorts.counted import STATES, Counts, Told
from dashboard.cohorts.summaries import OUTSIDE, last_completed_term, normal_terms
from data.calendar.study_time import within_normal_time
from data.calendar.term_calendar import terms_between
from data.columns import DROPOUT_EXITS
from data.trust.small_cells import MARK, THRESHOLD, TOTAL, CountSystem, hidden_counts, hidden_of_group

LEAST, MOST = 2, 4  # cohorts that stand side by side
LONGEST = 8  # study terms shown, unless a programme takes longer
MEASURES = ("kept", "active", "gpa", "on_time", "left")
NOT_YET = "…"  # not yet observed


def longest(normal_terms: pd.Series) -> int:
    """How many study terms are shown for programmes of these normal terms."""
    return int(max(LONGEST, normal_terms.max() if len(normal_terms) else 0))


@dataclass(frozen=True)
class Seen:
    """How far the register sees an entry cohort.

    Parameters
    ----------
    followed : frozenset of str
        Programmes whose terms it holds.
    terms : frozenset of int
        Study terms of which it is known who of them was registered.
    closed : int
        How many terms are completed in every programme: by their end it is known who has left.
    furthest : int
        The last study term of which anything is known.
    """

    followed: frozenset[str] = frozenset()
    terms: frozenset[int] = frozenset()
    closed: int = 0
    furthest: int = 0


def seen_cohorts(
    alike: pd.DataFrame, progress: pd.DataFrame, closed: int | None, terms: int
) -> dict[int, Seen]:
    """Entry cohort → how far the register sees it.

    A programme of which the register holds terms is seen as far as they reach, any other as far as the rest.

    Parameters
    ----------
    alike : DataFrame
        :func:`data.queries.counted_alike` or :func:`data.queries.flow_counts`: ``program_code, cohort_term``.
    progress : DataFrame
        :func:`dashboard.cohorts.summaries.followed`.
    closed : int or None
        ``queries.last_closed_term``.
    terms : int
        Up to which study term.
    """
    overall = last_completed_term(progress, closed)
    lasts = {code: last_completed_term(rows, closed) for code, rows in progress.groupby("program_code")}
    rows = {
        (int(cohort), code): set(own["term_index"].astype(int))
        for (cohort, code), own in progress.groupby(["cohort_term", "program_code"])
    }
    found = {}
    for cohort, own in alike.groupby("cohort_term")["program_code"]:
        passed, known = {}, []
        for code in own.unique():
            last = lasts.get(code, overall)
            passed[code] = 0 if last is None else max(terms_between(int(cohort), last) + 1, 0)
            if held := rows.get((int(cohort), code)):
                known.append(held)
        followed = frozenset(code for code in passed if (int(cohort), code) in rows)
        every = frozenset.intersection(*map(frozenset, known)) if known else frozenset()
        shown = frozenset(term for term in every if term <= terms)
        over = min(passed.values())
        found[int(cohort)] = Seen(followed, shown, over, max([over, *shown]))
    return found


def add_side_by_side(counts: Counts, cohorts: list[int], seen: Mapping[int, Seen], terms: int) -> None:
    """The counts behind :func:`side_by_side`.

    Parameters
    ----------
    counts : Counts
        What they are added to.
    cohorts : list of int
    seen : mapping
        :func:`seen_cohorts`.
    terms : int
        Up to which study term.
    """
    for cohort in cohorts:
        entered, own = ("cohort", cohort, "entered"), seen.get(cohort, Seen())
        counts.add(entered, counts.cohort == cohort)
        counts.whole(entered, [entered])
        for term in range(1, terms + 1):
            if term in own.terms:
                counts.add_term(cohort, term, own.followed, "kept", "active")
            if term <= own.closed:
                counts.add_term(cohort, term, own.followed, "on_time", "left")


def values_of_cubes(
    flow: pd.DataFrame,
    progress: pd.DataFrame,
    programs: pd.DataFrame,
    seen: Mapping[int, Seen],
    terms: int,
) -> dict[tuple, int]:
    """The counts of :func:`add_side_by_side` and of where every cohort stands today, from what the store has
    counted already: a page asks for them at each look, and no row of a student is read.

    Parameters
    ----------
    flow : DataFrame
        :func:`data.queries.flow_counts`.
    progress : DataFrame
        :func:`dashboard.cohorts.summaries.followed`.
    programs : DataFrame
        ``program_code``, ``normal_terms``.
    seen : mapping
        :func:`seen_cohorts`.
    terms : int
        Up to which study term.
    """
    values: dict[tuple, int] = {}
    on_time = (flow["state"] == "graduated") & within_normal_time(
        flow["terms_to_exit"], normal_terms(flow, programs)
    )
    state = flow["state"].map(_STATE_OF).mask(on_time, "on_time")
    after = flow["terms_to_exit"].to_numpy(int)
    n = flow["students"].to_numpy(int)
    for cohort, own in seen.items():
        here = (flow["cohort_term"] == cohort).to_numpy()
        values["cohort", cohort, "entered"] = int(n[here].sum())
        for name in STATES:
            values["cohort", cohort, name] = int(n[here & (state == name).to_numpy()].sum())
        followed = progress[(progress["cohort_term"] == cohort) & progress["program_code"].isin(own.followed)]
        values["followed", cohort] = int(n[here & flow["program_code"].isin(own.followed).to_numpy()].sum())
        for term in range(1, terms + 1):
            if term in own.terms:
                rows = followed[followed["term_index"] == term]
                values["kept", cohort, term] = int(rows["retained"].sum())
                values["active", cohort, term] = int(rows["active"].sum())
            if term <= own.closed:
                gone = here & (after >= 0) & (after <= term)
                for name in ("on_time", "left"):
                    values[name, cohort, term] = int(n[gone & (state == name).to_numpy()].sum())
    return values


_STATE_OF = {
    "graduated": "late",  # unless within the normal time
    "enrolled": "studying",
    **dict.fromkeys(DROPOUT_EXITS, "left"),
    **dict.fromkeys(OUTSIDE, "outside"),
}


def told_on_page(values: Mapping[tuple, int], cohorts: list[int], terms: int) -> Told:
    """What a page and its own file tell of :func:`add_side_by_side`: the rule of
    :mod:`data.trust.small_cells`, every cohort and term by itself.

    A count of few is hidden, and so is one that leaves few: of those who have gone, or who are on leave or
    graduated. Where cohorts stand today (:meth:`dashboard.cohorts.counted.Counts.add_cohorts`), if that is
    counted too, is judged cohort by cohort, and a count that stands in both places is hidden in both where
    either hides it: to hide more never tells of anybody. What is given out with other tables is judged with
    them instead (:meth:`dashboard.cohorts.counted.Counts.public`).
    """
    hidden: set[tuple] = set()
    for cohort in cohorts:
        entered, followed = ("cohort", cohort, "entered"), ("followed", cohort)
        for term in range(1, terms + 1):
            kept, active, on_time, left = (
                (name, cohort, term) for name in ("kept", "active", "on_time", "left")
            )
            if kept in values:
                hidden |= _hidden(values, followed, (active,), kept)
            if on_time in values:
                hidden |= _hidden(values, entered, (on_time, left))
        if ("cohort", cohort, "studying") in values:
            hidden |= _hidden_today(values, cohort)
            hidden |= _in_both(values, cohort, terms, hidden)
    return Told(values, frozenset(hidden))


def _hidden_today(values: Mapping[tuple, int], cohort: int) -> set[tuple]:
    """Which counts of where a cohort stands today are hidden."""
    few = hidden_of_group({state: values["cohort", cohort, state] for state in STATES})
    return {("cohort", cohort, "entered" if state == TOTAL else state) for state in few}


def _in_both(values: Mapping[tuple, int], cohort: int, terms: int, hidden: set[tuple]) -> set[tuple]:
    """The same count by the end of a term and today: hidden in every place where one of them is hidden."""
    found: set[tuple] = set()
    for state in ("on_time", "left"):
        today = ("cohort", cohort, state)
        by_term = [(state, cohort, term) for term in range(1, terms + 1)]
        same = {today, *(name for name in by_term if values.get(name) == values[today])}
        if same & hidden:
            found |= same
    return found


def _hidden(
    values: Mapping[tuple, int], whole: tuple, parts: tuple[tuple, ...], all_but: tuple | None = None
) -> set[tuple]:
    """Which counts of one cohort and term are hidden: parts of a whole that is known, and what they leave.

    ``all_but`` is a count that holds the parts and leaves some of the whole: hidden where those are.
    """
    if 0 < values[whole] < THRESHOLD:
        return {whole, *parts, *filter(None, (all_but,))}  # with the zeros, which would tell of every one
    cells = {("part", str(at)): values[name] for at, name in enumerate(parts)}
    cells["", "whole"] = values[whole]
    if all_but is not None:
        cells["", "gone"] = max(values[whole] - values[all_but], 0)
    printed, rest = frozenset(cells), ("", "rest")
    cells[rest] = max(2 * values[whole] - sum(cells.values()), 0)
    found = hidden_counts(CountSystem(cells, printed, (dict.fromkeys(cells, 1.0) | {("", "whole"): -1.0},)))
    hidden = {name for at, name in enumerate(parts) if ("part", str(at)) in found}
    if ("", "whole") in found:
        hidden.add(whole)
    if all_but is not None and (("", "gone") in found or 0 < values[all_but] < THRESHOLD):
        hidden.add(all_but)
    return hidden


def side_by_side(
    counts: Counts,
    told: Told,
    cohorts: list[int],
    progress: pd.DataFrame,
    seen: Mapping[int, Seen],
    terms: int,
    reported: frozenset[str],
) -> pd.DataFrame:
    """One row per cohort and study term.

    Parameters
    ----------
    counts : Counts
        After :func:`add_side_by_side`.
    told : Told
        What of them is told.
    cohorts : list of int
        ``YYYYT``, in the order of drawing.
    progress : DataFrame
        :func:`dashboard.cohorts.summaries.followed`.
    seen : mapping
        :func:`seen_cohorts`.
    terms : int
        How many study terms.
    reported : frozenset of str
        Programmes of which exits are recorded.

    Returns
    -------
    DataFrame
        ``cohort_term``, ``term``; ``entered`` (students); ``kept``, ``active`` (shares of the entrants whose
        terms are followed: still registered, on leave or graduated; registered), ``gpa`` (mean cumulative
        grade-point average, 0–4), ``on_time``, ``left`` (shares of the entrants that had graduated within the
        normal time, or dropped out, by the end of the term). Each a number,
        :data:`data.trust.small_cells.MARK` where it is hidden, :data:`NOT_YET` where it is not yet observed,
        None where the register does not say.
    """
    averages, rows = _averages(progress), []
    for cohort in cohorts:
        own = seen.get(cohort, Seen())
        programs = set(counts.alike.loc[counts.cohort == cohort, "program_code"])
        known = programs <= reported
        for term in range(1, terms + 1):
            row: dict[str, object] = {"cohort_term": cohort, "term": term}
            row["entered"] = told.count(("cohort", cohort, "entered"))
            for name in ("kept", "active"):
                row[name] = (
                    told.share((name, cohort, term), ("followed", cohort)) if term in own.terms else None
                )
            row["gpa"] = _mean(told, averages, cohort, term, row["active"]) if term in own.terms else None
            for name in ("on_time", "left"):
                row[name] = (
                    told.share((name, cohort, term), ("cohort", cohort, "entered"))
                    if (known and term <= own.closed)
                    else None
                )
            late = {"on_time": own.closed, "left": own.closed}
            rows.append(
                {
                    name: NOT_YET if value is None and term > late.get(name, own.furthest) else value
                    for name, value in row.items()
                }
            )
    columns = ["cohort_term", "term", "entered", *MEASURES]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def numbers(table: pd.DataFrame, measure: str) -> pd.Series:
    """A measure of :func:`side_by_side` as floats; missing where it is hidden or not observed."""
    return pd.to_numeric(table[measure], errors="coerce").astype(float)


def _mean(told: Told, averages: pd.DataFrame, cohort: int, term: int, active: object):
    """The mean; hidden where few stand behind it, or where how many study is hidden."""
    n, mean = averages.loc[(cohort, term)] if (cohort, term) in averages.index else (0, np.nan)
    if not n:
        return None
    return MARK if n < THRESHOLD or active == MARK else round(float(mean), 2)


def _averages(progress: pd.DataFrame) -> pd.DataFrame:
    """Students and mean by cohort and term, over programmes."""
    weighted = progress.assign(points=(progress["gpa_mean"] * progress["gpa_rows"]).fillna(0.0))
    sums = weighted.groupby(["cohort_term", "term_index"])[["gpa_rows", "points"]].sum()
    n = sums["gpa_rows"]
    return pd.DataFrame({"n": n, "mean": sums["points"] / n.where(n > 0)})
