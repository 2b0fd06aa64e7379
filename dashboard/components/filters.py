"""Filters that keep their value across pages and in the address, without personal data in it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard import app_state
from dashboard.components.view_menu import list_lengths, take_view, view_menu
from dashboard.glossary import linked
from data.columns import BANDS, TARGETS


@dataclass(frozen=True)
class GroupFilter:
    """What a page of aggregates is about.

    Parameters
    ----------
    target : str
        One of :data:`data.columns.TARGETS`.
    program_code, cohort_term : or None
        None means all.
    """

    target: str
    program_code: str | None = None
    cohort_term: int | None = None


@dataclass(frozen=True)
class CaseFilter(GroupFilter):
    """What a caseload is narrowed to.

    Parameters
    ----------
    k : int
        Length of the list.
    band, search : str or None
        None means any.
    only_moved : bool
        New or worsened students only.
    hide_quiet : bool
        Leave out who was contacted lately or is snoozed.
    """

    k: int = 20
    band: str | None = None
    search: str | None = None
    only_moved: bool = False
    hide_quiet: bool = False


def target_choice() -> str:
    """Late or drop-out; in the address, and so kept over a reload."""
    words = app_state.words()
    return st.segmented_control(
        words("target.label"),
        list(TARGETS),
        default=TARGETS[0],
        required=True,
        format_func=lambda target: words(f"target.{target}"),
        key="target",
        help=linked(words("target.help"), "target", words),
        bind="query-params",
    )


def program_choice(programs: pd.DataFrame) -> str | None:
    """One programme or all."""
    words = app_state.words()
    names = dict(zip(programs["program_code"], programs["name"], strict=True))
    return st.selectbox(
        words("overview.program_filter"),
        [None, *names],
        format_func=lambda code: words("overview.all_programs") if code is None else names[code],
        key="program",
        bind="query-params",
    )


def cohort_choice(cohorts: list[int]) -> int | None:
    """One entry cohort or all, the newest first."""
    words = app_state.words()
    return st.selectbox(
        words("overview.cohort_filter"),
        [None, *sorted(cohorts, reverse=True)],
        format_func=lambda term: words("overview.all_cohorts") if term is None else words.term(term),
        key="cohort",
        bind="query-params",
    )


def group_filters(programs: pd.DataFrame, cohorts: list[int]) -> GroupFilter:
    """Target, programme and cohort in one row."""
    left, middle, right = st.columns([1.5, 1.2, 1], vertical_alignment="bottom")
    with left:
        target = target_choice()
    with middle:
        program = program_choice(programs)
    with right:
        cohort = cohort_choice(cohorts)
    return GroupFilter(target, program, cohort)


def case_filters(programs: pd.DataFrame, cohorts: list[int], longest: int) -> CaseFilter:
    """Length of the list, target, search, and the rest in a drawer.

    Parameters
    ----------
    programs : DataFrame
        The advisor's programmes.
    cohorts : list of int
        The advisor's entry cohorts.
    longest : int
        Upper end of k: the size of the caseload.
    """
    words = app_state.words()
    take_view(programs, cohorts, longest)
    left, middle, right = st.columns([1.25, 1, 1.1], vertical_alignment="bottom", gap="medium")
    with left:
        target = target_choice()
    with middle:
        lengths = list_lengths(longest)
        k = st.slider(
            words("caseload.k"),
            lengths[0],
            lengths[-1],
            min(20, lengths[-1]),
            lengths.step,
            key="k",
            help=linked(words("caseload.k_help"), "cutoff", words),
            persist_state="session",
        )
    with right:
        search = st.text_input(
            words("caseload.search"),
            key="search",
            type="search",
            help=words("caseload.search_help"),
            live="300ms",
            placeholder=words("caseload.search"),
            label_visibility="collapsed",
            icon=":material/search:",
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        moved = st.toggle(
            words("caseload.only_moved"),
            key="only_moved",
            help=words("caseload.only_moved_help"),
            persist_state="session",
        )
        hide_quiet = st.toggle(
            words("caseload.hide_quiet"),
            key="hide_quiet",
            help=words("caseload.hide_quiet_help"),
            persist_state="session",
        )
        with st.popover(words("caseload.filters"), icon=":material/tune:"):
            program, cohort = program_choice(programs), cohort_choice(cohorts)
            band = st.pills(
                words("band.label"),
                list(BANDS),
                format_func=lambda name: words(f"band.{name}"),
                key="band",
                help=linked(words("band.help"), "band", words),
                persist_state="session",
            )
        chosen = CaseFilter(target, program, cohort, k, band, search or None, moved, hide_quiet)
        view_menu(vars(chosen))
    return chosen
