"""The submission pack on the Reports page: which tables stand how, prepare, approve and pack all of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.jobs import asking as jobs
from dashboard.jobs.view.job_list import fetch_button
from dashboard.jobs.view.job_progress import any_open, follow
from dashboard.reports import pack, pipeline
from dashboard.reports.profile import profile_about
from dashboard.shell import access, current_session, stores
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from data.trust import reports_store


def makes_packs() -> bool:
    """Whether the reader's role puts submissions together."""
    return "pack" in jobs.kinds_for(current_session.person().role)


def submission(register: pipeline.Register, profile_id: str, program: str, ts: int) -> None:
    """Everything for one programme and TS, without leaving the page.

    Parameters
    ----------
    register : Register
        Of the reader.
    profile_id : str
        The table that the page shows.
    program : str
        Code; empty: the tables of every programme together.
    ts : int
    """
    words = current_session.words()
    section(words("pack.title"), words("pack.help"))
    chosen = _instruments(register, profile_id, program, ts)
    if not chosen:
        return st.caption(words("pack.none"))
    found = pack.standings(stores.store(), current_session.scope(), program, ts, chosen)
    _listed(found)
    if _job(program, ts):
        return
    about = {"program_code": program, "ts": ts, "profiles": list(chosen)}
    with st.container(horizontal=True, key="pack-steps"):
        _steps(found, about)


def _instruments(register: pipeline.Register, profile_id: str, program: str, ts: int) -> list[str]:
    """The tables of the submission; at first those of which there are versions, else what is proposed.

    The choice is kept for each proposal, so that looking at another table of the same instrument keeps it.
    """
    words, scope = current_session.words(), current_session.scope()
    known = pack.instruments(register, program)
    listed = reports_store.report_list(stores.store(), scope)
    begun = listed[(listed["program_code"].fillna("") == program) & (listed["ts_year"] == ts)]["profile"]
    first = pack.proposed(known, program, profile_id)
    at_first = [name for name in known if name in set(begun)] or list(first)
    key = f"pack-tables-{program}-{ts}-{first[0]}"
    chosen = st.multiselect(
        words("pack.tables"),
        known,
        default=at_first,
        format_func=lambda name: pack.instrument_name(name, words.language),
        placeholder=words("streamlit.choose"),
        key=key,
        persist_state="session",
    )
    if profile_id not in chosen:
        _left_out(profile_id, known, at_first, first, key)
    return chosen


def _left_out(
    profile_id: str, known: Sequence[str], at_first: list[str], first: Sequence[str], key: str
) -> None:
    """Why the table that the page shows is not among those of the submission, and the way to take it in."""
    words = current_session.words()
    if profile_id in at_first:
        why = "by_choice"
    elif at_first != list(first):
        why = "begun"
    else:
        why = "field"
    instrument = profile_about(first[0])["instrument"]
    about = {"table": plain(pack.instrument_name(profile_id, words.language)), "instrument": instrument}
    st.caption(words(f"pack.left_out_{why}", **about))
    if profile_id in known:
        st.button(
            words("pack.take_in"),
            icon=":material/add:",
            type="tertiary",
            key="pack-take-in",
            on_click=_take_in,
            args=(key, profile_id),
        )


def _take_in(key: str, profile_id: str) -> None:
    st.session_state[key] = [*st.session_state[key], profile_id]


def _listed(found: list[pack.Standing]) -> None:
    words = current_session.words()
    rows = [
        {
            words("pack.table"): pack.instrument_name(one.profile_id, words.language),
            words("reports.status"): words(f"pack.state_{one.state}"),
            words("reports.version"): one.version or None,
            words("reports.prepared_by"): name_of(one.prepared_by),
            words("reports.approved_by"): name_of(one.approved_by),
        }
        for one in found
    ]
    draw_table(
        pd.DataFrame(rows),
        alt=words("pack.title"),
        key="pack-list",
        stacked="pack",
        column_config={
            words("pack.table"): st.column_config.TextColumn(width="large"),
            words("reports.status"): st.column_config.TextColumn(width="medium"),
            words("reports.version"): st.column_config.NumberColumn(width="small"),
        },
    )
    states = [one.state for one in found]
    st.caption(
        words("pack.counts", all=len(found), **{state: states.count(state) for state in pack.STANDINGS})
    )


def _steps(found: list[pack.Standing], about: dict) -> None:
    words, person = current_session.words(), current_session.person()
    here = about | {"zone": current_session.zone_name()}
    waiting = [one for one in found if one.state == pack.WAITING]
    theirs = [one for one in waiting if not reports_store.same_account(one.prepared_by, person.account)]
    missing = sum(one.state == pack.MISSING for one in found)
    if access.may(person.role, "prepare report"):
        _button("prepare", ":material/lock_clock:", here, words("pack.prepare", n=missing), not missing)
    _button("print-read", ":material/menu_book:", about | {"signed": False}, words("pack.read"), False)
    if access.may(person.role, "approve report"):
        own = not theirs and bool(waiting)
        said = words("pack.approve_own") if own else words("pack.approve_help")
        _button("approve", ":material/lock:", here, words("pack.approve", n=len(theirs)), not theirs, said)
    unsigned = any(one.state != pack.APPROVED for one in found)
    said = words("pack.signed_help") if unsigned else None
    _button("print", ":material/folder_zip:", about | {"signed": True}, words("pack.signed"), unsigned, said)


def _button(act: str, icon: str, about: dict, label: str, disabled: bool, said: str | None = None) -> None:
    st.button(
        label,
        icon=icon,
        key=f"pack-{act}",
        disabled=disabled,
        help=said,
        on_click=_start,
        args=(about | {"act": act.partition("-")[0]},),
    )


def _start(about: dict) -> None:
    st.session_state[Key.PACK_JOB] = jobs.start(stores.store(), current_session.person(), "pack", **about)


def _job(program: str, ts: int) -> bool:
    """The job of this programme and TS that is open or was asked for in this tab; whether one is open."""
    shown = follow("pack", Key.PACK_JOB, lambda job: _about(job, program, ts))
    for job in shown:
        fetch_button(job)
    return any_open(shown)


def _about(job, program: str, ts: int) -> bool:
    return (job.arguments.get("program_code"), job.arguments.get("ts")) == (program, ts)
