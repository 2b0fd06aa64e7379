"""An address that leads nowhere, or to a page of other roles: so it says, with the way back."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import page_header
from dashboard.shell import current_session
from dashboard.shell.access import PAGES, pages_for
from dashboard.shell.view.looks import asked_page


def show() -> None:
    """Which of the two it is, and a link to where the reader begins."""
    words, person, pages = current_session.words(), current_session.person(), current_session.pages()
    what = "of_others" if asked_page() in PAGES else "unknown"
    page_header(words(f"not_found.{what}_title"))
    st.markdown(words(f"not_found.{what}_text", role=words(f"role.{person.role}")))
    first = pages_for(person.role)[0].name
    if first in pages:
        label = words("not_found.back", page=words(f"nav.{first}"))
        st.page_link(pages[first], label=label, icon=":material/arrow_back:")
