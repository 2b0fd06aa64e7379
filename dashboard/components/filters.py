"""Filters that keep their value across pages and in the address, without personal data in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.components.paper import filters_in_force
from dashboard.shell import current_session, stores
from dashboard.shell.glossary import linked
from dashboard.shell.plain import plain, shown
from dashboard.shell.view.view_menu import ALL, list_lengths, take_view, view_menu
from data.columns import BANDS, TARGETS

LIKELY = 150  # choices worth having ready


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


def in_address(key: str, options: list, widget: Callable):
    """A choice that also stands in the address, so that a link and a reload bring it back.

    The address carries the option itself, not its label: a link is the same in every language.

    Parameters
    ----------
    key : str
        Name of the choice, in the address and in the session.
    options : list
        What can be chosen; the first is the default, which the address does not mention.
    widget : callable
        Draws the choice, given ``options`` and the keyword arguments for its state.

    Returns
    -------
    object
        The chosen option; None for :data:`ALL`. What an address asks for and this reader does not have is
        left out.
    """
    codes = {str(option): option for option in options}
    if st.session_state.get(key) not in options:
        st.session_state[key] = codes.get(st.query_params.get(key), options[0])
    elif current_session.arrived():
        # To Streamlit the widget of this page is a new one, and only what somebody clicked is kept for it.
        st.session_state[key] = st.session_state[key]
    chosen = widget(options, key=key, persist_state="session")
    if chosen == options[0]:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != str(chosen):
        st.query_params[key] = str(chosen)
    return None if chosen == ALL else chosen


def target_choice() -> str:
    """Late or drop-out."""
    words = current_session.words()
    return in_address(
        "target",
        list(TARGETS),
        partial(
            st.segmented_control,
            words("target.label"),
            required=True,
            format_func=lambda target: words(f"target.{target}"),
            help=linked(words("target.help"), "target", words),
        ),
    )


def programs_in_reach() -> pd.DataFrame:
    """The programmes whose figures this reader may see: all of them, or those of the account."""
    table, own = stores.program_table(), current_session.scope().program_codes
    return table if own is None else table[table["program_code"].isin(own)]


def program_choice(programs: pd.DataFrame) -> str | None:
    """One programme or all; whoever has a single one is told its name."""
    words = current_session.words()
    names = dict(zip(programs["program_code"], programs["name"], strict=True))
    alone = len(names) == 1
    every = shown(*names.values()) if alone else words("overview.all_programs")
    return in_address(
        "program",
        [ALL] if alone else [ALL, *names],
        partial(
            st.selectbox,
            words("overview.program_filter"),
            format_func=lambda code: every if code == ALL else shown(names[code]),
        ),
    )


def cohort_choice(cohorts: list[int]) -> int | None:
    """One entry cohort or all, the newest first."""
    words = current_session.words()
    return in_address(
        "cohort",
        [ALL, *sorted(cohorts, reverse=True)],
        partial(
            st.selectbox,
            words("overview.cohort_filter"),
            format_func=lambda term: words("overview.all_cohorts") if term == ALL else words.term(term),
        ),
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
    chosen = GroupFilter(target, program, cohort)
    filters_in_force(_group_told(chosen))
    return chosen


def _group_told(chosen: GroupFilter) -> dict[str, str | None]:
    """The choices of a page of aggregates by their names."""
    words, code = current_session.words(), chosen.program_code
    return {
        words("target.label"): words(f"target.{chosen.target}"),
        words("overview.program_filter"): code and stores.programs().get(code, code),
        words("overview.cohort_filter"): chosen.cohort_term and words.term(chosen.cohort_term),
    }


def narrow_to(key: str, option: object) -> None:
    """Choose a programme (``key`` "program") or cohort ("cohort") as its field does; before it is drawn."""
    st.session_state[key] = option


def way_back(chosen: GroupFilter) -> None:
    """To what a page is narrowed, with one step back to everything; before that, that a click narrows it."""
    words = current_session.words()
    told = [plain(stores.programs().get(chosen.program_code, chosen.program_code))] * bool(
        chosen.program_code
    )
    told += [words.term(chosen.cohort_term)] * bool(chosen.cohort_term)
    if not told:
        st.caption(words("overview.pick_note"))
        return
    with st.container(horizontal=True, vertical_alignment="center", key="narrowed"):
        st.markdown(words("overview.narrowed", to=" · ".join(told)), width="content")
        back = words("overview.widen")
        st.button(back, icon=":material/undo:", type="tertiary", key="widen", on_click=_widen)


def _widen() -> None:
    for key in ("program", "cohort"):
        narrow_to(key, ALL)


def group_choices(programs: pd.DataFrame, cohorts: list[int]) -> list[GroupFilter]:
    """What a reader of aggregates may choose, the likely first: a programme or a cohort, then one of each.

    At most :data:`LIKELY`; the newest cohorts first.
    """
    codes, newest = programs["program_code"].tolist(), sorted(cohorts, reverse=True)
    alone = [(None, None), *((code, None) for code in codes), *((None, cohort) for cohort in newest)]
    both = [(code, cohort) for cohort in newest for code in codes]
    choices = [GroupFilter(target, *pair) for pairs in (alone, both) for target in TARGETS for pair in pairs]
    return choices[:LIKELY]


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
    words = current_session.words()
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
            band = None
            if not stores.footing(target).ranks:  # a band of risk would be a count in disguise
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
    filters_in_force(_case_told(chosen))
    return chosen


def _case_told(chosen: CaseFilter) -> dict[str, str | None]:
    words = current_session.words()
    yes = words("answer.true")
    return {
        **_group_told(chosen),
        words("band.label"): chosen.band and words(f"band.{chosen.band}"),
        words("caseload.k"): words.number(chosen.k),
        words("caseload.search"): chosen.search,
        words("caseload.only_moved"): yes if chosen.only_moved else None,
        words("caseload.hide_quiet"): yes if chosen.hide_quiet else None,
    }
