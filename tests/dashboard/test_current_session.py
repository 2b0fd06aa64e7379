"""What outlives a run of the script: one answer per run, shared frames, the reader's clock."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from dashboard.shell import auditing, caches, current_session, stores
from data import queries
from data.trust import audit
from data.trust.accounts import Account
from data.trust.scope import Scope

NOON = pd.Series(pd.to_datetime(["2026-11-20 12:00", "2026-07-01 23:30"]))


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Jakarta", ["2026-11-20 19:00", "2026-07-02 06:30"]),
        ("Europe/Berlin", ["2026-11-20 13:00", "2026-07-02 01:30"]),
        (None, ["2026-11-20 12:00", "2026-07-01 23:30"]),
        ("Nowhere/At-All", ["2026-11-20 12:00", "2026-07-01 23:30"]),
        ("../etc/passwd", ["2026-11-20 12:00", "2026-07-01 23:30"]),
    ],
)
def test_moments_are_told_on_the_readers_clock(monkeypatch, zone, shown):
    monkeypatch.setattr(current_session.st, "context", SimpleNamespace(timezone=zone))
    assert current_session.here(NOON).tolist() == pd.to_datetime(shown).tolist()


def test_the_state_of_the_store_is_asked_once_per_run_and_again_in_the_next(monkeypatch):
    versions = iter(["a", "b", "c", "d"])
    monkeypatch.setattr(stores, "store", lambda: None)
    told = queries.StoreState
    monkeypatch.setattr(queries, "store_state", lambda _store: told(next(versions), None, "real", False))
    with stores.one_run():
        assert [stores.data_version(), stores.data_version()] == ["a", "a"]
    with pytest.raises(RuntimeError), stores.one_run():
        assert stores.data_version() == "b"
        raise RuntimeError
    assert [stores.data_version(), stores.data_version()] == ["c", "d"]


def test_whoever_changes_a_remembered_frame_changes_it_for_nobody_else(monkeypatch):
    def counts(_store, _scope, name):
        return pd.DataFrame({"name": [name], "students": [3]})

    monkeypatch.setattr(stores, "store", lambda: None)
    monkeypatch.setattr(current_session, "scope", lambda: Scope.nothing())
    monkeypatch.setattr(stores, "data_version", lambda: "one")
    first = caches.read_once(counts, "a")
    first["students"] = 0
    first.loc[0, "name"] = "changed"
    second = caches.read_once(counts, "a")
    second.iloc[0, 1] = 7
    assert caches.read_once(counts, "a").to_dict("records") == [{"name": "a", "students": 3}]


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
