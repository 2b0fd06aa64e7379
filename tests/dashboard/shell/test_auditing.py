"""What is taken along is written down."""

from __future__ import annotations

import pytest

from dashboard.shell import auditing, current_session, stores
from data.trust import audit
from data.trust.accounts import Account


def test_a_file_that_is_taken_along_is_written_down_when_it_is_made(store, monkeypatch):
    ani = Account("ani", "Ani", "advisor")
    monkeypatch.setattr(stores, "store", lambda: store)
    monkeypatch.setattr(current_session, "person", lambda: ani)
    before = len(audit.entries(store))
    give = auditing.handed_out(lambda: b"PDF", "export", "digest", kind="pdf")
    refuse = auditing.handed_out(lambda: 1 / 0, "export", "digest", kind="pdf")
    assert len(audit.entries(store)) == before  # offered, not taken
    monkeypatch.setattr(current_session, "person", lambda: None)  # no session any more
    assert give() == b"PDF"
    with pytest.raises(ZeroDivisionError):
        refuse()
    entries = audit.entries(store)
    assert len(entries) == before + 1
    newest = entries.iloc[0]
    assert (newest["actor"], newest["action"], newest["object"]) == ("ani", "export", "digest")
    with pytest.raises(PermissionError, match="signed in"):
        auditing.handed_out(lambda: b"", "export", "digest")
