"""The first-run tour, remembered per account, and the glossary that help texts lead to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shell import glossary
from dashboard.shell.view.tour import PLACES, STEPS
from dashboard.shell.wording import Words
from data.cases import saved_views
from data.columns import ROLES
from data.trust.accounts import Account

EN = Words("en")
ROOT = Path(__file__).resolve().parents[3]


def _tour(account):
    import streamlit as st

    from dashboard.shell.view.tour import reopen_button, tour

    st.session_state["language"] = "en"
    st.session_state["person"] = account
    tour()
    reopen_button()


def opened(account: Account) -> AppTest:
    return AppTest.from_function(_tour, default_timeout=60, kwargs={"account": account}).run()


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_three_steps_that_lead_to_pages(role):
    assert len(PLACES[role]) == STEPS
    for language in ("en", "id"):
        words = Words(language)
        assert all(words(f"tour.{role}_{step}") for step in range(1, STEPS + 1))
        assert all(words(f"nav.{place}") for place in PLACES[role])


def test_the_tour_is_walked_through_closed_for_good_and_opened_again(store, served, screen):
    served(store)
    ani = Account("ani", "Ani", "advisor")
    at = opened(ani)
    assert EN("tour.advisor_1") in screen.texts(at)
    at.button(key="tour-next").click().run()
    at.button(key="tour-next").click().run()
    assert EN("tour.advisor_3") in screen.texts(at)
    at.button(key="tour-close").click().run()
    assert EN("tour.advisor_3") not in screen.texts(at)
    assert saved_views.get_preference(store, "ani", "tour_closed") is True
    again = opened(ani)
    assert EN("tour.advisor_1") not in screen.texts(again)
    again.button(key="tour-reopen").click().run()
    assert EN("tour.advisor_1") in screen.texts(again)
    assert EN("tour.advisor_1") in screen.texts(opened(Account("budi", "Budi", "advisor")))


def _tour_on_a_page(account):
    import streamlit as st

    from dashboard.shell.view.tour import PLACES, tour

    st.session_state["language"] = "en"
    st.session_state["person"] = account
    pages = {name: st.Page(lambda: None, title=name, url_path=name) for name in PLACES[account.role]}
    st.session_state["pages"] = pages
    tour(st.navigation(list(pages.values()), position="hidden"))


@pytest.mark.parametrize("role", ROLES)
def test_the_tour_leads_to_other_pages_than_the_one_that_is_open(role, store, served):
    served(store)
    account = Account("wira", "Wira", role)
    at = AppTest.from_function(_tour_on_a_page, default_timeout=60, kwargs={"account": account}).run()
    assert not at.exception
    assert not at.get("page_link")  # the first step is about the page that is open
    at.button(key="tour-next").click().run()
    (link,) = at.get("page_link")
    assert EN(f"nav.{PLACES[role][1]}") in link.proto.label


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_term_is_explained_once(language):
    words = Words(language)
    assert len(set(glossary.TERMS)) == len(glossary.TERMS)
    listed = glossary.entries(words)
    assert sum(len(entries) for entries in listed.values()) == len(glossary.TERMS)
    assert all(len(entry.text) > 30 for entries in listed.values() for entry in entries)
    for entries in listed.values():
        names = [entry.name.casefold() for entry in entries]
        assert names == sorted(names)


def test_a_search_finds_names_and_explanations():
    names = [entry.term for entries in glossary.entries(EN, " forger ").values() for entry in entries]
    assert "skilled" in names
    assert "far" in names
    assert "cohort" not in names
    assert glossary.entries(EN, "zebra") == {}


def test_a_help_text_leads_to_its_term():
    assert glossary.linked("Fixed at entry.", "cohort", EN) == "Fixed at entry. [Glossary](glossary#cohort)"
    with pytest.raises(ValueError, match="term must be one of the glossary"):
        glossary.linked("?", "zebra", EN)


def test_every_term_that_code_links_to_exists():
    asked = set()
    for path in (ROOT / "dashboard").rglob("*.py"):
        asked |= set(re.findall(r'linked\([^"]*"[\w.]+"\)?, "(\w+)"', path.read_text(encoding="utf-8")))
    assert asked >= {"target", "cutoff", "band", "reasons"}
    assert asked <= set(glossary.TERMS)


def test_the_glossary_page_searches(store, served, screen):
    served(store)
    at = screen.drawn("glossary", Account("x", "X", "auditor"))
    assert EN("term_name.cohort") in screen.texts(at)
    at.text_input(key="glossary-search").set_value("caseload").run()
    assert EN("term_name.cohort") not in screen.texts(at)
    at.text_input(key="glossary-search").set_value("zebra").run()
    assert EN("glossary.none") in screen.texts(at)
