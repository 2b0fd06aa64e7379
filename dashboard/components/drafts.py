"""Half-written forms: what was typed or chosen in one stays for the session, until it is saved.

Streamlit sends nothing of a form (``st.form``) before its button is pressed, and forgets a field that a page
no longer draws. So the fields of a draft stand in no such form, and each of them is kept
(``persist_state="session"``) per form and per what it is about. Each asks for a run of the page
when it is left; in a fragment that run would meet the one of the next page, which then stays blank.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard.shell import current_session
from dashboard.shell.session_keys import Key

SENDING = f"<script>{Path(__file__).with_suffix('.js').read_text(encoding='utf-8')}</script>"


@dataclass(frozen=True)
class Draft:
    """One form about one student, case or report.

    Parameters
    ----------
    form : str
        Which form; its fields' keys begin with it.
    subject : object
        What it is about, told as text; each subject has its own fields.
    """

    form: str
    subject: object = ""

    @property
    def key(self) -> str:
        """With what the keys of its fields begin; another one after each saving."""
        saved = _saved().get((self.form, str(self.subject)), 0)
        return current_session.field_of(self.form, f"{self.subject} {saved}" if saved else self.subject)

    def field(self, name: str) -> dict[str, str]:
        """The options by which a field of the form is kept."""
        return {"key": f"{self.key}-{name}", "persist_state": "session"}

    @contextmanager
    def form_here(self) -> Iterator[None]:
        """Within it the form is drawn: no field of it stands on paper."""
        with st.container(key=f"draft-{self.key}"):
            yield

    def lasting(self, name: str) -> dict[str, str]:
        """The options of a field that a saving leaves as it stands."""
        key = current_session.field_of(self.form, self.subject)
        return {"key": f"{key}-{name}", "persist_state": "session"}

    def note(self, *names: str) -> None:
        """Say that what stands in the form is a draft, if anything was typed in its field "text" or in these.

        Call it below the button: a line above would move the button away while it is pressed.
        """
        typed = (st.session_state.get(self.field(name)["key"]) for name in ("text", *names))
        if any(isinstance(text, str) and text.strip() for text in typed):
            st.caption(f":material/edit_note: {current_session.words()('state.draft')}")

    def saved(self) -> None:
        """The form begins anew, empty."""
        rounds = _saved()
        rounds[self.form, str(self.subject)] = rounds.get((self.form, str(self.subject)), 0) + 1


def _saved() -> dict[tuple[str, str], int]:
    return st.session_state.setdefault(Key.DRAFTS_SAVED, {})
