"""What an overview counts: students, outcomes and terms of the programme and cohort chosen, from cubes."""

from __future__ import annotations

from functools import cached_property, partial

import pandas as pd

from dashboard.cohorts import compare, summaries
from dashboard.cohorts.counted import Counts, Told
from dashboard.cohorts.summaries import Cut
from dashboard.components.filters import GroupFilter
from dashboard.shell import caches, stores
from data import queries
from data.columns import TARGETS
from data.scores.prospects import GROUPS


class Given:
    """What an overview is drawn from, narrowed to a programme and cohort; each part when it is asked for.

    Parameters
    ----------
    chosen : GroupFilter
    """

    def __init__(self, chosen: GroupFilter) -> None:
        self.chosen = chosen
        told = tuple(stores.counts_hold(target) for target in TARGETS)  # an alarm may come without new scores
        self.about = (*vars(chosen).values(), *told)

    @cached_property
    def programs(self) -> pd.DataFrame:
        """Every programme."""
        return stores.program_table()

    @cached_property
    def flow(self) -> pd.DataFrame:
        """Students by entry, state and time to exit."""
        return self.narrowed(queries.flow_counts)

    @cached_property
    def progress(self) -> pd.DataFrame:
        """What became of each entry cohort, term by term."""
        return followed().chosen(self.chosen.program_code, self.chosen.cohort_term)

    @cached_property
    def silent(self) -> bool:
        """Whether nothing may be counted of the target: no model may speak, or only of the order."""
        return not stores.counts_hold(self.chosen.target)

    @cached_property
    def cube(self) -> pd.DataFrame:
        """Students by band, of those for whom the target still is a risk; empty where no model may speak."""
        return self.of_risk(queries.cohort_cube)

    def of_risk(self, query) -> pd.DataFrame:
        """What a query of scores counts; no row where no model may speak about the target."""
        counted = self.narrowed(query, self.chosen.target)
        return counted.iloc[:0] if self.silent else counted

    @cached_property
    def past(self) -> int:
        """Enrolled students whose normal time is over."""
        return int(self.narrowed(queries.past_normal_counts)["students"].sum())

    @cached_property
    def reported(self) -> frozenset[str]:
        """Programmes of which any exit is recorded, in whatever cohort."""
        return caches.made_once("reported", (), lambda: summaries.reported(cut(queries.flow_counts).whole))

    @cached_property
    def last(self) -> int | None:
        """The last completed term."""

        def make() -> int | None:
            return summaries.last_completed_term(self.progress, caches.read_once(queries.last_closed_term))

        return caches.made_once("last-term", self.about, make)

    @cached_property
    def cohorts(self) -> pd.DataFrame:
        """Where each entry cohort stands (:func:`dashboard.cohorts.summaries.outcomes`), worked out once."""
        return caches.made_once("by-cohort", self.about, partial(self.outcomes, "cohort_term"))

    def outcomes(self, by: str) -> pd.DataFrame:
        """Where each cohort or programme stands."""
        return summaries.outcomes(self.flow, self.programs, by, self.last, self.reported)

    def narrowed(self, query, *arguments) -> pd.DataFrame:
        """What a query counts, for the programme and cohort chosen."""
        return cut(query, *arguments).chosen(self.chosen.program_code, self.chosen.cohort_term)


def cut(query, *arguments) -> Cut:
    """What a query counts, ready to be narrowed to a programme and a cohort."""
    about = (query.__module__, query.__qualname__, *arguments)
    return caches.made_once("cut", about, lambda: Cut(caches.read_once(query, *arguments)))


def followed() -> Cut:
    """What became of every entry cohort, term by term (:func:`dashboard.cohorts.summaries.followed`)."""

    def make() -> Cut:
        flow, closed = caches.read_once(queries.flow_counts), caches.read_once(queries.last_closed_term)
        return Cut(summaries.followed(caches.read_once(queries.retention), flow, closed))

    return caches.made_once("followed", (), make)


def told_of(given: Given) -> Told:
    """What the page tells of every cohort of the programme, the same in its charts and side by side."""
    about = (given.chosen.target, given.chosen.program_code)
    return caches.made_once("told-cohorts", about, partial(_told_of, given))


def _told_of(given: Given) -> Told:
    flow, terms = _flow_of(given), terms_shown(given)
    last = caches.read_once(queries.last_closed_term)
    seen = compare.seen_cohorts(flow, progress_of(given), last, terms)
    values = compare.values_of_cubes(flow, progress_of(given), given.programs, seen, terms)
    return compare.told_on_page(values, sorted(seen), terms)


def _flow_of(given: Given) -> pd.DataFrame:
    """Who entered the programme chosen, and what became of them: every cohort."""
    return cut(queries.flow_counts).chosen(given.chosen.program_code, None)


def cohorts_of(given: Given) -> list[int]:
    """Entry cohorts of the programme chosen, the newest first."""
    flow = _flow_of(given)
    return sorted((int(cohort) for cohort in flow["cohort_term"].unique()), reverse=True)


def progress_of(given: Given) -> pd.DataFrame:
    """What became of every cohort of the programme chosen, term by term."""
    return followed().chosen(given.chosen.program_code, None)


def terms_shown(given: Given) -> int:
    """How many study terms stand side by side."""
    code, programs = given.chosen.program_code, given.programs
    own = programs if code is None else programs[programs["program_code"] == code]
    return compare.longest(own["normal_terms"])


def counted(given: Given, attribute: str) -> Counts:
    """The counts of every cohort of the programme chosen, groups formed by ``attribute``."""
    alike = _alike(given, attribute)
    if given.silent:
        alike = alike.assign(band="")
    return Counts(alike, given.programs, given.last, given.reported)


def seen_cohorts(given: Given) -> dict[int, compare.Seen]:
    """How far the register sees every cohort of the programme chosen."""
    last, alike = caches.read_once(queries.last_closed_term), _alike(given, GROUPS[0])
    return compare.seen_cohorts(alike, progress_of(given), last, terms_shown(given))


def _alike(given: Given, attribute: str) -> pd.DataFrame:
    arguments = (given.chosen.target, attribute, terms_shown(given), given.chosen.program_code)
    return caches.read_once(queries.counted_alike, *arguments)


def judged(given: Given, chosen: list[int]) -> tuple[Counts, Told]:
    """The counts of some cohorts, and what the page tells of them."""
    counts = counted(given, GROUPS[0])
    counts.add_cohorts(chosen)
    compare.add_side_by_side(counts, chosen, seen_cohorts(given), terms_shown(given))
    return counts, Told(counts.values(), told_of(given).hidden)
