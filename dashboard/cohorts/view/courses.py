"""The overview's card on courses: where most attempts fail, and who failed them."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.charts.trends import rates
from dashboard.cohorts import courses
from dashboard.components.chart_panel import chart_panel, prepare
from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import card, section
from dashboard.shell import caches, current_session, stores
from dashboard.shell.plain import plain
from dashboard.shell.wording import Words
from data import queries
from data.trust.small_cells import MARK

HEADINGS = (
    *("program_code", "course", "attempts", "failed_share", "interval"),
    *("delayed_share", "on_time_share"),
)


def bottleneck_card(program: str | None) -> None:
    """One card with the bottleneck courses of a programme or of all; nothing in a register without grades."""
    table = _worked_out()
    if table.empty:
        return
    words, (named, beside) = current_session.words(), _listed(program)
    with card("courses"):
        if named.empty:
            section(words("courses.title"), words("courses.help"))
            st.caption(words("courses.none"))
        else:
            heading = {"title": words("courses.title"), "help": words("courses.help")}
            chart_panel(**_panel(named, (program,)), **heading)
            st.caption(beside)
        st.caption(words("courses.note"))
        export_bar(partial(_as_file, table, program, words), "courses", about_people=False, program=program)


def prepare_courses(program: str | None) -> None:
    """Work out what the card shows first."""
    named, _ = _listed(program)
    if not named.empty:
        prepare(**_panel(named, (program,)))


def _listed(program: str | None) -> tuple[pd.DataFrame, str]:
    """The courses of the chart, and who failed them in words."""

    def make() -> tuple[pd.DataFrame, str]:
        words, named = current_session.words(), _named(courses.listed(_worked_out(), program))
        return named, " ".join(filter(None, (_beside(row, words) for row in named.to_dict("records"))))

    return caches.made_once("courses-listed", (program,), make)


def _worked_out() -> pd.DataFrame:
    """The shares of every course."""
    counts = caches.read_once(queries.course_results)
    return caches.made_once("course-table", (), lambda: courses.by_course(counts))


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(course=[courses.course_of(row) for row in rows.to_dict("records")], n=rows["attempts"])


def _panel(named: pd.DataFrame, about: tuple) -> dict:
    chart = partial(rates, named, "course", current_session.words())
    return {"chart": chart, "key": "courses", "about": about}


def _beside(row: dict, words: Words) -> str:
    """Who failed the course, of the delayed and of the on-time; nothing where few are meant."""
    if pd.isna(row["delayed_share"]) or pd.isna(row["on_time_share"]):
        return ""
    shares = {name: words.percent(row[f"{name}_share"]) for name in ("delayed", "on_time")}
    return words("courses.beside", course=plain(row["course"]), **shares)


def _as_file(table: pd.DataFrame, program: str | None, words: Words) -> pd.DataFrame:
    return told_frame(table if program is None else table[table["program_code"] == program], words)


def told_frame(table: pd.DataFrame, words: Words) -> pd.DataFrame:
    """The rows in the reader's language; what may not be told carries the mark, in files as on the page.

    Asked for when no session is at hand, so it is told the reader's language.
    """
    names = stores.programs()
    rows = table.to_dict("records")
    shown = [
        {
            "program_code": names.get(row["program_code"], row["program_code"]),
            "course": courses.course_of(row),
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
        "failed_share": words.percent(row["rate"]),
        "interval": f"{words.percent(row['low'])}–{words.percent(row['high'])}",
        "delayed_share": share("delayed_share"),
        "on_time_share": share("on_time_share"),
    }
