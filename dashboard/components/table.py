"""The one way in which a table is drawn: on the screen as Streamlit draws it, on paper every row of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from datetime import date
from functools import partial
from numbers import Real

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.components.paper import Written, is_missing, rows_on_paper
from dashboard.shell import current_session
from dashboard.shell.plain import shown, shown_table
from dashboard.shell.wording import EMPTY, Words

Shades = Mapping[str, Mapping[str, str]]
DRAWINGS = ("line_chart", "bar_chart", "area_chart")  # columns that are pictures: nothing to read on paper


def draw_table(
    frame: pd.DataFrame,
    *,
    alt: str,
    column_order: Iterable[str] | None = None,
    column_config: Mapping[str, object] | None = None,
    written: Written | None = None,
    shades: Shades | None = None,
    stacked: str = "",
    **options,
):
    """Draw a table.

    Parameters
    ----------
    frame : DataFrame
        Its texts may be people's: nothing in them is obeyed.
    alt : str
        What the table is, for those who cannot see it.
    column_order : iterable of str, optional
        The columns that are shown; all by default.
    column_config : mapping, optional
        Column → its heading and kind, as ``st.column_config`` makes them.
    written : mapping, optional
        Column → how a value of it is written; it stays a value, by which the column is sorted. Days and
        moments are written the reader's way without being named here.
    shades : mapping, optional
        Column → text of a cell → the colour of its ground.
    stacked : str
        Key, unique on the page, of a table with more columns than a phone is wide: there every row stands as
        a block, each cell with its heading. Empty: a table everywhere.
    **options
        Further ones of ``st.dataframe``.

    Returns
    -------
    object
        What ``st.dataframe`` gives back.
    """
    told = _in_one_kind(shown_table(frame).reset_index(drop=True), current_session.words())
    order = list(told.columns if column_order is None else column_order)
    written = {**_moments(told, current_session.words()), **(written or {})}
    kinds = {name: _kind((column_config or {}).get(name)) for name in order}
    columns = {
        name: shown(kind.get("label") or name)
        for name, kind in kinds.items()
        if (kind.get("type_config") or {}).get("type") not in DRAWINGS
    }
    empty = {name: _without_empty(told[name]) for name in _with_empty_texts(told)}
    with st.container(key=f"stacked-{stacked}") if stacked else nullcontext():
        drawn = st.dataframe(
            _styled(
                told.assign(**empty) if empty else told,
                written,
                shades or {},
            ),
            hide_index=True,
            alt=shown(alt),
            column_order=order,
            column_config=column_config,
            **({"placeholder": EMPTY} | options),
        )
        rows_on_paper(told, columns, written, headed=bool(stacked))
    return drawn


def _in_one_kind(told: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Columns of counts of which some are marks: as texts, for a column that is sent has one kind of cell."""
    mixed = {
        name: told[name].map(
            lambda one: words.number(one, 0 if float(one).is_integer() else 2) if _is_number(one) else one
        )
        for name in told
        if told[name].dtype == object
        and any(isinstance(one, str) for one in told[name])
        and any(map(_is_number, told[name]))
    }
    return told.assign(**mixed) if mixed else told


def _is_number(one: object) -> bool:
    if isinstance(one, str):  # told apart at once: most cells are texts
        return False
    return isinstance(one, Real) and not isinstance(one, bool) and not pd.isna(one)


def _empty(one: object) -> bool:
    return isinstance(one, str) and not one


def _with_empty_texts(told: pd.DataFrame) -> list[str]:
    """Columns in which a text is empty: nothing is known there, which is shown as it is everywhere."""
    return [name for name in told if told[name].dtype.kind not in "biufcmM" and any(map(_empty, told[name]))]


def _without_empty(column: pd.Series) -> pd.Series:
    return column.astype(object).map(lambda one: None if _empty(one) else one)


def _kind(column) -> dict:
    """What ``st.column_config`` made; of a column of buttons it is packed with what a click calls."""
    return dict(getattr(column, "config", column) or {})


def _styled(told: pd.DataFrame, written: Written, shades: Shades) -> pd.DataFrame | Styler:
    formats = {name: partial(_written, write) for name, write in written.items() if name in told}
    shaded = {name: colours for name, colours in shades.items() if name in told}
    if not len(told) or not (formats or shaded):
        return told
    styled = told.style.format(formats)
    for name, colours in shaded.items():
        styled = styled.map(partial(_shade, colours), subset=[name])
    return styled


def _shade(colours: Mapping[str, str], text: object) -> str:
    ground = colours.get(str(text))
    return f"background-color: {ground}" if ground else ""


def _written(write, value: object) -> str:
    return EMPTY if is_missing(value) else write(value)


def _moments(told: pd.DataFrame, words: Words) -> Written:
    """How the columns of days, and of moments, are written: with the time of day where some have one."""
    written = {}
    for name in told:
        if told[name].dtype.kind in "biufc" or isinstance(told[name].dtype, pd.StringDtype):
            continue  # numbers and texts
        known = told[name].dropna()
        if pd.api.types.is_datetime64_any_dtype(known):
            written[name] = words.day if (known == known.dt.normalize()).all() else words.moment
        elif len(known) and all(isinstance(one, date) for one in known):
            written[name] = words.day
    return written
