"""The caseload as a table: who, how high, what changed, what was done, why; the name opens the student."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.cases.view.narrow import Card, wide_or_cards
from dashboard.cases.view.ways_on import remember
from dashboard.charts.palette import BAND_COLORS, translucent
from dashboard.components.table import draw_table
from dashboard.shell import current_session
from data.columns import BANDS

ROW = 66  # pixels: three lines of text; below 65 Streamlit writes one line and cuts it off
MOST_HEIGHT = 960
SHADE = 0.4  # of a band's colour behind its name, which is read on light and on dark ground
COLUMNS = (
    "student",
    "band",
    "risk",
    "place",
    "moved",
    "change",
    "reasons",
    "last",
    "history",
    "student_number",
    "program",
    "cohort",
)


def caseload_table(frame: pd.DataFrame, key: str, *, several: bool = False) -> list[str]:
    """Draw the list and give back the keys of the chosen students. A click on a name goes to the student.

    Parameters
    ----------
    frame : DataFrame
        From :func:`dashboard.cases.caseload.as_table`: :data:`COLUMNS` and ``student_key``.
    key : str
        Unique on the page.
    several : bool
        Whether more than one row may be chosen.

    Returns
    -------
    list of str
        ``student_key`` of the chosen rows; at most one unless ``several``.
    """
    remember("caseload", frame["student_key"])
    if several:  # rows are chosen in the table alone
        event = _table(frame, key, several)
    else:
        event = wide_or_cards(key, lambda: caseload_cards(frame), lambda: _table(frame, key, several))
    open_named(frame, key)
    rows = [row for row in event["selection"]["rows"] if row < len(frame)]
    return frame.iloc[rows]["student_key"].tolist()


def caseload_cards(frame: pd.DataFrame) -> list[Card]:
    """The list as cards: who, how high or which place, what changed, what was done, why."""
    words, cards = current_session.words(), []
    for row in frame.to_dict("records"):
        lead = [*row["band"][:1], row["place"]] if "place" in row else [*row["band"][:1]]
        if "risk" in row:
            lead.append(f"{words('column.risk_of_100')}: {words.number(row['risk'])}")
        lines = (row["moved"], row.get("last"), row.get("reasons"), f"{row['program']} · {row['cohort']}")
        told = tuple(line for line in lines if isinstance(line, str))
        cards.append(Card(row["student_key"], row["student"], " · ".join(lead), told))
    return cards


def _table(frame: pd.DataFrame, key: str, several: bool):
    words = current_session.words()
    family = "place" if "place" in frame else "band"
    bands = {words(f"{family}.{band}"): translucent(BAND_COLORS[band], SHADE) for band in BANDS}
    config = st.column_config
    return draw_table(
        frame.assign(band=frame["band"].str[0]),  # null where there is no place
        key=key,
        height=min(ROW * len(frame) + 39, MOST_HEIGHT),
        row_height=ROW,
        column_order=[name for name in COLUMNS if name in frame and (name != "last" or frame["last"].any())],
        on_select="rerun",
        selection_mode="multi-row" if several else "single-row",
        alt=words("caseload.title"),
        written={"change": words.signed},  # Streamlit's own format puts a hyphen for a minus
        shades={"band": bands},
        column_config={
            "moved": config.TextColumn(words("column.change_kind"), width=128),
            "student": name_column(key),
            # Text on its colour: a badge would stand at the top of a row whose other cells are centred.
            "band": config.TextColumn(
                words("column.band"), width=104, alignment="center", help=words(f"{family}.help")
            ),
            "place": config.TextColumn(words("column.place"), width=100, help=words("place.help")),
            "risk": config.ProgressColumn(
                words("column.risk_of_100"),
                format="%d",
                min_value=0,
                max_value=100,
                width=112,
                color="primary",
            ),
            "change": config.NumberColumn(words("column.change"), width=80),
            "history": config.LineChartColumn(words("column.history"), y_min=0, y_max=1, width=110),
            "reasons": config.TextColumn(words("column.reasons"), width=366),
            "last": config.TextColumn(words("column.last"), width="medium"),
            "student_number": config.TextColumn(words("column.student_number"), width=120),
            "program": config.TextColumn(words("column.program"), width="medium"),
            "cohort": config.TextColumn(words("column.cohort"), width=110),
        },
    )


def name_column(key: str, width: int = 176):
    """The column of names in the table ``key``: always in sight, and each name opens its student.

    Parameters
    ----------
    key : str
        Of the table.
    width : int
        Pixels; names with their numbers need more.
    """
    return st.column_config.ButtonColumn(
        current_session.words()("column.student"),
        width=width,
        pinned=True,
        alignment="left",
        type="tertiary",
        key=f"{key}-name",
    )


def open_named(frame: pd.DataFrame, key: str) -> None:
    """Go to the student whose name was clicked in the table ``key``, drawn from ``frame``."""
    clicked = st.session_state.get(f"{key}-name")
    if clicked is not None and clicked["row"] < len(frame):
        open_student(frame.iloc[clicked["row"]]["student_key"])


def open_student(student_key: str) -> None:
    """Go to a student's page."""
    st.switch_page(current_session.pages()["student"], query_params={"s": student_key})
