"""What was read once and is handed to many."""

from __future__ import annotations

import pandas as pd

from dashboard.shell import caches, current_session, stores
from dashboard.shell.wording import Words
from data.trust.scope import Scope


def test_whoever_changes_a_remembered_frame_changes_it_for_nobody_else(monkeypatch):
    def counts(_store, _scope, name):
        return pd.DataFrame({"name": [name], "students": [3]})

    monkeypatch.setattr(stores, "store", lambda: None)
    monkeypatch.setattr(current_session, "scope", lambda: Scope.nothing())
    monkeypatch.setattr(stores, "state_mark", lambda: "one")
    first = caches.read_once(counts, "a")
    first["students"] = 0
    first.loc[0, "name"] = "changed"
    second = caches.read_once(counts, "a")
    second.iloc[0, 1] = 7
    assert caches.read_once(counts, "a").to_dict("records") == [{"name": "a", "students": 3}]


def test_of_a_list_only_what_is_new_is_made_and_for_each_reader_state_and_language_anew(monkeypatch):
    asked, now = [], {"data": "one", "reader": Scope.nothing(), "language": "en"}
    monkeypatch.setattr(current_session, "scope", lambda: now["reader"])
    monkeypatch.setattr(current_session, "words", lambda: Words(now["language"]))
    monkeypatch.setattr(stores, "state_mark", lambda: now["data"])

    def make(keys):
        asked.append(keys)
        return {key: 10 * key for key in keys if key != 3}  # of 3 nothing is known

    def told(*keys):
        return caches.each_once("test-each", ("late",), keys, make)

    assert told(1, 2, 3) == {1: 10, 2: 20}
    assert told(3, 2, 4, 1) == {2: 20, 4: 40, 1: 10}
    assert told(4, 3) == {4: 40} and told() == {}
    assert asked == [[1, 2, 3], [4]]
    for change in ({"data": "two"}, {"reader": Scope.system()}, {"language": "id"}):
        now.update(change)
        asked.clear()
        assert told(1) == {1: 10} and asked == [[1]]
    assert caches.each_once("test-each", ("dropout",), (1,), make) == {1: 10} and asked == [[1], [1]]
