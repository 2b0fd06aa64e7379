"""A list of students on a phone: a card each in the place of a table that would be pushed sideways.

Both are drawn, and the style sheet shows the one that fits the window: the server knows neither how wide it
is nor how a phone is held. What is not shown is not read out either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st

from dashboard.shell import current_session
from dashboard.shell.plain import plain


@dataclass(frozen=True)
class Card:
    """One student of a list.

    Parameters
    ----------
    student_key : str
        Whose page the name opens.
    name : str
        As the list shows it.
    lead : str
        What matters most, in a few words.
    lines : tuple of str
        What else the list tells; empty ones are left out.
    tick : str
        Key of a box that chooses the card, where rows of the table can be chosen; empty: none.
    """

    student_key: str
    name: str
    lead: str
    lines: tuple[str, ...] = ()
    tick: str = ""


def wide_or_cards(key: str, cards: Callable[[], Iterable[Card]], table: Callable[[], object]):
    """Draw the table for a wide screen and the cards for a narrow one.

    Parameters
    ----------
    key : str
        Unique on the page.
    cards : callable
        Makes the cards of the table's rows. None are made where the reader's menu has no page of a student.
    table : callable
        Draws the table.

    Returns
    -------
    object
        What ``table`` gives back.
    """
    page = current_session.pages().get("student")
    if page is None:
        return table()
    with st.container(key=f"wide-{key}"):
        drawn = table()
    with st.container(key=f"narrow-{key}", gap="small"):
        for card in cards():
            with st.container(border=True, gap="xsmall"):
                st.page_link(page, label=plain(card.name), query_params={"s": card.student_key})
                rest = [plain(line) for line in card.lines if line]
                st.markdown("  \n".join([f"**{plain(card.lead)}**", *rest] if card.lead else rest))
                if card.tick:
                    st.checkbox(current_session.words()("followup.tick"), key=card.tick)
    return drawn
