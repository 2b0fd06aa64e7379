"""Where the signature stands on a page: the found place in a frame, and fields to correct it."""

from __future__ import annotations

import hashlib

import streamlit as st

from dashboard.components.numbers import decimal_slider
from dashboard.shell import current_session
from dashboard.students.view.specimen_panel import paper, picture
from dashboard.verification.crop import LEAST_SIDE, Sheet, framed, piece, still_whole
from data.signatures.findings import Finding, found_codes

STEPS = (0, 90, 180, 270)
MOST_SURE = 0.99
"""The highest chance that is shown: the finder has seen drawn forms only."""


def chosen_piece(data: bytes, sheet: Sheet) -> tuple[bytes, tuple[Finding, ...]]:
    """The picture that is compared: the piece in the frame, or the whole where nothing is cut; and what was
    found on the page around the frame while it stands where it was found, or that it is a whole page.

    Parameters
    ----------
    data : bytes
        The upload.
    sheet : Sheet
        Of `data`.
    """
    words = current_session.words()
    if sheet.found is not None:
        chance = words.percent(min(sheet.chance, MOST_SURE))
        st.caption(f":material/crop: {words('crop.found', chance=chance)}")
    elif sheet.is_page:
        st.warning(words("crop.none_found"), icon=":material/crop:")
    elif sheet.crowded:
        st.info(words("crop.crowded"), icon=":material/crop:")
    mark = hashlib.sha256(data).hexdigest()[:12]  # another upload begins with its own place
    if found_codes(sheet.left_out):
        st.warning(words("crop.left_out"), icon=":material/crop:")
    wanted = sheet.found or (0, 0, sheet.width, sheet.height)
    with st.expander(
        words("crop.title"), expanded=sheet.is_page or sheet.crowded, icon=":material/crop_rotate:"
    ):
        st.caption(words("crop.help"))
        box, turn = _fields(sheet, wanted, mark)
        with paper("page"):
            picture(framed(data, box), words("alt.page"))
    whole = box == (0, 0, sheet.width, sheet.height)
    if whole:
        return (piece(data, box, turn) if turn else data), sheet.whole
    chosen = piece(data, box, turn)
    return chosen, sheet.left_out if box == sheet.found else still_whole(chosen)


def _fields(sheet: Sheet, wanted, mark: str) -> tuple[tuple[int, int, int, int], float]:
    words = current_session.words()
    left_side, right_side = st.columns(2)
    with left_side:
        left = _number("left", wanted[0], sheet.width - LEAST_SIDE, mark, 0)
        width = _number("width", wanted[2], sheet.width - left, mark)
    with right_side:
        top = _number("top", wanted[1], sheet.height - LEAST_SIDE, mark, 0)
        height = _number("height", wanted[3], sheet.height - top, mark)
    quarter = st.segmented_control(
        words("crop.quarter"),
        list(STEPS),
        default=0,
        required=True,
        key=f"crop-quarter-{mark}",
        format_func=lambda one: f"{one}°",
    )
    slight = decimal_slider(
        words("crop.slight"), -15.0, 15.0, 0.0, 0.5, digits=1, unit="°", key=f"crop-slight-{mark}"
    )
    return (left, top, width, height), quarter + slight


def _number(name: str, value: int, most: int, mark: str, least: int = LEAST_SIDE) -> int:
    words = current_session.words()
    return int(
        st.number_input(
            words(f"crop.{name}"),
            min_value=least,
            max_value=max(most, least),
            value=min(max(value, least), max(most, least)),
            step=10,
            key=f"crop-{name}-{mark}",
        )
    )
