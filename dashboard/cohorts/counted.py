"""Every count of an overview as a sum over students who are alike, and what of it may be told.

A page's tables cut the same students in several ways, and what one hides another may give away. So each count
here says which students it counts (:func:`data.queries.counted_alike`), and all counts of a file are judged
together by :mod:`data.trust.joint_counts`. Pure functions; no single student.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.cohorts.summaries import AT_RISK, OUTSIDE, normal_terms, terms_passed
from data.calendar.study_time import within_normal_time
from data.columns import DROPOUT_EXITS
from data.scores.alike import ON_LEAVE, STUDIED
from data.trust.joint_counts import Figure, hidden_jointly
from data.trust.small_cells import MARK, THRESHOLD, hidden_groups

Name = tuple[Hashable, ...]
REST = ("groups", "")  # what the groups that are listed leave of everybody
STATES = ("on_time", "late", "studying", "left", "outside")  # of a cohort; together they are its entrants


@dataclass(frozen=True)
class Told:
    """Counts of which some are hidden.

    Parameters
    ----------
    values : mapping
        Name → students.
    hidden : frozenset
        Names that are not told.
    """

    values: Mapping[Name, int]
    hidden: frozenset = frozenset()

    def count(self, name: Name) -> int | str:
        """The count, or :data:`data.trust.small_cells.MARK`."""
        return MARK if name in self.hidden else self.values[name]

    def shown(self, *names: Name) -> bool:
        """Whether all of these are told."""
        return self.hidden.isdisjoint(names)

    def share(self, part: Name, whole: Name) -> float | str | None:
        """One count of another, 0–1; the mark where either is hidden, None where the whole is nobody."""
        if not self.shown(part, whole):
            return MARK
        return self.values[part] / self.values[whole] if self.values[whole] else None


class Counts:
    """Counts of one register, each as a number of times that every row of students counts.

    Parameters
    ----------
    alike : DataFrame
        :func:`data.queries.counted_alike`.
    programs : DataFrame
        ``program_code``, ``normal_terms``.
    last : int or None
        The last completed term, ``YYYYT``.
    reported : frozenset of str
        Programmes of which exits are recorded (:func:`dashboard.cohorts.summaries.reported`).
    """

    def __init__(
        self, alike: pd.DataFrame, programs: pd.DataFrame, last: int | None, reported: frozenset[str]
    ) -> None:
        self.alike = alike
        self.students = alike["students"].to_numpy(int)
        self.cohort = alike["cohort_term"].to_numpy(int)
        self.terms = alike["terms_to_exit"].to_numpy(int)
        self.normal = normal_terms(alike, programs)
        self.passed = terms_passed(alike, last)
        state = alike["state"]
        self.graduated = (state == "graduated").to_numpy()
        known = alike["program_code"].isin(reported).to_numpy()
        self.mature = (self.passed >= self.normal) & known
        on_time = self.graduated & within_normal_time(self.terms, self.normal)
        self.state = {
            "on_time": on_time,
            "late": self.graduated & ~on_time,
            "studying": (state == "enrolled").to_numpy(),
            "left": state.isin(DROPOUT_EXITS).to_numpy(),
            "outside": state.isin(OUTSIDE).to_numpy(),
        }
        self.state["entered"] = np.ones(len(alike), bool)
        self.at_risk = alike["band"].isin(AT_RISK).to_numpy()
        self._rows: dict[Name, np.ndarray] = {}
        self._unprinted: set[Name] = set()
        self._groups: list[tuple[Name, list[Name]]] = []

    def add(self, name: Name, often: np.ndarray, *, printed: bool = True) -> None:
        """A count: how often each row of students counts in it; ``printed`` unless only a reader's
        subtraction leads to it."""
        self._rows[name] = often.astype(int)
        if not printed:
            self._unprinted.add(name)

    def whole(self, name: Name, parts: list[Name]) -> None:
        """Which counts are parts of a group: with a small group its zeros are hidden too."""
        self._groups.append((name, parts))

    def values(self) -> dict[Name, int]:
        """Name → students."""
        return {name: int(often @ self.students) for name, often in self._rows.items()}

    def everything(self) -> Told:
        """All counts, none hidden."""
        return Told(self.values())

    def public(self, also: frozenset = frozenset()) -> Told:
        """The counts with those hidden that are small, or that would give a small one away.

        Parameters
        ----------
        also : frozenset
            Names to hide in any case.
        """
        values = self.values()
        few = {name for name, parts in self._groups if 0 < values[name] < THRESHOLD for name in parts}
        hidden = frozenset(few) | also
        rows = {name: np.flatnonzero(often) for name, often in self._rows.items()}
        figures = [
            Figure(
                name,
                {str(at): int(self._rows[name][at]) for at in places},
                told=name not in self._unprinted,
            )
            for name, places in rows.items()
        ]
        weights = {str(at): int(n) for at, n in enumerate(self.students)}
        return Told(values, hidden_jointly(figures, hidden, weights=weights).names)

    def add_cohorts(self, cohorts: list[int]) -> None:
        """``("cohort", cohort, state)`` of :data:`STATES` and "entered"; ``("all", "studying")``."""
        self.add(("all", "studying"), np.isin(self.cohort, cohorts) & self.state["studying"])
        for cohort in cohorts:
            here = self.cohort == cohort
            names = {state: ("cohort", cohort, state) for state in ("entered", *STATES)}
            for state, name in names.items():
                self.add(name, here & self.state[state])
            self.whole(names["entered"], list(names.values()))

    def add_ripe(self, cohorts: list[int]) -> None:
        """``("ripe", cohort, "entered" | "on_time" | "left")``: the part whose normal time has passed."""
        for cohort in cohorts:
            self._add_rates(
                ("ripe", cohort), (self.cohort == cohort) & self.mature, "entered", "on_time", "left"
            )

    def _add_rates(self, name: Name, here: np.ndarray, *states: str, printed: bool = True) -> None:
        for state in states:
            self.add((*name, state), here & self.state[state], printed=printed)
        self.whole((*name, states[0]), [(*name, state) for state in states])

    def add_groups(self, listed: list[str], cohorts: list[int]) -> frozenset[Name]:
        """``("group", group, "entered" | "on_time")`` of some groups, of the cohorts' mature parts.

        What the groups leave of everybody can be computed, so it counts too.

        Returns
        -------
        frozenset
            Names to hide in any case: rates of groups are printed, where a part of nobody would tell of
            everybody (:func:`data.trust.small_cells.hidden_groups`).
        """
        ripe = self.mature & np.isin(self.cohort, cohorts)
        group = self.alike["group"].to_numpy()
        rest = ripe & ~np.isin(group, listed)
        parts = {}
        for name, here in [*((("group", one), ripe & (group == one)) for one in listed), (REST, rest)]:
            self._add_rates(name, here, "entered", "on_time", printed=name != REST)
            n, on_time = (
                int(self.students[here & self.state[state]].sum()) for state in ("entered", "on_time")
            )
            if n:
                parts[name[1]] = {"on_time": on_time, "not": n - on_time}
        hidden = hidden_groups(parts)
        return frozenset(
            ("group", name, state) for name in hidden & set(listed) for state in ("entered", "on_time")
        )

    def add_bands(self, bands: tuple[str, ...], cohorts: list[int]) -> None:
        """``("band", cohort, band)`` and ``("band", cohort, "students")``; ``("all", "at_risk")`` and
        ``("all", "scored")`` over these cohorts."""
        band = self.alike["band"].to_numpy()
        scored = band != ""
        for cohort in cohorts:
            here = self.cohort == cohort
            for one in bands:
                self.add(("band", cohort, one), here & (band == one))
            self.add(("band", cohort, "students"), here & scored)
            self.whole(("band", cohort, "students"), [("band", cohort, one) for one in (*bands, "students")])
        chosen = np.isin(self.cohort, cohorts)
        self.add(("all", "at_risk"), chosen & self.at_risk)
        self.add(("all", "scored"), chosen & scored)

    def add_reasons(self, programs: list[str]) -> None:
        """``("reasons", "students")``: those at risk of some programmes, of every cohort."""
        self.add(("reasons", "students"), self.at_risk & self.alike["program_code"].isin(programs).to_numpy())

    def add_term(self, cohort: int, term: int, followed: frozenset[str], *what: str) -> None:
        """Counts of a cohort in a study term.

        ``("followed", cohort)``: entrants of the programmes whose terms the register holds; of them
        ``("kept", cohort, term)`` registered, on leave or graduated before, and ``("active", cohort, term)``
        registered; of all entrants ``("on_time", cohort, term)`` and ``("left", cohort, term)``, who had
        graduated within the normal time and who had dropped out by the end of the term.
        """
        here = self.cohort == cohort
        seen = here & self.alike["program_code"].isin(followed).to_numpy()
        self.add(("followed", cohort), seen)
        self.add(("cohort", cohort, "entered"), here)
        gone = (self.terms >= 0) & (self.terms <= term)
        make: dict[str, Callable[[], np.ndarray]] = {
            "kept": lambda: (
                seen * (self._did(term) > 0) + seen * (self.graduated & gone & (self.terms < term))
            ),
            "active": lambda: seen & (self._did(term) == STUDIED),
            "on_time": lambda: here & self.state["on_time"] & gone,
            "left": lambda: here & self.state["left"] & gone,
        }
        for name in what:
            self.add((name, cohort, term), make[name]())
            whole = ("followed", cohort) if name in ("kept", "active") else ("cohort", cohort, "entered")
            self.whole(whole, [whole, (name, cohort, term)])

    def _did(self, term: int) -> np.ndarray:
        did = self.alike[f"term_{term}"].to_numpy(int)
        return np.where(did >= ON_LEAVE, did, 0)


@dataclass(frozen=True)
class Reach:
    """How far the register follows an entry cohort.

    Parameters
    ----------
    followed : frozenset of str
        Programmes whose terms it holds.
    terms : tuple of int
        Study terms that all of them have reached.
    """

    followed: frozenset[str] = frozenset()
    terms: tuple[int, ...] = ()


def reach_of(progress: pd.DataFrame) -> dict[int, Reach]:
    """Entry cohort → how far it is followed, as :func:`dashboard.cohorts.summaries.retention` draws it.

    Parameters
    ----------
    progress : DataFrame
        :func:`dashboard.cohorts.summaries.followed`.
    """
    found = {}
    for cohort, rows in progress.groupby("cohort_term"):
        entrants = rows.groupby("term_index")["entrants"].sum()
        terms = entrants.index[entrants == entrants.max()].tolist()
        followed = rows.loc[rows["term_index"] == terms[0], "program_code"]
        found[int(cohort)] = Reach(frozenset(followed), tuple(int(term) for term in terms))
    return found
