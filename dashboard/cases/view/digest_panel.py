"""The digest on the page: three short lists, the share acted on, and the PDF."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.cases.digest import Digest, gather
from dashboard.cases.digest_pdf import PARTS, acted_line, digest_pdf, lead, lines, rule_lines
from dashboard.components.layout import empty_state, section
from dashboard.reports.provenance import provenance_of
from dashboard.shell import auditing, current_session, exports, stores
from dashboard.shell.plain import plain, shown
from dashboard.shell.wording import Words


def digest_panel(target: str) -> None:
    """Draw this week's digest for the one signed in."""
    words = current_session.words()
    week = gather(stores.store(), current_session.scope(), target, current_session.today())
    section(words("digest.title"))
    st.caption(lead(week, words))
    if week.empty:
        empty_state(words("digest.nothing"), acted_line(week, words), ":material/inbox:")
        return
    for part in PARTS:
        rows = getattr(week, part)
        if len(rows):
            st.markdown(f"**{words(f'digest.{part}')} · {words.number(len(rows))}**")
            for key, line in zip(rows["student_key"], lines(rows, words), strict=True):
                _student(key, line)
    if len(week.off_track):
        st.markdown(f"**{words('on_track.title')} · {words.number(len(week.off_track))}**")
        for key, line in zip(week.off_track["student_key"], rule_lines(week.off_track, words), strict=True):
            _student(key, line)
    if len(week.due):
        st.markdown(f"**{words('digest.due')} · {words.number(len(week.due))}**")
    st.caption(f"{acted_line(week, words)} {words('digest.acted_note')}")
    _download(week)


def _student(key: str, line: str) -> None:
    pages = current_session.pages()
    if "student" in pages:
        st.page_link(pages["student"], label=plain(line), icon=":material/person:", query_params={"s": key})
    else:
        st.text(shown(line))


def _download(week: Digest) -> None:
    words = current_session.words()
    st.download_button(
        words("digest.pdf"),
        data=auditing.handed_out(
            partial(_file, week, words, current_session.person().display_name, current_session.zone_name()),
            "export",
            "digest",
            kind="pdf",
        ),
        file_name=exports.file_name(
            "digest", "pdf", synthetic=stores.is_synthetic(), on=current_session.today()
        ),
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        help=words("digest.pdf_help"),
        key="digest-pdf",
        on_click="ignore",
    )


def _file(week: Digest, words: Words, advisor: str, zone: str) -> bytes:
    """The file; asked for when no session is at hand, so it is told whose week and which clock it is."""
    return digest_pdf(week, provenance_of(stores.store(), zone), words, advisor)
