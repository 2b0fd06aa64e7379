"""Saved views and preferences on real databases."""

from __future__ import annotations

import pytest

from data.cases import saved_views as views

FILTERS = {"target": "late", "k": 30, "band": None, "only_moved": True}


def test_a_view_comes_back_as_it_was_saved(store):
    made = views.save_view(store, "ani", "caseload", " Monday list ", FILTERS)
    assert made.name == "Monday list"
    assert views.list_views(store, "ani", "caseload") == [made]
    assert views.list_views(store, "ani", "overview") == []
    assert views.list_views(store, "budi", "caseload") == []


def test_a_link_finds_the_view_whoever_opens_it(store):
    made = views.save_view(store, "ani", "caseload", "Mine", FILTERS)
    assert views.find_view(store, "caseload", made.view_id) == made
    assert views.find_view(store, "overview", made.view_id) is None
    assert views.find_view(store, "caseload", "nothing") is None


def test_saving_again_under_a_name_keeps_the_link(store):
    first = views.save_view(store, "ani", "caseload", "Mine", FILTERS)
    again = views.save_view(store, "ani", "caseload", "Mine", {"k": 10})
    assert again.view_id == first.view_id
    assert views.find_view(store, "caseload", first.view_id).filters == {"k": 10}


def test_only_the_owner_deletes_a_view(store):
    made = views.save_view(store, "ani", "caseload", "Mine", FILTERS)
    assert not views.delete_view(store, "budi", made.view_id)
    assert views.delete_view(store, "ani", made.view_id)
    assert not views.delete_view(store, "ani", made.view_id)


@pytest.mark.parametrize(
    ("name", "filters", "message"),
    [
        ("  ", {}, "name must have 1 to 80 characters, got 0"),
        ("x" * 81, {}, "got 81"),
        ("mine", {"search": "Ani"}, r"filters must be of .*got \['search'\]"),
    ],
)
def test_what_may_not_be_kept_is_refused(store, name, filters, message):
    with pytest.raises(ValueError, match=message):
        views.save_view(store, "ani", "caseload", name, filters)


def test_there_is_an_end_to_the_number_of_views(store, monkeypatch):
    monkeypatch.setattr(views, "MOST_VIEWS", 1)
    views.save_view(store, "ani", "caseload", "one", {})
    with pytest.raises(ValueError, match="at most 1 per page"):
        views.save_view(store, "ani", "caseload", "two", {})


def test_a_preference_is_remembered_per_account(store):
    assert views.get_preference(store, "ani", "tour", False) is False
    views.set_preference(store, "ani", "tour", True)
    views.set_preference(store, "ani", "tour", {"step": 3})
    assert views.get_preference(store, "ani", "tour") == {"step": 3}
    assert views.get_preference(store, "budi", "tour") is None
