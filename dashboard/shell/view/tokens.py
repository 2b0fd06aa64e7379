"""Tokens on the page: their state, one made and shown once, one ended."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.shell import current_session, stores
from dashboard.shell.access import may_end_token, may_give_token
from dashboard.shell.plain import shown
from dashboard.shell.view.account_names import name_of
from dashboard.shell.wording import EMPTY
from data.trust.tokens import DEFAULT_DAYS, MOST_DAYS, SCOPES, Token, create_token, revoke_token


def table(listed: list[Token]) -> None:
    """Every token: what it may, where, until when, last used."""
    words = current_session.words()
    section(words("tokens.list_title"))
    frame = pd.DataFrame(
        {
            words("tokens.name"): [one.name for one in listed],
            words("tokens.state"): [words(f"tokens.state_{one.state()}") for one in listed],
            words("tokens.scopes"): [_scopes(one.scopes) for one in listed],
            words("tokens.programs"): [_programs(one.program_codes) for one in listed],
            words("tokens.until"): [current_session.day(one.expires_at) for one in listed],
            words("tokens.used"): [current_session.day(one.last_used_at) for one in listed],
            words("tokens.by"): [name_of(one.created_by) for one in listed],
        }
    )
    draw_table(frame, alt=words("tokens.list_title"))


def _programs_asked(own: list[str], programs: dict[str, str]) -> list[str]:
    words, person = current_session.words(), current_session.person()
    return st.multiselect(
        words("tokens.programs"),
        own,
        format_func=lambda code: shown(f"{code} {programs.get(code, '')}"),
        help=words("tokens.programs_help") if person.program_codes is None else None,
        placeholder=words("streamlit.choose"),
        key="token-programs",
    )


def make_form() -> None:
    """Make a token; it is shown in this run and in no other."""
    words, person = current_session.words(), current_session.person()
    section(words("tokens.make_title"), words("tokens.make_help"))
    programs = stores.programs()
    own = list(programs) if person.program_codes is None else list(person.program_codes)
    with st.form("make-token", border=False):
        name = st.text_input(words("tokens.name"), key="token-name", max_chars=60)
        scopes = st.multiselect(
            words("tokens.scopes"),
            SCOPES,
            format_func=lambda name: words(f"tokens.scope_{name}"),
            placeholder=words("streamlit.choose"),
            key="token-scopes",
        )
        codes = _programs_asked(own, programs) if own else []
        days = st.number_input(words("tokens.days"), 1, MOST_DAYS, DEFAULT_DAYS, key="token-days")
        if not st.form_submit_button(words("tokens.make"), type="primary", icon=":material/key:"):
            return
    reach = tuple(codes) if codes else None
    if not may_give_token(person, reach):
        st.error(words("tokens.reach"), icon=":material/block:")
        return
    if not name.strip() or not scopes:
        st.error(words("tokens.lacking"))
        return
    about = {"program_codes": reach, "days": int(days), "actor": person.account, "role": person.role}
    try:
        _, secret = create_token(stores.store(), name.strip(), scopes, **about)
    except ValueError:
        st.error(words("tokens.refused"))
        return
    st.success(words("tokens.made"), icon=":material/visibility:")
    st.code(secret, language=None)


def end_form(listed: list[Token]) -> None:
    """End a token at once."""
    words, person = current_session.words(), current_session.person()
    names = [one.name for one in listed if one.state() == "valid"]
    if not names or not may_end_token(person):
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="end-token-row"):
        name = st.selectbox(
            words("tokens.end_which"),
            names,
            index=None,
            placeholder=words("streamlit.choose"),
            key="end-token-name",
        )
        st.button(
            words("tokens.end"),
            icon=":material/block:",
            key="end-token",
            disabled=name is None,
            on_click=_end,
            args=(name,),
        )


def _end(name: str) -> None:
    person = current_session.person()
    if person is not None and may_end_token(person):
        revoke_token(stores.store(), name, actor=person.account, role=person.role)


def _scopes(scopes: tuple[str, ...]) -> str:
    words = current_session.words()
    return ", ".join(words(f"tokens.scope_{one}") for one in scopes)


def _programs(codes: tuple[str, ...] | None) -> str:
    return current_session.words()("tokens.every_program") if codes is None else ", ".join(codes) or EMPTY
