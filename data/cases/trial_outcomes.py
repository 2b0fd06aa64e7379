"""What became of those drawn, by group; and how much help stands between scores and outcomes at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Connection, and_, func, select

from data import schema
from data.calendar.setting import study_calendar
from data.calendar.study_time import study_time
from data.calendar.term_calendar import ordinal, term_after
from data.cases.trial_queries import Trial, is_help
from data.columns import DROPOUT_EXITS, REGISTERED, TRIAL_ARMS
from data.engine.bulk import fetch
from data.engine.database import Store
from data.scores.standing import newest_over


def ripe_on(connection: Connection, trial: Trial) -> date:
    """The day that the register must reach before the outcomes of everybody drawn are known."""
    lots, calendar = schema.trial_students, study_calendar(connection)
    latest = connection.scalar(select(func.max(lots.c.as_of_term)).where(lots.c.trial_id == trial.trial_id))
    if latest is None:  # everybody was erased since
        latest = newest_over(1, trial.protocol.draw_from)
    return calendar.closing_day(term_after(latest, trial.protocol.outcome_terms))


def outcomes_of(connection: Connection, trial: Trial) -> pd.DataFrame:
    """Everybody drawn whom the register still has: ``student_key, list_name, arm, happened`` (bool)."""
    lots, exits, owner = schema.trial_students, schema.outcomes, schema.students
    columns = [lots.c.student_key, lots.c.list_name, lots.c.arm, lots.c.as_of_term, owner.c.cohort_term]
    columns += [exits.c.exit_type, exits.c.exit_term, exits.c.exit_date, exits.c.terms_to_exit]
    joined = lots.join(owner, owner.c.student_key == lots.c.student_key)
    joined = joined.outerjoin(exits, exits.c.student_key == lots.c.student_key)
    mine = lots.c.trial_id == trial.trial_id
    found = fetch(connection, select(*columns).select_from(joined).where(mine).order_by(lots.c.student_key))
    left_in = study_time(found, study_calendar(connection))["exit_term"]
    ends = [term_after(int(term), trial.protocol.outcome_terms) for term in found["as_of_term"]]
    gone = pd.Series(
        [
            pd.notna(term) and ordinal(int(term)) <= ordinal(end)
            for term, end in zip(left_in, ends, strict=True)
        ],
        index=found.index,
        dtype=bool,
    )
    if trial.protocol.outcome == "left":
        happened = gone & found["exit_type"].isin(DROPOUT_EXITS)
    else:
        studying = _registered_in(connection, trial, dict(zip(found["student_key"], ends, strict=True)))
        finished = gone & (found["exit_type"] == "graduated")
        happened = ~(found["student_key"].isin(studying) | finished)
    return found[["student_key", "list_name", "arm"]].assign(happened=happened.to_numpy(bool))


def _registered_in(connection: Connection, trial: Trial, last_terms: dict[str, int]) -> set[str]:
    """Those of a trial who were registered in their last term."""
    lots, terms = schema.trial_students, schema.terms
    statement = (
        select(terms.c.student_key, terms.c.term_id)
        .join(lots, lots.c.student_key == terms.c.student_key)
        .where(lots.c.trial_id == trial.trial_id, terms.c.status.in_(REGISTERED))
    )
    return {key for key, term in connection.execute(statement) if term == last_terms.get(key)}


def counted(connection: Connection, trial: Trial) -> dict[str, dict[str, int]]:
    """Per group: ``students`` and ``events`` that the register has; ``erased`` since the draw; ``helped``.

    ``helped`` counts those with a contact or an agreed step logged from the draw until the day of reading.
    """
    found = outcomes_of(connection, trial)
    helped = set(connection.scalars(_helped(trial)))
    counts = {}
    for arm in TRIAL_ARMS:
        mine = found[found["arm"] == arm]
        counts[arm] = {
            "students": len(mine),
            "events": int(mine["happened"].sum()),
            "erased": trial.drawn_into(arm) - len(mine),
            "helped": int(mine["student_key"].isin(helped).sum()),
        }
    return counts


def _helped(trial: Trial):
    lots, events = schema.trial_students, schema.case_events
    within = and_(events.c.at >= lots.c.drawn_on, events.c.at <= trial.protocol.read_on)
    joined = lots.join(events, events.c.student_key == lots.c.student_key)
    mine = lots.c.trial_id == trial.trial_id
    return select(lots.c.student_key).select_from(joined).where(mine, within, *is_help()).distinct()


@dataclass(frozen=True)
class HelpSince:
    """Help between a student's first score and the exit.

    Parameters
    ----------
    left : int
        Students with a score and, later, an exit.
    helped : int
        Those among them with a contact or an agreed step logged in between.
    """

    left: int
    helped: int


def help_since_scores(store: Store, model_version: str | None = None) -> HelpSince:
    """How many labels that came after a score came after help as well. No scope: two counts of everybody.

    Parameters
    ----------
    model_version : str, optional
        Only scores of this model.
    """
    scores, exits, events = schema.scores, schema.outcomes, schema.case_events
    first = select(scores.c.student_key, func.min(scores.c.scored_at).label("scored_at"))
    if model_version is not None:
        first = first.where(scores.c.model_version == model_version)
    first = first.group_by(scores.c.student_key).subquery()
    ended = exits.join(first, first.c.student_key == exits.c.student_key)
    later = and_(exits.c.exit_type.is_not(None), exits.c.exit_date >= func.date(first.c.scored_at))
    left = select(func.count()).select_from(ended).where(later)
    between = and_(
        events.c.student_key == exits.c.student_key,
        events.c.at >= first.c.scored_at,
        events.c.at <= exits.c.exit_date,
    )
    helped = (
        select(func.count(exits.c.student_key.distinct()))
        .select_from(ended.join(events, between))
        .where(later, *is_help())
    )
    with store.reading() as connection:
        return HelpSince(connection.scalar(left) or 0, connection.scalar(helped) or 0)
