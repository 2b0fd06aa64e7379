"""The institution: its name, the clock that everything is told on, and who signs reports where."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

import streamlit as st

from dashboard.components.layout import section
from dashboard.reports.provenance import SIGNATORIES
from dashboard.reports.words import clock_of, say
from dashboard.shell import current_session, stores
from dashboard.shell.access import may_change_register
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from data.calendar.academic_year import AcademicCalendar
from data.calendar.setting import (
    LONGEST_NAME,
    NAME,
    SETTINGS,
    change_settings,
    rename_institution,
)
from data.engine.shown_text import one_line, shown
from data.store import get_fact

INDONESIA = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
LONGEST_NUMBER = 60


def institution_panel() -> None:
    """What is set, and a form to change it; nothing for whoever may not."""
    words, store = current_session.words(), stores.store()
    if not may_change_register(current_session.person(), "describe institution"):
        return
    section(words("institution.title"), words("institution.help"))
    if st.session_state.pop(Key.INSTITUTION_TOLD, False):
        st.success(words("institution.saved"), icon=":material/check:")
    name, settings = get_fact(store, NAME) or "", get_fact(store, SETTINGS) or {}
    zone = settings.get("time_zone") or ""
    clock = words("institution.clock", clock=clock_of(zone), zone=zone) if zone else ""
    lines = [
        words("institution.named", name=plain(name)) if name else words("institution.nameless"),
        clock or words("institution.clockless"),
        *_signing(settings),
        words(
            "institution.calendar",
            month=words.month(settings.get("start_month") or AcademicCalendar().start_month),
        ),
    ]
    st.markdown("\n".join(f"- {line}" for line in lines))
    with st.expander(words("institution.change"), icon=":material/edit:", expanded=not (name and zone)):
        _form(name, settings)


def _signing(settings: dict) -> list[str]:
    """Where and by whom reports are signed, as far as that is set."""
    words, numbers = current_session.words(), settings.get("signatory_numbers", {})
    place = settings.get("place")
    lines = [words("institution.signed_in", place=plain(place))] if place else []
    for role, name in settings.get("signatories", {}).items():
        told = ", ".join(filter(None, (name, numbers.get(role))))
        lines.append(words("institution.signs", role=say(words.language, role), name=plain(told)))
    return lines


def _form(name: str, settings: dict) -> None:
    words = current_session.words()
    with st.form("institution-form", border=False):
        given = st.text_input(
            words("institution.name"), shown(name), max_chars=LONGEST_NAME, key="institution-name"
        )
        held = settings.get("time_zone") or st.context.timezone or ""
        zones = _zones()
        if settings.get("time_zone"):  # whatever it is called: saving the rest must not take it away
            zones = {held: f"{held} ({clock_of(held)})"} | zones
        zone = st.selectbox(
            words("institution.zone"),
            list(zones),
            list(zones).index(held) if held in zones else None,
            format_func=zones.__getitem__,
            key="institution-zone",
            help=words("institution.zone_help"),
            placeholder=words("institution.zone_none"),
        )
        place = st.text_input(
            words("institution.place"),
            shown(settings.get("place", "")),
            max_chars=LONGEST_NAME,
            key="institution-place",
            help=words("institution.place_help"),
        )
        people, numbers = {}, {}
        for role in SIGNATORIES:
            title = say(words.language, role)
            left, right = st.columns(2)
            people[role] = left.text_input(
                title,
                shown(settings.get("signatories", {}).get(role, "")),
                max_chars=LONGEST_NAME,
                key=f"institution-{role}",
                help=words("institution.signs_help"),
            )
            numbers[role] = right.text_input(
                words("institution.number", who=title),
                shown(settings.get("signatory_numbers", {}).get(role, "")),
                max_chars=LONGEST_NUMBER,
                key=f"institution-{role}-number",
                help=words("institution.number_help"),
            )
        if st.form_submit_button(words("institution.save"), type="primary", key="institution-save"):
            if not given.strip():
                st.error(words("institution.name_missing"), icon=":material/error:")
                return
            _save(given, {"time_zone": zone, "place": one_line(place)}, people, numbers)


def _save(name: str, given: dict, people: dict[str, str], numbers: dict[str, str]) -> None:
    person, store = current_session.person(), stores.store()
    if not may_change_register(person, "describe institution"):
        raise PermissionError("the institution is described by an administrator or by accreditation staff")
    told = {"signatories": people, "signatory_numbers": numbers}
    filled = {
        field: {role: one_line(text) for role, text in texts.items() if text.strip()} or None
        for field, texts in told.items()
    }
    by = {"actor": person.account, "role": person.role}
    rename_institution(store, one_line(name), **by)
    change_settings(store, {field: value or None for field, value in (given | filled).items()}, **by)
    st.session_state[Key.INSTITUTION_TOLD] = True
    st.rerun()


@cache
def _zones() -> dict[str, str]:
    """Every place that has a clock, Indonesia's first, with the name of the clock."""
    places = {zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")}
    return {zone: f"{zone} ({clock_of(zone)})" for zone in (*INDONESIA, *sorted(places - {*INDONESIA}))}
