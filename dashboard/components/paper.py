"""What stands on paper alone: every row of a table, who printed what when, and the filters in force.

On the screen a table is a drawing of the rows in view, and a browser prints no more than that. So each table
is sent once more as text. The style sheet keeps it from the screen, and so from those who listen, and puts it
in the drawing's place in print.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from html import escape
from numbers import Number

import pandas as pd
import streamlit as st

from dashboard.reports.words import say
from dashboard.shell import current_session
from dashboard.shell.plain import shown
from dashboard.shell.session_keys import Key
from dashboard.shell.wording import EMPTY, Words
from data.engine.clock import now

PIECE = 60_000  # bytes of one message, or one row
LONGEST = 24  # letters of a word that is not broken
_LONG = re.compile(r"\S+|\s+")
OF_PEOPLE = frozenset(
    ("caseload", "student", "followups", "verification", "review", "enrolment", "consent", "duplicates")
    + ("signatures",)
)  # pages that tell of single students
Written = Mapping[str, Callable[[object], str]]


def heading() -> None:
    """Who sees the page, when it was drawn, and that it is confidential where it tells of single students."""
    person = current_session.person()
    if person is None:
        return
    words, at = current_session.words(), now()
    told = words(
        "paper.drawn",
        day=current_session.day(at),
        hour=current_session.hour(at),
        name=shown(person.display_name),
        role=words(f"role.{person.role}"),
    )
    lines = [told]
    if st.session_state.get(Key.PAGE_DRAWN) in OF_PEOPLE:
        lines.append(say(words.language, "confidential_people"))
    st.html("".join(f'<p class="on-paper">{escape(line)}</p>' for line in lines))


def filters_in_force(chosen: Mapping[str, str | None]) -> None:
    """What the page is narrowed to: the fields themselves do not stand on paper, or stand there folded.

    Parameters
    ----------
    chosen : mapping
        Name of a filter → what was chosen; empty ones are left out.
    """
    told = [f"{name}: {shown(value)}" for name, value in chosen.items() if value]
    if told:
        lead = current_session.words()("paper.filters")
        st.html(f'<p class="on-paper">{escape(lead)} {escape(" · ".join(told))}</p>')


def rows_on_paper(
    table: pd.DataFrame, columns: Mapping[str, str], written: Written, *, headed: bool = False
) -> None:
    """Every row of a table, in as many messages as it takes.

    Parameters
    ----------
    table : DataFrame
        Its texts :func:`dashboard.shell.plain.shown`.
    columns : mapping
        Columns that stand on paper, in their order → their headings.
    written : mapping
        Column → how a value of it is written; others by :func:`cell_text`.
    headed : bool
        Whether the style sheet is told the headings, for a phone on which the rows stand as blocks.
    """
    words, cells = current_session.words(), []
    for name in columns:
        write = written.get(name)
        cells.append([_cell(one, write, words) for one in table[name]])
    for piece in table_pieces(list(columns.values()), list(zip(*cells, strict=True)), headed=headed):
        st.html(piece)


def table_pieces(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, headed: bool = False
) -> list[str]:
    """A table as HTML, each piece of at most :data:`PIECE` bytes and with the headings.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequence of str
        Cells as HTML.
    headed : bool
        Whether the headings are custom properties as well, ``--head-1`` and on: told once for all rows.
    """
    head = "".join(f"<th>{escape(one)}" for one in headings)
    told = "".join(f"--head-{n}:{_css_text(one)};" for n, one in enumerate(headings, 1)) if headed else ""
    style = f' style="{escape(told)}"' if told else ""
    begin, end = f'<table class="on-paper"{style}><thead><tr>{head}<tbody>', "</table>"
    pieces, held, size = [], [], 0
    for row in rows:
        told = f"<tr>{''.join(row)}"
        more = len(told.encode())
        if held and size + more > PIECE - len(begin.encode()) - len(end):
            pieces.append(begin + "".join(held) + end)
            held, size = [], 0
        held.append(told)
        size += more
    return [*pieces, begin + "".join(held) + end]


def _css_text(text: str) -> str:
    """A text as CSS writes it; what could end it is written by its number."""
    return '"' + "".join(one if one.isalnum() or one == " " else f"\\{ord(one):06x}" for one in text) + '"'


def _cell(value: object, write: Callable[[object], str] | None, words: Words) -> str:
    if isinstance(value, str) and write is None and 0 < len(value) <= LONGEST:
        return f"<td>{escape(value)}"
    text = cell_text(value, words) if write is None or is_missing(value) else write(value)
    told = _LONG.sub(_breakable, text) if len(text) > LONGEST else escape(text)
    return f"<td class=n>{told}" if isinstance(value, Number) else f"<td>{told}"


def _breakable(part: re.Match[str]) -> str:
    """A long word (a checksum) as HTML that may break: the table would otherwise be wider than the paper."""
    word = part.group()
    if len(word) <= LONGEST:
        return escape(word)
    return "<wbr>".join(escape(word[at : at + LONGEST // 2]) for at in range(0, len(word), LONGEST // 2))


def cell_text(value: object, words: Words) -> str:
    """A value as it is read in a table: dates and decimals the language's way, lists with commas."""
    if isinstance(value, str):
        return value or EMPTY
    if pd.api.types.is_list_like(value):
        return ", ".join(str(one) for one in value) or EMPTY
    if is_missing(value):
        return EMPTY
    if pd.api.types.is_bool(value):
        return words(f"answer.{str(bool(value)).lower()}")
    if isinstance(value, float):
        return words.number(value, 0 if value.is_integer() else 2)
    return words.day(value) if isinstance(value, date) else str(value)


def is_missing(value: object) -> bool:
    """Whether there is no value: None, not a number, not a time."""
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))
