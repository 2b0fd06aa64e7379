"""Everybody: what the terms mean."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import card, empty_state, page_header
from dashboard.shell import current_session, glossary


def show() -> None:
    """A search field, and the terms by subject with an anchor each."""
    words = current_session.words()
    page_header(words("glossary.title"), words("glossary.lead"))
    search = st.text_input(
        words("glossary.search"),
        key="glossary-search",
        type="search",
        placeholder=words("glossary.search"),
        label_visibility="collapsed",
        icon=":material/search:",
    )
    by_subject = glossary.entries(words, search or "")
    if not by_subject:
        return empty_state(words("glossary.none"), words("glossary.none_text"), ":material/search_off:")
    for subject, entries in by_subject.items():
        with card(f"glossary-{subject}"):
            st.header(words(f"glossary.subject_{subject}"), anchor=False)
            for entry in entries:
                st.subheader(entry.name, anchor=entry.term)
                st.markdown(entry.text)
