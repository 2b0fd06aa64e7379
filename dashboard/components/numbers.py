"""Numbers with decimals to choose or to type, shown as the reader's language writes them.

Streamlit's own sliders and number fields write a point in every language.
"""

from __future__ import annotations

import math

import streamlit as st

from dashboard.reports.language import NumberError, read_number, short_number
from dashboard.shell import current_session
from dashboard.shell.wording import Words


def decimal_slider(
    label: str,
    low: float,
    high: float,
    value: float,
    step: float,
    *,
    digits: int,
    key: str,
    unit: str = "",
    now: float | None = None,
    **options,
) -> float:
    """A slider over decimal numbers.

    Parameters
    ----------
    label : str
    low, high, value : float
        Both ends, and where it stands at first.
    step : float
        The numbers are the three and the multiples of it between both ends.
    digits : int
        Decimals shown.
    unit : str
        Written behind each number.
    now : float, optional
        A further number of the slider. With it the slider is put to ``value`` on every run: what is chosen is
        for ``on_change`` to take.
    **options
        Further ones of ``st.select_slider``.

    Returns
    -------
    float
        From ``low`` to ``high``.
    """
    words = current_session.words()
    between = [round(n * step, 6) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    known = (*between, low, high, value if now is None else now, value)
    numbers = {words.number(one, digits): one for one in known}  # each text once
    if now is not None:
        st.session_state[key] = value
    shown = {one: text + unit for text, one in numbers.items()}
    return st.select_slider(label, sorted(shown), value, format_func=shown.get, key=key, **options)


def decimal_field(
    label: str, low: float, high: float, value: float, *, key: str, digits: int = 1, **options
) -> float | None:
    """A field for a number, typed with a comma or a point.

    Parameters
    ----------
    label : str
    low, high : float
        The least and the greatest number that is right.
    value : float
        What stands there at first.
    digits : int
        Decimals that are shown at least.
    **options
        Further ones of ``st.text_input``.

    Returns
    -------
    float or None
        None while what stands there is no such number; the page then says why.
    """
    words = current_session.words()
    kept = st.session_state.get(key)
    st.session_state[key] = (
        short_number(value, words.language, digits) if kept is None else _rewritten(kept, words)
    )
    return number_typed(st.text_input(label, key=key, **options), low, high)


def _rewritten(text: str, words: Words) -> str:
    """What was typed, with the language's own sign before the decimals: the language may have changed."""
    decimals = words.separators[0]
    if all(sign == decimals for sign in text if sign in ".,"):
        return text
    try:
        return short_number(read_number(text, words.language), words.language)
    except NumberError:
        return text


def number_typed(text: str, low: float | None = None, high: float | None = None) -> float | None:
    """The number that somebody typed; None, with words that say why, when it is none of the range."""
    words = current_session.words()
    try:
        return read_number(text, words.language, low, high)
    except NumberError as error:
        one_end = error.why == "range" and not error.said["high"]
        st.error(words(f"number.{'least' if one_end else error.why}", **error.said), icon=":material/error:")
        return None
