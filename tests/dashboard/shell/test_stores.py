"""What the process holds: a page is drawn of one state of the data."""

from __future__ import annotations

import pytest

from dashboard.shell import stores
from data import queries


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
