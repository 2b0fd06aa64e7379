"""Streamlit's own words in the reader's language; Streamlit speaks English only.

Its texts stay for who listens; the eye reads those that a style sheet draws in their place. A selector names
a part by Streamlit's test ids: should a new version draw it otherwise, its English shows and nothing breaks.
"""

from __future__ import annotations

import re

import streamlit as st

from dashboard.shell import current_session
from dashboard.shell.wording import Words

_NOTE = '[data-testid="InputInstructions"] > span:first-child'
_DROPPING = '[data-testid="stFileUploaderDropzone"] > div:not([data-testid]):not(:has([data-testid])) > *'
_CAMERA = '[data-testid="stCameraInput"] [data-testid="stCameraInputButton"]'
_BULK = '[data-testid="stMultiSelectDropdown"] [data-key="{}"] [data-item-hl]'
_LISTS = ':is([data-testid="stSelectboxVirtualDropdown"], [data-testid="stMultiSelectDropdown"])'
_DATE_PART = '[data-testid="stDateInput"] [role=spinbutton][data-type={}][data-placeholder=true]'
PARTS = {  # key of section "streamlit" → where Streamlit says it, and how large it is written
    "enter": (f".stTextInput {_NOTE}, .stNumberInput {_NOTE}", "0.75rem"),
    "enter_form": (f'[data-testid="stForm"] :is(.stTextInput, .stNumberInput) {_NOTE}', "0.75rem"),
    "ctrl_enter": (f".stTextArea {_NOTE}", "0.75rem"),
    "ctrl_enter_form": (f'[data-testid="stForm"] .stTextArea {_NOTE}', "0.75rem"),
    "drop": (_DROPPING, "1rem"),
    "select_all": (_BULK.format("__select_all__"), "0.875rem"),
    "select_matches": (_BULK.format("__select_matches__"), "0.875rem"),
    "nothing": (f"{_LISTS} [role=option][style*=contents] > *", "0.875rem"),
    "as_typed": (f"{_LISTS} [data-key=__creatable__] [data-item-hl]", "0.875rem"),
    "day": (_DATE_PART.format("day"), "0.875rem"),
    "month": (_DATE_PART.format("month"), "0.875rem"),
    "year": (_DATE_PART.format("year"), "0.875rem"),
    "photo": (_CAMERA, "1rem"),
    "photo_again": ('[data-testid="stCameraInput"]:has(img) [data-testid="stCameraInputButton"]', "1rem"),
}
HIDDEN = ('[data-testid="stFileChipName"] + div',)  # a file's size, with a point before its decimals


def reword() -> None:
    """Draw Streamlit's own words in the reader's language; English ones stay as they are."""
    words = current_session.words()
    if words.language != "en":
        st.html(reworded_style(words))


def reworded_style(words: Words) -> str:
    """The style sheet that draws the words of a language in the place of Streamlit's."""
    rules = [instead(place, words(f"streamlit.{name}"), size) for name, (place, size) in PARTS.items()]
    return f"<style>{''.join(rules)}{', '.join(HIDDEN)} {{ display: none; }}</style>"


def instead(place: str, text: str, size: str) -> str:
    """Rules that draw a text in the place of the one that a part of the page has.

    Parameters
    ----------
    place : str
        Selectors of parts that hold nothing but their text.
    text : str
        What the eye shall read.
    size : str
        Of its letters.
    """
    after = ", ".join(f"{one}::after" for one in re.split(r", (?![^(]*\))", place))
    said = text.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ")
    return f'{place} {{ font-size: 0; }} {after} {{ content: "{said}"; font-size: {size}; }} '
