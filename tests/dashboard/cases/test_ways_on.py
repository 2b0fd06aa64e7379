"""From a student the way on to the next one of the list that was looked at."""

import pytest

from dashboard.cases.view.ways_on import list_of
from dashboard.shell.session_keys import Key
from dashboard.shell.wording import Words
from data import queries
from data.trust.accounts import Account
from data.trust.scope import Scope


def test_of_several_lists_the_one_drawn_last_leads_on():
    lists = {"a": ["1", "2"], "b": ["2", "3"]}
    assert list_of("2", lists) == ["2", "3"] and list_of("1", lists) == ["1", "2"]
    assert list_of("9", lists) == () and list_of("1", {}) == ()


def test_a_caseload_remembers_whom_it_shows_in_its_order(university, screen):
    at = screen.drawn("caseload", screen.person(university, "advisor"))
    shown = at.session_state[Key.LISTED]["caseload"]
    assert len(shown) == len(set(shown)) > 1
    table = next(one.value for one in at.dataframe if "student_key" in one.value)
    assert table["student_key"].tolist() == shown


@pytest.mark.parametrize("language", ["en", "id"])
def test_without_a_list_no_way_is_offered(university, screen, language):
    words = Words(language)
    listed = queries.caseload(university.store, Scope.system(), "late", 300)
    row = listed[listed["advisor"].notna()].iloc[0]
    person = Account(row["advisor"], "A", "advisor")
    at = screen.drawn("student", person, language, key=row["student_key"])
    assert not at.exception
    links = [one.proto.label for one in at.get("page_link")]
    assert words("student.next_in_list") not in links
