"""Planning a trial: how many students it takes, how many are near the line, and registering the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import streamlit as st

from dashboard.cases import trials
from dashboard.components.layout import section
from dashboard.components.numbers import decimal_field
from dashboard.shell import access, caches, current_session, stores
from dashboard.shell.plain import shown
from dashboard.shell.session_keys import Key
from data import queries
from data.calendar.setting import study_calendar
from data.cases.trial_protocol import (
    LEAST_PLANNED,
    LISTS,
    LONGEST_TITLE,
    OUTCOMES,
    Protocol,
    earliest_reading,
)
from data.cases.trial_queries import Trial
from data.columns import TARGETS
from data.trust.small_cells import THRESHOLD
from fusion.trial.power import needed, power_of, smallest_found

DRAWING, OFFERING = timedelta(days=365), 60
EVERY = ""


def plan(registered: Sequence[Trial]) -> None:
    """The calculator, and below it the form that registers what was planned.

    Parameters
    ----------
    registered : sequence of Trial
        The trials there are: the form is empty again once one more is registered.
    """
    words, person = current_session.words(), current_session.person()
    section(words("trial.plan_title"), words("trial.plan_help"))
    if not access.may(person.role, "register trial"):
        return
    whom, what = _whom(), _what()
    if what is None:  # the field says why
        return
    fields = whom | what
    least = needed(fields["base_rate"], fields["difference"])
    st.markdown(
        words(
            "trial.needed",
            n=least,
            base=words.percent(fields["base_rate"], 1),
            other=words.percent(fields["base_rate"] - fields["difference"], 1),
        )
    )
    today = current_session.today()
    draft = partial(Protocol, **fields)
    trial = draft("-", planned=least, power=0.8, **_days(today, today))
    _at_hand(*_near_the_line(trial, registered), fields["base_rate"])
    _register(draft, least, len(registered))


def _near_the_line(trial: Protocol, registered: Sequence[Trial]) -> tuple[int, int]:
    """Students and lists that a draw would take now: asked once until scores or the students drawn change."""
    lists = (trial.program_code, trial.target, trial.lists, trial.capacity, trial.window)
    drawn = tuple((one.trial_id, one.draws) for one in registered)
    ask = partial(queries.count_near_the_line, stores.store(), current_session.scope(), trial)
    return caches.made_once("near-the-line", (*lists, *drawn), ask)


def _whom() -> dict:
    """Whose lists, how long, and how many on either side of the line."""
    words, person = current_session.words(), current_session.person()
    programs = stores.programs()
    reached = [EVERY, *programs] if person.program_codes is None else list(person.program_codes)
    first, second = st.columns(2)
    with first:
        code = st.selectbox(
            words("trial.program"),
            reached,
            format_func=lambda one: (
                shown(f"{one} {programs.get(one, '')}") if one else words("trial.every_program")
            ),
            key="trial-program",
        )
        target = st.selectbox(
            words("trial.target"), TARGETS, format_func=lambda one: words(f"target.{one}"), key="trial-target"
        )
        lists = st.selectbox(
            words("trial.lists"),
            LISTS,
            format_func=lambda one: words(f"trial.lists_{one}"),
            key="trial-lists",
        )
    with second:
        capacity = st.number_input(words("trial.capacity"), 1, 500, 20, key="trial-capacity")
        window = st.number_input(
            words("trial.window"),
            1,
            int(capacity),
            min(10, int(capacity)),
            help=words("trial.window_help"),
            key="trial-window",
        )
    whom = {"program_code": code or None, "target": target, "lists": lists}
    return whom | {"capacity": int(capacity), "window": int(window), "block": 4}


def _what() -> dict | None:
    """Outcome, how often it is expected, and the smallest fall worth the talks; None while one is wrong."""
    words = current_session.words()
    first, second = st.columns(2)
    with first:
        outcome = st.selectbox(
            words("trial.outcome"),
            OUTCOMES,
            format_func=lambda one: words(f"trial.outcome_name_{one}"),
            key="trial-outcome",
        )
        terms = st.number_input(words("trial.terms"), 1, 8, 2, key="trial-terms")
    with second:
        base = decimal_field(words("trial.base_rate"), 1.0, 99.0, 30.0, key="trial-base")
        most = 99.0 if base is None else base
        least = decimal_field(words("trial.difference"), 0.5, most, min(5.0, most), key="trial-difference")
    if base is None or least is None:
        return None
    return {
        "outcome": outcome,
        "outcome_terms": int(terms),
        "base_rate": base / 100,
        "difference": least / 100,
    }


def _at_hand(count: int, lists: int, base_rate: float) -> None:
    """What one draw of today would take, and what so many could find."""
    words = current_session.words()
    if count < THRESHOLD:
        st.caption(words("trial.at_hand_none"))
        return
    least = smallest_found(count, base_rate)
    found = words("trial.finds_nothing") if least is None else words.number(100 * least, 1)
    st.caption(words("trial.at_hand" if least else "trial.at_hand_few", n=count, lists=lists, points=found))


def _register(draft: partial[Protocol], least: int, registered: int) -> None:
    words, today = current_session.words(), current_session.today()
    with st.form("register-trial", border=False):
        title = st.text_input(
            words("trial.title_of"), key=f"trial-title-{registered}", max_chars=LONGEST_TITLE
        )
        planned = st.number_input(
            words("trial.planned"),
            LEAST_PLANNED,
            100_000,
            max(least, LEAST_PLANNED),
            key=f"trial-planned-{least}",
        )
        first, second, third = st.columns(3)
        draw_from = first.date_input(words("trial.draw_from"), today, key="trial-from")
        draw_until = second.date_input(words("trial.draw_until"), today + DRAWING, key="trial-until")
        days = third.number_input(words("trial.offer_days"), 1, 365, OFFERING, key="trial-days")
        st.caption(words("trial.fixed"))
        sure = st.checkbox(words("trial.sure"), key=f"trial-sure-{registered}")
        if not st.form_submit_button(words("trial.register"), type="primary", icon=":material/lock:"):
            return
    if not sure or not title.strip():
        st.warning(words("trial.needs_title"))
        return
    dates = _days(draw_from, draw_until, draft.keywords["outcome_terms"]) | {"offer_days": int(days)}
    power = power_of(int(planned), draft.keywords["base_rate"], draft.keywords["difference"])
    protocol = draft(title, planned=int(planned), power=min(power, 0.999), **dates)
    try:
        trials.register(stores.store(), current_session.person(), protocol, today)
    except ValueError:
        st.error(words("trial.refused_protocol"))
        return
    st.session_state[Key.TRIAL_TOLD] = (True, words("trial.done_register"))
    st.rerun()


def _days(draw_from: date, draw_until: date, terms: int = 1) -> dict:
    with stores.store().reading() as connection:
        read_on = earliest_reading(draw_until, terms, study_calendar(connection))
    return {"draw_from": draw_from, "draw_until": draw_until, "offer_days": OFFERING, "read_on": read_on}
