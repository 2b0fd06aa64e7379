"""From the demo to an institution's own store: how to begin one, and what a new one says first."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import current_session, stores


def own_data_card() -> None:
    """How to begin a store of one's own, beside the demo."""
    words = current_session.words()
    port = int(st.get_option("server.port")) + 1
    with st.container(border=True, key="own-data"):
        st.markdown(f":material/domain_add: **{words('own.card_title')}**")
        st.caption(words("own.card_text"))
        st.caption(words("own.card_steps"))
        st.code(f"make run OWN=1 PORT={port}", language=None)
        st.caption(words("own.card_next", address=f"`http://localhost:{port}`"))
        st.caption(words("own.card_elsewhere"))


def demo_takes_none() -> None:
    """In place of the import: why a demo has none."""
    words = current_session.words()
    st.info(f"**{words('own.refused_title')}.** {words('own.refused_text')}", icon=":material/block:")
    own_data_card()


def mixture_warning() -> None:
    """At the sign-in of a store in which an earlier version took real files into the demo."""
    words = current_session.words()
    st.warning(f"**{words('own.mixed_title')}.** {words('own.mixed_text')}", icon=":material/warning:")


def greeting() -> None:
    """What the import page of an empty store says first."""
    words = current_session.words()
    with st.container(border=True, key="own-hello"):
        st.markdown(f":material/waving_hand: **{words('own.hello_title')}**")
        st.markdown(words("own.hello_text"))
        st.caption(words("own.hello_files"))


def demo_upload_note() -> None:
    """Beside an upload in a demo: who can see it."""
    if stores.is_synthetic():
        st.caption(f":material/visibility: {current_session.words()('own.demo_upload')}")
