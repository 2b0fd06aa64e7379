"""Entry cohorts side by side on the axis of study terms, small counts hidden. Pure functions.

A cohort that has not reached a term is not yet observed there: its figures are missing, never zero. Shares
are of everybody who entered, so that nobody leaves the denominator and the few who moved or died cannot be
worked out from a second one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.cohorts.counted import STATES, Counts, Told
from dashboard.cohorts.summaries import OUTSIDE, last_completed_term, normal_terms
from dashboard.shell.wording import NOT_YET
from data.calendar.study_time import within_normal_time
from data.calendar.term_calendar import terms_between
from data.columns import DROPOUT_EXITS
from data.trust.small_cells import MARK, THRESHOLD, TOTAL, hidden_of_group

LEAST, MOST = 2, 4  # cohorts that stand side by side
LONGEST = 8  # study terms shown, unless a programme takes longer
MEASURES = ("kept", "active", "gpa", "on_time", "left")
TERM_OF = ("cohort_term", "program_code", "term_index")


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
    rows: dict[tuple[int, str], set[int]] = {}
    for cohort, code, term in zip(*(progress[name].tolist() for name in TERM_OF), strict=True):
        rows.setdefault((int(cohort), code), set()).add(int(term))
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
    stands = {name: (state == name).to_numpy() for name in STATES}  # compared once, not once per cohort
    cohorts, codes = flow["cohort_term"].to_numpy(int), flow["program_code"].to_numpy(object)
    after, n = flow["terms_to_exit"].to_numpy(int), flow["students"].to_numpy(int)
    reached = _by_cohort(progress, seen, terms)
    for cohort, own in seen.items():
        here = cohorts == cohort
        values["cohort", cohort, "entered"] = int(n[here].sum())
        for name in STATES:
            values["cohort", cohort, name] = int(n[here & stands[name]].sum())
        values["followed", cohort] = int(n[here & np.isin(codes, list(own.followed))].sum())
        for name in ("on_time", "left"):
            gone = here & stands[name] & (after >= 0)
            by_end = np.bincount(after[gone], n[gone], terms + 1).cumsum()
            values |= {(name, cohort, term): int(by_end[term]) for term in range(1, own.closed + 1)[:terms]}
        for term in own.terms:
            for name, by_term in reached[cohort].items():
                values[name, cohort, term] = int(by_term[term])
    return values


def _by_cohort(
    progress: pd.DataFrame, seen: Mapping[int, Seen], terms: int
) -> dict[int, dict[str, np.ndarray]]:
    """Cohort → "kept" and "active" → students of the followed programmes by study term, 0 to ``terms``."""
    cohorts, codes, index = (progress[name].to_numpy() for name in TERM_OF)
    codes, shown = codes.astype(object), index <= terms
    columns = {"kept": progress["retained"].to_numpy(float), "active": progress["active"].to_numpy(float)}
    found = {}
    for cohort, own in seen.items():
        rows = (cohorts == cohort) & shown & np.isin(codes, list(own.followed))
        found[cohort] = {
            name: np.bincount(index[rows].astype(int), np.nan_to_num(counts[rows]), terms + 1)
            for name, counts in columns.items()
        }
    return found


_STATE_OF = {
    "graduated": "late",  # unless within the normal time
    "enrolled": "studying",
    **dict.fromkeys(DROPOUT_EXITS, "left"),
    **dict.fromkeys(OUTSIDE, "outside"),
}


def told_on_page(values: Mapping[tuple, int], cohorts: list[int], terms: int) -> Told:
    """What a page and its own file tell of :func:`add_side_by_side` and of where every cohort stands today
    (:meth:`dashboard.cohorts.counted.Counts.add_cohorts`), if that is counted too.

    No count of 1 to 4 is told, and none comes out by subtraction: whatever figures of a cohort are told, no
    part that they leave of its entrants, none that one leaves of another, and no step from one term to a
    later one or to today is of so few. A count that stands in two places is hidden in both or in none. What
    is given out with other tables hides all of this and more (:func:`dashboard.cohorts.meeting.judged`).
    """
    return Told(values, frozenset().union(*(_Cohort(values, one, terms).hidden for one in cohorts)))


class _Cohort:
    """The counts of one cohort, told one after the other as long as none gives few away.

    Parameters
    ----------
    values : mapping
        Name → students.
    cohort : int
    terms : int
        Up to which study term.

    Attributes
    ----------
    hidden : set
        Names of this cohort that are not told.
    """

    def __init__(self, values: Mapping[tuple, int], cohort: int, terms: int) -> None:
        self.values, self.cohort, self.hidden = values, cohort, set[tuple]()
        self.entered = values["cohort", cohort, "entered"]
        self.followed = values.get(("followed", cohort), self.entered)
        self.today = {
            state: values["cohort", cohort, state] for state in STATES if ("cohort", cohort, state) in values
        }
        self.told: dict[str, set[int]] = {name: set() for name in ("kept", "active", "on_time", "left")}
        whole = self._today()
        self._followed()
        for term in range(1, terms + 1):
            for name in ("left", "on_time"):
                self._by_term(name, term, whole)
            for name in ("kept", "active"):
                self._by_term(name, term, ("followed", cohort) not in self.hidden)

    def _today(self) -> bool:
        """Judge where the cohort stands today; whether its entrants are told."""
        few = hidden_of_group(self.today) if self.today else frozenset()
        gone = {state for state in self.today if state in few}
        while gone and _few(sum(self.today[state] for state in gone)):
            rest = [state for state in self.today if state not in gone and self.today[state]]
            if not rest:
                break
            gone.add(min(rest, key=lambda state: self.today[state]))
        if TOTAL in few or _few(self.entered):
            self.hidden.add(("cohort", self.cohort, "entered"))
        self.hidden |= {("cohort", self.cohort, state) for state in gone}
        return ("cohort", self.cohort, "entered") not in self.hidden

    def _followed(self) -> None:
        """Entrants of programmes whose terms are held, and who of all entrants is none of them."""
        whole = ("cohort", self.cohort, "entered")
        if _few(self.followed) or (
            _few(self.entered - self.followed) or (self.followed == self.entered and whole in self.hidden)
        ):
            self.hidden.add(("followed", self.cohort))

    def _by_term(self, name: str, term: int, whole: bool) -> None:
        """Tell a count by the end of a term, or hide it."""
        at = (name, self.cohort, term)
        if at not in self.values:
            return
        n = self.values[at]
        if whole and not any(map(_few, (n, *self._left_by(name, n, term)))) and self._as_today(name, n):
            self.told[name].add(n)
        else:
            self.hidden.add(at)

    def _as_today(self, name: str, n: int) -> bool:
        """Whether where the cohort stands today allows it: of what is hidden there nothing near is told."""
        if name not in self.today:
            return True
        now = self.today[name]
        if ("cohort", self.cohort, name) not in self.hidden:
            return not _few(abs(now - n))
        return abs(now - n) >= THRESHOLD or (n == 0 and now > 0)  # that nobody had yet tells of nobody

    def _left_by(self, name: str, n: int, term: int) -> Iterator[int]:
        """What a count leaves of others that are told, or they of it."""
        yield from (abs(n - one) for one in self.told[name])  # steps from term to term
        on_time, left = self._known("on_time", term), self._known("left", term)
        if name in ("on_time", "left"):
            others = left if name == "on_time" else on_time
            yield from (self.entered - n - other for other in (0, *others))
            return
        yield self.followed - n
        if self.followed == self.entered:
            yield from (self.entered - n - gone for gone in left)
        if name == "kept":
            yield from (n - done for done in on_time)
            return
        here = self.values["kept", self.cohort, term]
        if ("kept", self.cohort, term) not in self.hidden:
            yield here - n
            yield from (here - n - done for done in on_time)
        if self.followed == self.entered:
            yield from (self.entered - n - done - gone for done in on_time for gone in (0, *left))

    def _known(self, state: str, term: int) -> set[int]:
        """What is told of a state by the end of a term, in earlier ones and, if it is the same, today."""
        now = self.today.get(state)
        same = self.values.get((state, self.cohort, term)) == now
        shown = same and now is not None and ("cohort", self.cohort, state) not in self.hidden
        return self.told[state] | ({now} if shown and now is not None else set())


def _few(n: int) -> bool:
    return 0 < n < THRESHOLD


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
        :data:`data.trust.small_cells.MARK` where it is hidden, :data:`NOT_YET` where it is not yet seen,
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


def hidden_and_told(table: pd.DataFrame) -> tuple[int, int]:
    """How many measures of :func:`side_by_side` are hidden as small counts, and how many are told."""
    cells = table[list(MEASURES)].to_numpy(object).ravel()
    hidden = sum(isinstance(cell, str) and cell == MARK for cell in cells)
    return hidden, sum(cell is not None and not isinstance(cell, str) for cell in cells)


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
