"""Signing on the screen: the sheet, what was drawn as it will be kept, and the yes to it."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import section
from dashboard.components.signing_pad import signing_pad
from dashboard.shell import current_session, stores
from dashboard.shell.access import may
from dashboard.shell.session_keys import Key
from dashboard.shell.view.own_data import demo_upload_note
from dashboard.students.view.specimen_panel import findings_list, paper, picture
from dashboard.verification.comparison import checked_image
from data.columns import SPECIMEN_CONTEXTS
from data.signatures.strokes import RefusedStrokes, Strokes, need_signature, read_strokes

MAY = "sign on screen"


def signing(student: dict) -> None:
    """Offer the sheet to whoever may have a student sign.

    Parameters
    ----------
    student : dict
        ``student_key, student_number``.
    """
    words = current_session.words()
    if not may(current_session.person().role, MAY):
        return
    section(words("signing.title"), words("signing.help"))
    if told := st.session_state.pop(Key.SIGNED_TOLD, None):
        st.success(words(f"signing.{told}"), icon=":material/draw:")
    if not st.toggle(words("signing.open"), key="signing-open"):
        return
    st.caption(f":material/info: {words('signing.unproven')}")
    demo_upload_note()
    context = st.selectbox(
        words("signing.context"),
        SPECIMEN_CONTEXTS,
        format_func=lambda one: words(f"context.{one}"),
        key="signing-context",
    )
    times = st.session_state.setdefault(Key.SIGNED_TIMES, 0)
    sent = signing_pad(f"signing-pad-{student['student_key']}-{times}")  # nobody's sheet is another's
    st.caption(words("signing.otherwise"))
    if sent is None:
        return
    try:
        drawn = read_strokes(sent)
        need_signature(drawn)
    except RefusedStrokes as refused:
        st.error(words(f"signing.refused_{refused.code}"), icon=":material/block:")
        return
    _confirm(student, drawn, context)


def _confirm(student: dict, drawn: Strokes, context: str) -> None:
    """The picture that will be kept, what the checks say of it, and the button that keeps it."""
    from vision.scans.drawn import as_scan
    from vision.scans.signing import keep_drawn

    words, person = current_session.words(), current_session.person()
    data = as_scan(drawn)
    with paper("drawn"):
        picture(data, words("signing.picture"))
    pointers = ", ".join(words(f"signing.pointer_{one}") for one in drawn.pointers)
    seconds = words.number(drawn.duration / 1000, 1)
    st.caption(words("signing.drawn", n=len(drawn.strokes), seconds=seconds, pointers=pointers))
    findings_list(checked_image(data)[1])
    if not st.button(words("signing.keep"), type="primary", icon=":material/save:", key="signing-keep"):
        return
    kept = keep_drawn(
        stores.store(),
        student["student_key"],
        student["student_number"],
        drawn,
        context=context,
        captured_on=current_session.today(),
        actor=person.account,
        role=person.role,
        synthetic=stores.is_synthetic(),
    )
    st.session_state[Key.SIGNED_TOLD] = "not_kept" if kept is None else "kept"
    st.session_state[Key.SIGNED_TIMES] += 1
    st.rerun()
