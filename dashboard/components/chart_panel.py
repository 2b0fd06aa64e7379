"""A chart in a card, always with the same numbers as a table one click away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from dashboard.charts.base import Chart
from dashboard.components.table import draw_table
from dashboard.shell import caches, current_session
from dashboard.shell.plain import shown
from dashboard.shell.session_keys import Key

QUIET = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def chart_panel(
    chart: Chart | Callable[..., Chart],
    key: str,
    title: str = "",
    help: str = "",
    choices: Sequence[str] = (),
    about: tuple | None = None,
    on_pick: Callable[[str, str], None] | None = None,
) -> None:
    """Draw a chart with its alternative text; a small switch shows its table instead.

    Parameters
    ----------
    chart : Chart or callable
        From ``dashboard.charts``; a function that draws it; with ``choices`` of the one chosen.
    key : str
        Unique on the page.
    title, help : str
        Heading and the explanation behind its question mark.
    choices : sequence of str
        What the reader may group by; texts ``choice.<name>``.
    about : tuple, optional
        All that the chart depends on besides data, model, reader and language. Then it is drawn once for all.
    on_pick : callable, optional
        Told the choice (of ``choices``, else empty) and the group when somebody clicks on one, before the
        page is drawn again; in the table a chosen row does the same. For charts that have ``picks``.
    """
    words = current_session.words()
    sides = "distribute" if title else "right"
    with st.container(
        horizontal=True, horizontal_alignment=sides, vertical_alignment="center", key=f"panel-{key}"
    ):
        if title:
            st.header(title, anchor=False, help=help or None, width="content")
        with st.container(
            horizontal=True, horizontal_alignment="right", vertical_alignment="center", width="content"
        ):
            by = _choice(key, choices) if choices else ""
            as_table = st.toggle(
                words("state.table"), key=f"{key}-table", persist_state="session", width="content"
            )
    drawn = _drawn(chart, by) if about is None else _kept(chart, key, by, about)
    kind, settings = ("frame" if as_table else "chart"), {}
    widget = f"{key}-{kind}"
    if on_pick is not None:
        widget = f"{widget}-{st.session_state.get(Key.PICK_ROUND, 0)}"
        settings = {
            "on_select": partial(_picked, widget, drawn.picks, partial(on_pick, by)),
            "selection_mode": "single-row" if as_table else "points",
        }
    if as_table:
        draw_table(drawn.table, key=widget, alt=title or drawn.alt, **settings)
    else:
        st.plotly_chart(drawn.sent, key=widget, config=QUIET, alt=shown(drawn.alt), **settings)


def _picked(widget: str, picks: Sequence[str], tell: Callable[[str], None]) -> None:
    """Tell which group was chosen; in the next drawing nothing is, so that a click counts again."""
    chosen = st.session_state[widget]["selection"]
    places = [point["point_index"] for point in chosen.get("points", ())]
    places += [len(picks) - 1 - row for row in chosen.get("rows", ())]
    if places:
        st.session_state[Key.PICK_ROUND] = st.session_state.get(Key.PICK_ROUND, 0) + 1
        tell(picks[places[0]])


def prepare(chart: Callable[..., Chart], key: str, choices: Sequence[str] = (), *, about: tuple) -> None:
    """Draw what :func:`chart_panel` would show first, so that it need not be waited for."""
    _kept(chart, key, choices[0] if choices else "", about)


def _kept(chart: Chart | Callable[..., Chart], key: str, by: str, about: tuple) -> Chart:
    return caches.made_once(key, (*about, by), partial(_drawn, chart, by))


def _drawn(chart: Chart | Callable[..., Chart], by: str) -> Chart:
    if not callable(chart):
        return chart
    return chart(by) if by else chart()


def _choice(key: str, choices: Sequence[str]) -> str:
    words = current_session.words()
    return st.segmented_control(
        words("choice.label"),
        list(choices),
        default=choices[0],
        required=True,
        format_func=lambda name: words(f"choice.{name}"),
        key=f"{key}-by",
        label_visibility="collapsed",
        persist_state="session",
    )
