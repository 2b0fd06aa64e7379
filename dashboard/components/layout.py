"""The frame of every page: heading, watermark, cards, and what to say when there is nothing to show."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from importlib import import_module
from pathlib import Path
from zlib import crc32

import streamlit as st

from dashboard.components import paper
from dashboard.shell import current_session, stores, turns
from dashboard.shell.view.looks import asked_page
from dashboard.shell.view.uploads import release_when_left

logger = logging.getLogger(__name__)
STYLE = Path(__file__).with_name("style.css")
# Charts are drawn for the width of the screen: on paper the page keeps that width and is made smaller.
PAPER = """<script>
window.addEventListener('beforeprint', () => {
  const page = document.querySelector('.stMainBlockContainer');
  if (!page) return;
  const { paddingLeft, paddingRight } = getComputedStyle(page);
  const shown = page.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  document.documentElement.style.setProperty('--shown', Math.max(700, Math.round(shown)));
  document.documentElement.classList.toggle('columns-on-paper', innerWidth > 640);  // a phone has none
});
</script>"""


def page_header(title: str, lead: str = "", *, badge: tuple[str, str] | None = None) -> None:
    """Title, one quiet line below it, and the watermark where the data are synthetic.

    Parameters
    ----------
    title, lead : str
        In the reader's language.
    badge : (text, colour), optional
        A further badge beside the watermark.
    """
    words = current_session.words()
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="page-header"
    ):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, horizontal_alignment="right", width="content"):
            if badge:
                st.badge(badge[0], color=badge[1])
            if stores.is_synthetic():
                st.badge(
                    words("app.synthetic"),
                    icon=":material/science:",
                    color="violet",
                    help=words("app.synthetic_help"),
                )
            if stores.is_mixed():
                about = {"icon": ":material/warning:", "color": "orange", "help": words("app.mixed_help")}
                st.badge(words("app.mixed"), **about)
    if lead:
        st.caption(lead)
    paper.heading()


def section(title: str, help: str = "") -> None:
    """A heading inside a page, with its explanation behind a question mark."""
    st.header(title, anchor=False, help=help or None, width="content")


def card(key: str):
    """A bordered box as high as its neighbours; use it in a ``with``."""
    return st.container(border=True, key=f"card-{key}", height="stretch")


def empty_state(title: str, text: str, icon: str = ":material/inbox:") -> None:
    """What a page says when there is nothing to show, and what to do about it."""
    with st.container(border=True, horizontal_alignment="center", key=f"empty-{crc32(title.encode())}"):
        st.space("small")
        st.markdown(icon, width="content", text_alignment="center")
        st.markdown(f"**{title}**", text_alignment="center")
        st.caption(text, text_alignment="center")
        st.space("small")


def door_to(page, name: str):
    """A hidden page at ``/<name>`` that leads to the page at the root, so that a link works for every role.

    Streamlit serves a role's first page at the root only; another role has the same page under its name.
    """

    def forward() -> None:
        st.switch_page(page, query_params=dict(st.query_params))

    return st.Page(forward, title=page.title, url_path=name, visibility="hidden")


def stray_page(known: Collection[str], only: Callable[[], None] | None = None) -> list:
    """A hidden page at the address asked for when no page is there: it says so in the reader's language.

    Streamlit's own message speaks English only, and lies over the page that it opens instead.

    Parameters
    ----------
    known : collection of str
        Addresses that have a page.
    only : callable, optional
        The one page that there is, before anybody is known: it answers there too.
    """
    asked = asked_page()
    if not asked.strip() or asked in known or "/" in asked:  # no page can have such an address
        return []
    title = current_session.words()("not_found.unknown_title")
    return [st.Page(only or guarded("not_found"), title=title, url_path=asked, visibility="hidden")]


def guarded(name: str) -> Callable[[], None]:
    """The page ``dashboard.pages.<name>_page``, imported when it is first opened.

    When it fails a calm message stands in for a traceback; the log has the details.
    """

    def page() -> None:
        try:
            with turns.page(), stores.one_run(), current_session.on_page(name):
                release_when_left()
                import_module(f"dashboard.pages.{name}_page").show()
        except Exception:
            logger.exception("page %s failed", name)
            _say_calmly()

    page.__name__ = name
    return page


def calmly(ask: Callable):
    """What ``ask()`` says, before any page; when it fails the run ends with a calm message."""
    try:
        return ask()
    except Exception:
        logger.exception("the app could not begin a page")
        _say_calmly()
        st.stop()


def _say_calmly() -> None:
    words = current_session.words()
    now = datetime.now().astimezone().strftime("%H:%M:%S %Z")  # the clock of the log
    st.error(f"**{words('state.error_title')}** {words('state.error_text', time=now)}")
