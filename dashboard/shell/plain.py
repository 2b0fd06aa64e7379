"""Text that people or files have written, made safe to show: what stands in it is read, never obeyed.

Streamlit reads nearly every text as Markdown: a name such as ``![x](http://…)`` would make the reader's
browser fetch an address. :func:`plain` is for those places (headings, captions, labels, options of pills and
radios, toasts, tooltips), :func:`shown` for those that draw text as it is (table cells, select boxes,
``alt``), and :func:`in_chart` for Plotly, which reads a few HTML tags.
"""

from __future__ import annotations

import html
import re

import pandas as pd

from data.engine.shown_text import one_line, shown

JOINER = "\u2060"  # no width, no meaning: only keeps two signs from being read together
_SIGNS = re.compile(r"([!-/:-@\[-`{-~])")  # every ASCII sign that Markdown may give a meaning
# What Streamlit looks for in finished text, where a backslash no longer helps: addresses, e-mail,
# :shortcodes:, arrows and other signs that it draws as one.
_READ_TOGETHER = re.compile(
    r"(?<=:)(?=[\w+/-])"  # :smile: and https://
    r"|(?<=[Ww]{3})(?=\.)"  # www.
    r"|(?=@)"
    r"|(?<=[<>=~-])(?=[<>=~-])"  # -> <- -- >= <= ~=
)


def plain(text: object) -> str:
    """Markdown that shows exactly ``text``, on one line, and :func:`shown`."""
    return _SIGNS.sub(r"\\\1", _READ_TOGETHER.sub(JOINER, one_line(text)))


def in_chart(text: object) -> str:
    """``text`` for Plotly, which reads ``<a>``, ``<b>``, ``<br>`` and the like in every text."""
    return html.escape(shown(text), quote=False)


def shown_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every text, and every heading, :func:`shown`."""
    named = frame.rename(columns={name: shown(name) for name in frame.columns if isinstance(name, str)})
    texts = {
        name: [shown(value) if isinstance(value, str) else value for value in named[name]]
        for name in named.columns
        if pd.api.types.is_object_dtype(named[name]) or pd.api.types.is_string_dtype(named[name])
    }
    return named.assign(**texts) if texts else named
