"""The overview's card on courses: where most attempts fail, and who failed them."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.cohorts import courses
from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import card, section
from dashboard.shell import caches, current_session, stores
from dashboard.shell.plain import shown_table
from dashboard.shell.wording import Words
from data import queries
from data.trust.small_cells import MARK

HEADINGS = (
    *("program_code", "course", "attempts", "students", "failed_share", "interval"),
    *("delayed_share", "on_time_share"),
)


def bottleneck_card(program: str | None) -> None:
    """One card with the bottleneck courses of a programme or of all; nothing in a register without grades."""
    rules = queries.grade_rules(stores.store())
    counts = caches.read_once(queries.course_results, rules)
    if counts.empty:
        return
    words, table = current_session.words(), courses.by_course(counts)
    rows = courses.listed(table, program)
    with card("courses"):
        section(words("courses.title"), words("courses.help"))
        if rows.empty:
            st.caption(words("courses.none"))
        else:
            st.dataframe(
                shown_table(told_frame(rows, words)), hide_index=True, key="courses", alt=words("courses.alt")
            )
        st.caption(words("courses.note"))
        mine = table if program is None else table[table["program_code"] == program]
        export_bar(partial(told_frame, mine, words), "courses", program=program)


def told_frame(table: pd.DataFrame, words: Words) -> pd.DataFrame:
    """The rows in the reader's language; what may not be told carries the mark, in files as on the page.

    Asked for when no session is at hand, so it is told the reader's language.
    """
    names = stores.programs()
    rows = table.to_dict("records")
    shown = [
        {
            "program_code": names.get(row["program_code"], row["program_code"]),
            "course": f"{row['course_code']} {row['course_name']}"
            if row["course_name"] != row["course_code"]
            else row["course_code"],
            **(_figures(row, words) if row["told"] else dict.fromkeys(HEADINGS[2:], MARK)),
        }
        for row in rows
    ]
    frame = pd.DataFrame(shown, columns=list(HEADINGS))
    return frame.rename(columns={name: words(f"column.{name}") for name in HEADINGS})


def _figures(row: dict, words: Words) -> dict[str, str]:
    def share(name: str) -> str:
        return MARK if pd.isna(row[name]) else words.percent(row[name])

    return {
        "attempts": words.number(row["attempts"]),
        "students": words.number(row["students"]),
        "failed_share": words.percent(row["rate"]),
        "interval": f"{words.percent(row['low'])}–{words.percent(row['high'])}",
        "delayed_share": share("delayed_share"),
        "on_time_share": share("on_time_share"),
    }
