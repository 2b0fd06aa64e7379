"""What changed this week for one advisor's students: who is new in the bands, who got worse, what is due.

Only news: whoever was contacted lately or is snoozed stays quiet, and so does everybody whose score held. The
share acted on counts logged steps; it is no measure of what they achieved.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pandas as pd

from dashboard.cases.caseload import movement
from dashboard.cases.followups import urgency
from dashboard.cases.standing import levels
from dashboard.students.telling import by_place
from data import queries
from data.store import Store
from data.trust.scope import Scope
from fusion.service.rule import ruled
from fusion.service.sources import served_model
from fusion.validation.fitness import unfit
from fusion.validation.footing import Footing, footing

DAYS = 7
CHANGED = ("new", "worse")
FAR = 2  # level of the rule from which on a student is named
MOST = 500  # of the highest risks are looked at


@dataclass(frozen=True)
class Digest:
    """A week of one advisor.

    Parameters
    ----------
    first, last : date
        The days it covers, both included.
    new, worse, waiting : DataFrame
        Rows of ``queries.caseload``: entered the bands high or very high, or rose by 5 points or more, at a
        scoring of these days; and, from an earlier scoring, those without a logged step since.
    due : DataFrame
        Rows of ``queries.followups_due`` up to seven days ahead.
    acted, changed : int
        Of those who entered or rose at their newest scoring: how many have a logged step since, and all.
    first_scoring : bool
        Whether nobody had been scored before these days: what moved is told against the term before, it did
        not happen this week.
    footing : Footing
        Whether lines tell counts or places in the order.
    off_track : DataFrame
        Where no model speaks: rows of ``queries.standing`` that the credits-and-GPA rule calls far off track,
        or off on both counts.
    by_rule : bool
        Whether no model speaks.
    """

    first: date
    last: date
    new: pd.DataFrame
    worse: pd.DataFrame
    waiting: pd.DataFrame
    due: pd.DataFrame
    acted: int
    changed: int
    first_scoring: bool = False
    footing: Footing = Footing()
    off_track: pd.DataFrame = field(default_factory=pd.DataFrame)
    by_rule: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not any(map(len, (self.new, self.worse, self.waiting, self.due, self.off_track)))


def build(
    listed: pd.DataFrame,
    events: pd.DataFrame,
    quiet: list[str],
    due: pd.DataFrame,
    today: date,
    newest: int | None = None,
) -> Digest:
    """Put a week together.

    Parameters
    ----------
    listed : DataFrame
        Rows of ``queries.caseload`` with ``scored_at`` (UTC).
    events : DataFrame
        ``queries.last_events``: each student's newest step.
    quiet : list of str
        ``queries.quiet_students``.
    due : DataFrame
        ``queries.followups_due``.
    today : date
        The last day covered.
    newest : int, optional
        The last completed term: a score as of an earlier one is no news.
    """
    first = today - timedelta(days=DAYS - 1)
    moved = movement(listed, newest)
    changed = moved.isin(CHANGED)
    stepped = listed["student_key"].map(dict(zip(events["student_key"], events["at"], strict=True)))
    acted = changed & (pd.to_datetime(stepped) >= listed["scored_at"])
    untold = changed & ~acted & ~listed["student_key"].isin(quiet)
    fresh = listed["scored_at"] >= pd.Timestamp(first)
    return Digest(
        first=first,
        last=today,
        new=listed[untold & fresh & (moved == "new")].reset_index(drop=True),
        worse=listed[untold & fresh & (moved == "worse")].reset_index(drop=True),
        waiting=listed[untold & ~fresh].reset_index(drop=True),
        due=due.reset_index(drop=True),
        acted=int(acted.sum()),
        changed=int(changed.sum()),
    )


def gather(store: Store, scope: Scope, target: str, today: date) -> Digest:
    """Read what a digest needs and put it together."""
    listed = queries.caseload(store, scope, target, MOST)
    served = served_model(store)
    silent = target in ruled(store) or (served is not None and target in unfit(served.manifest))
    told = Footing() if served is None or silent else footing(served.manifest, target)
    if silent:
        listed = listed.iloc[:0]
    if told.ranks:
        listed = by_place(listed, queries.places(store, scope, target, listed["student_key"].tolist()))
    days = queries.scored_at(store, scope, listed["score_id"].tolist())
    listed = listed.assign(scored_at=pd.to_datetime(listed["score_id"].map(days)))
    events, quiet = queries.last_events(store, scope), queries.quiet_students(store, scope, today)
    due = queries.followups_due(store, scope, today + timedelta(days=DAYS))
    week = build(listed, events, quiet, due, today, queries.newest_term(store, scope))
    began = queries.first_scored(store)
    return replace(
        week,
        first_scoring=began is not None and began.date() >= week.first,
        footing=told,
        off_track=_off_track(store, scope, quiet) if silent else pd.DataFrame(),
        by_rule=silent,
    )


def _off_track(store: Store, scope: Scope, quiet: list[str]) -> pd.DataFrame:
    """Students whom the rule calls off track on both counts or far off, the furthest first."""
    rows = queries.standing(store, scope)
    rows = rows[(rows["terms_over"] < rows["normal_terms"]) & ~rows["student_key"].isin(quiet)]
    rows = rows.assign(level=levels(rows))
    return rows[rows["level"] >= FAR].sort_values(
        ["level", "gpa_cum", "student_key"], ascending=[False, True, True], ignore_index=True
    )


def overdue(digest: Digest) -> int:
    """Steps whose day has passed."""
    days = (date.fromisoformat(day) for day in digest.due["due_on"])
    return sum(urgency(day, digest.last) == "overdue" for day in days)
