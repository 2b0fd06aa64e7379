"""What a reader may choose next is drawn before it is chosen, for their reach and language only."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dashboard.cohorts.view.prospects import prepare_overview
from dashboard.components import ahead
from dashboard.components.filters import GroupFilter
from dashboard.shell import caches, current_session, stores
from dashboard.shell.access import scope_for
from data import queries
from data.trust.accounts import list_accounts
from data.trust.scope import Scope


@pytest.fixture(autouse=True)
def without_rest(monkeypatch):
    monkeypatch.setattr(ahead, "REST", 0.0)


@pytest.fixture
def kept(monkeypatch):
    """What was built, as (key, thing); every key once."""
    held = {}

    def keep(key, build):
        if key not in held:
            held[key] = build()
        return held[key]

    monkeypatch.setattr(caches, "_made", keep)
    return held


def leader(store):
    return scope_for(next(one for one in list_accounts(store) if one.role == "leadership"))


def test_a_page_finds_all_that_it_shows_first_already_drawn(university, kept, screen, small_university):
    store = small_university.store
    reader = leader(store)
    program = queries.programs(store)["program_code"].iloc[0]
    choices = (GroupFilter("late"), GroupFilter("dropout", program))
    ahead._draw_all(prepare_overview, choices, reader, "en", queries.data_version(store))
    assert any("'bands'" in key for key in kept)
    before = len(kept)
    for target, chosen in (("late", None), ("dropout", program)):
        at = screen.drawn(
            "overview",
            screen.person(small_university, "leadership"),
            **{"target": target, **({"program": chosen} if chosen else {})},
        )
        assert not at.exception
    assert len(kept) == before


def test_nothing_is_drawn_for_data_that_are_gone(monkeypatch):
    drawn = []
    state = queries.StoreState("new", None, "real", False)
    monkeypatch.setattr(stores, "store", lambda: None)
    monkeypatch.setattr(queries, "store_state", lambda _store: state)
    reader = Scope.system()
    ahead._draw_all(drawn.append, (1, 2), reader, "en", "old")
    assert drawn == []
    ahead._draw_all(drawn.append, (1, 2), reader, "en", "new")
    assert drawn == [1, 2]


def test_the_reader_of_a_thread_is_forgotten_afterwards_and_a_failure_is_only_logged(monkeypatch, caplog):
    state = queries.StoreState("v", None, "real", False)
    monkeypatch.setattr(stores, "store", lambda: None)
    monkeypatch.setattr(queries, "store_state", lambda _store: state)
    told = []

    def draw(choice):
        told.append((current_session.scope().account, current_session.words().language))
        raise ValueError(choice)

    ahead._draw_all(draw, ("a", "b"), Scope.system("rina"), "id", "v")
    assert told == [("rina", "id")]
    assert "drawing ahead failed" in caplog.text
    assert not hasattr(current_session._RUN, "reader")


def test_it_begins_once_per_data_reach_and_language(monkeypatch):
    begun = {}
    monkeypatch.setattr(ahead, "_begun", lambda key, work: begun.setdefault(key, work))
    state = SimpleNamespace(version="one")
    monkeypatch.setattr(stores, "data_version", lambda: state.version)
    monkeypatch.setattr(current_session, "words", lambda: SimpleNamespace(language="en"))
    for account in ("rina", "tono"):  # two leaders of the same reach
        scope = Scope(account, "leadership", False, None, False, False)
        monkeypatch.setattr(current_session, "scope", lambda scope=scope: scope)
        ahead.draw_ahead("overview", print, [1])
    assert len(begun) == 1
    state.version = "two"
    ahead.draw_ahead("overview", print, [1])
    confined = Scope("x", "leadership", False, ("IF",), False, False)
    monkeypatch.setattr(current_session, "scope", lambda: confined)
    ahead.draw_ahead("overview", print, [1])
    assert len(begun) == 3
