"""A sheet on the screen to sign on with a pen, a finger or a mouse."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

from dashboard.shell import current_session

_HERE = Path(__file__).parent
_HTML = """
<canvas role="img"></canvas>
<div class="acts">
  <button type="button" data-act="undo"></button>
  <button type="button" data-act="clear"></button>
  <button type="button" data-act="done"></button>
  <span role="status"></span>
</div>
"""
_WORDS = ("label", "undo", "clear", "done", "count", "empty")


def signing_pad(key: str) -> str | None:
    """Draw the sheet; what was drawn on it once "done" was pressed, as
    :func:`data.signatures.strokes.read_strokes` reads it, and None before and after every further change.

    It comes from the browser: nothing about it is sure.

    Parameters
    ----------
    key : str
        Unique on the page; another one is an empty sheet.
    """
    words = current_session.words()
    told = {name: words(f"signing.pad_{name}") for name in _WORDS}
    return _pad()(key=key, data=told, on_drawing_change=lambda: None).drawing


@lru_cache(maxsize=1)
def _pad():
    script, style = ((_HERE / f"signing_pad.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
    return st.components.v2.component("signing_pad", html=_HTML, css=style, js=script)
