"""Everybody to whom something is brought: what waits for me, with the way to it."""

from __future__ import annotations

from dashboard.cases import inbox
from dashboard.cases.view import inbox_parts as parts
from dashboard.components.layout import empty_state, page_header
from dashboard.shell import current_session, stores


def show() -> None:
    """A part for each kind, the calendar file, and the weekly message."""
    words, store, person = current_session.words(), stores.store(), current_session.person()
    page_header(words("inbox.title"), words("inbox.lead"))
    waiting = inbox.waiting(store, person, parts.since(), current_session.today())
    if not any(part.items for part in waiting):
        empty_state(words("inbox.empty_title"), words("inbox.empty_text"), ":material/inbox:")
    for part in waiting:
        if part.items:
            parts.one_kind(part)
    if any(part.kind == "steps" for part in waiting):
        parts.calendar_download()
    parts.weekly_message()
