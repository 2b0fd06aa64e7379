"""The questioned signature: a file or the camera, and at once what the checks say about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st

from dashboard.components.upload import file_field
from dashboard.shell import current_session
from dashboard.shell.caches import made_once
from dashboard.shell.view.own_data import demo_upload_note
from dashboard.students.view.specimen_panel import findings_list, paper, picture
from dashboard.verification import findings
from dashboard.verification.comparison import checked_image
from dashboard.verification.crop import read_sheet
from dashboard.verification.view.crop import chosen_piece
from data.signatures.findings import BLANK, WHOLE_PAGE, Finding, found_codes
from data.signatures.specimens import RefusedFile

WAYS = ("upload", "camera")
IMAGES = ["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"]
LARGEST = 20
"""Megabytes of one image."""


@dataclass(frozen=True)
class Questioned:
    """A signature to be compared.

    Parameters
    ----------
    data : bytes
    quality : tuple of Finding
        The answers of the checks.
    of_page : tuple of Finding
        Of those, what was found on the page around the piece.
    """

    data: bytes
    quality: tuple[Finding, ...]
    of_page: tuple[Finding, ...] = ()

    @property
    def nothing_to_compare(self) -> str:
        """The finding with which there is nothing to compare: a page on which the signature must be chosen
        first, or a sheet without one; else empty."""
        if WHOLE_PAGE in found_codes(self.of_page):
            return WHOLE_PAGE
        return BLANK if BLANK in found_codes(self.quality) else ""


def questioned_input(student_key: str) -> Questioned | None:
    """Upload or photograph a signature; the scan and the findings appear at once.

    Parameters
    ----------
    student_key : str
        Whose it is said to be: for another student it is handed in anew.
    """
    words = current_session.words()
    way = st.segmented_control(
        words("verification.way"),
        list(WAYS),
        default=WAYS[0],
        required=True,
        key="questioned-way",
        format_func=lambda one: words(f"verification.way_{one}"),
        label_visibility="collapsed",
        persist_state="session",
    )
    if way == "camera":
        file = st.camera_input(
            words("verification.camera"), key=current_session.field_of("questioned-camera", student_key)
        )
        st.caption(words("verification.camera_help"))
    else:
        key = current_session.field_of("questioned-file", student_key)
        file = file_field(words("verification.upload"), type=IMAGES, key=key, max_upload_size=LARGEST)
    demo_upload_note()
    if file is None:
        return None
    data = file.getvalue()
    try:
        sheet = made_once("sheet", (hashlib.sha256(data).hexdigest(),), lambda: read_sheet(data))
    except RefusedFile as refused:
        st.error(words.named("refused", refused.code), icon=":material/block:")
        return None
    data, of_page = chosen_piece(data, sheet)
    whole = WHOLE_PAGE in found_codes(of_page)
    # The checks of a page take long and speak of its print.
    quality = of_page if whole else (*checked_image(data)[1], *of_page)
    questioned = Questioned(data, quality, of_page)
    if not whole:  # the frame above shows it already
        with paper("questioned"):
            picture(data, words("alt.questioned"))
    findings_list(quality)
    st.markdown("\n".join(f"- {line}" for line in findings.advice(quality, words)))
    return questioned
