"""Whom and what PDDikti Feeder did not have when it was last asked, of everybody that our register holds now.

It is read from what the pulls remember (:func:`data.feeder.reconcile.remember`); nothing is asked of Feeder
here. Who stood there once counts as reported although it vanished since: the pull itself lists that.
"""

from __future__ import annotations

import pandas as pd
from sqlalchemy import select

from data import schema
from data.columns import REGISTERED
from data.engine.bulk import fetch
from data.engine.database import Store
from data.feeder import staging
from data.feeder.reconcile import ASKED, EXIT, SEEN, STUDENT, TERM

COLUMNS = ("student_key", "asked_on", "in_pddikti", "exit_in_pddikti", "unreported_years")
YES, NO = "yes", "no"


def reported(store: Store, flow: pd.DataFrame) -> pd.DataFrame:
    """What Feeder had of each student when the student's entry term was last asked for.

    Parameters
    ----------
    store : Store
    flow : DataFrame
        Whom to tell of (:func:`data.calendar.cohorts.build_flow`): ``student_key``, ``cohort_term`` and
        ``exit_type``, "enrolled" for who has not left.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`, one row per row of ``flow``. ``asked_on`` is the day of that pull
        (YYYY-MM-DD), null where no pull has ever asked for the entry term; then nothing else is told.
        ``in_pddikti`` and ``exit_in_pddikti`` are "yes" or "no", the latter null for who has not left;
        ``unreported_years`` is a tuple of the academic years in which a regular term of active study of ours
        stands nowhere in Feeder.
    """
    asked, seen = staging.kept(store, ASKED), staging.kept(store, SEEN)
    found, terms, active = flow[["student_key", "cohort_term"]].copy(), schema.terms, None
    if asked:
        studied = select(terms.c.student_key, terms.c.term_id).where(terms.c.status.in_(REGISTERED))
        with store.reading() as connection:
            active = fetch(connection, studied)
    found["asked_on"] = [asked.get(str(term)) for term in found.pop("cohort_term")]
    known = found["asked_on"].notna().tolist()
    had = {what: {key for key, rows in seen.items() if [what, 0] in rows} for what in (STUDENT, EXIT)}
    left = (flow["exit_type"] != "enrolled").tolist()
    keys = found["student_key"].tolist()
    found["in_pddikti"] = [
        (YES if key in had[STUDENT] else NO) if told else None for key, told in zip(keys, known, strict=True)
    ]
    found["exit_in_pddikti"] = [
        (YES if key in had[EXIT] else NO) if told and gone else None
        for key, told, gone in zip(keys, known, left, strict=True)
    ]
    years = {} if active is None else _unreported_years(active, seen)
    found["unreported_years"] = [
        years.get(key, ()) if told else () for key, told in zip(keys, known, strict=True)
    ]
    return found[list(COLUMNS)]


def _unreported_years(active: pd.DataFrame, seen: dict[str, list]) -> dict[str, tuple[int, ...]]:
    """Student → academic years with a regular term of active study that Feeder never had."""
    there = {(key, term) for key, rows in seen.items() for what, term in rows if what == TERM}
    lacking: dict[str, set[int]] = {}
    for key, term in zip(active["student_key"].tolist(), active["term_id"].tolist(), strict=True):
        if term % 10 in (1, 2) and (key, term) not in there:
            lacking.setdefault(key, set()).add(term // 10)
    return {key: tuple(sorted(years)) for key, years in lacking.items()}
