"""Looking is written down: lists, searches, what was refused; what was typed is not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st

from data.trust import audit
from data.trust.audit_chain import verify_chain


@pytest.fixture
def entries(small_university):
    """The entries that came during the test, the oldest first."""
    before = audit.newest_entry(small_university.store)

    def since():
        listed = audit.entries(small_university.store)
        return listed[listed["entry"] > before].iloc[::-1].reset_index(drop=True)

    return since


def test_a_list_of_students_is_entered_once_for_each_way_of_narrowing_it(university, screen, entries):
    at = screen.drawn("caseload", screen.person(university, "advisor"))
    at.run()
    (entry,) = entries().to_dict("records")
    assert (entry["actor"], entry["action"], entry["object"]) == (
        university.advisor,
        "view_caseload",
        "caseload",
    )
    assert entry["detail"]["target"] == "late"
    assert entry["detail"]["k"] >= 1


def test_a_search_in_the_caseload_is_entered_without_what_was_typed(university, screen, entries):
    at = screen.drawn("caseload", screen.person(university, "advisor"))
    at.text_input(key="search").set_value("Siti  AMINAH").run()
    found = entries()
    (said,) = found[found["action"] == "search_students"].to_dict("records")
    assert said["object"] == "caseload"
    assert said["detail"]["length"] == len("Siti  AMINAH")
    assert "siti" not in str(found.to_dict()).casefold()
    again = university.store.cipher.keyed("search", "siti aminah")[:16]
    assert said["detail"]["text_hash"] == again


def test_a_search_of_the_registry_is_entered_without_what_was_typed(university, screen, entries):
    at = screen.drawn("enrolment", screen.person(university, "registry"))
    at.text_input(key="student-search").set_value("wijaya").run()
    found = entries()
    (said,) = found[found["action"] != "view_lacking"].to_dict("records")  # its list: a look of its own
    assert (said["action"], said["object"]) == ("search_students", "enrolment")
    assert "wijaya" not in str(found.to_dict()).casefold()


@pytest.mark.parametrize(("page", "role"), [("student", "advisor"), ("enrolment", "registry")])
def test_a_student_out_of_reach_is_refused_and_entered(university, screen, entries, page, role):
    key = university.stranger if role == "advisor" else "0123456789abcdef"
    screen.drawn(page, screen.person(university, role), key=key)
    found = entries()
    found = found[found["action"] != "view_lacking"]  # stands on the registry's page
    assert found[["action", "object"]].values.tolist() == [["refuse_student", key]]


def test_a_text_in_place_of_a_key_is_not_entered(university, screen, entries):
    screen.drawn("student", screen.person(university, "advisor"), key="Siti Aminah")
    assert "Siti" not in str(entries().to_dict())


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("https://tepat.example/unit/audit?x=1", ["audit"]),
        ("https://tepat.example/caseload", []),
        ("https://tepat.example/", []),
        ("https://tepat.example/siti-aminah", []),
        (None, []),
    ],
)
def test_a_page_that_the_role_does_not_have_is_entered(
    university, screen, entries, monkeypatch, address, refused
):
    from dashboard.shell import current_session
    from dashboard.shell.view import looks

    person = screen.person(university, "advisor")
    monkeypatch.setattr(current_session, "person", lambda: person)
    monkeypatch.setattr(st, "context", SimpleNamespace(url=address))
    monkeypatch.setattr(st, "session_state", {})
    for _ in range(2):
        looks.refused_page(["caseload", "student"])
    assert entries()["object"].tolist() == refused
    assert verify_chain(university.store).intact
