"""What was read once and is handed to many."""

from __future__ import annotations

import pandas as pd

from dashboard.shell import caches, current_session, stores
from data.trust.scope import Scope


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
