"""Name, clock, place and signatories are set on the screen, by whoever may, and stand in the log."""

from __future__ import annotations

import pytest

from dashboard.jobs.first_run import first_steps
from dashboard.shell import stores
from dashboard.shell.plain import plain
from dashboard.shell.wording import Words
from data.calendar import clock
from data.calendar.setting import LONGEST_NAME, MAPPINGS, SETTINGS, change_settings, rename_institution
from data.store import get_fact, set_fact
from data.trust import audit
from data.trust.accounts import Account

EN = Words("en")
ADMIN, STAFF = Account("admin", "A", "administrator"), Account("bpm", "B", "accreditation")
CONFINED = Account("admin.if", "C", "administrator", ("IF",))


@pytest.fixture
def own(small_register, served):
    set_fact(small_register.store, "institution", "")
    served(small_register.store)
    return small_register.store


def changes(store) -> list[tuple[str, dict]]:
    return [(one.actor, one.detail) for one in audit.entries(store, action="change settings").itertuples()]


@pytest.mark.parametrize("language", ["en", "id"])
def test_an_administrator_names_the_institution_and_its_clock_and_the_first_step_is_done(
    own, screen, language
):
    words = Words(language)
    step = next(step for step in first_steps(own) if step.name == "institution")
    assert step.state == "open"
    at = screen.drawn("accounts", ADMIN, language)
    assert not at.exception and words("institution.nameless") in screen.texts(at)
    assert words("institution.clockless") in screen.texts(at)
    at.text_input(key="institution-name").set_value("  Universitas   Contoh ")
    at.selectbox(key="institution-zone").set_value("Asia/Makassar")
    at.text_input(key="institution-place").set_value("Makassar")
    at.text_input(key="institution-head_of_programme").set_value("Dr. Siti")
    at.text_input(key="institution-head_of_programme-number").set_value("NIP 1980")
    at.button(key="institution-save").click().run()
    assert not at.exception and words("institution.saved") in [one.value for one in at.success]
    assert "Universitas Contoh" in screen.texts(at) and "WITA" in screen.texts(at)
    assert words("institution.signed_in", place="Makassar") in screen.texts(at)
    assert plain("Dr. Siti, NIP 1980") in screen.texts(at)
    assert get_fact(own, "institution") == "Universitas Contoh"
    assert get_fact(own, SETTINGS) == {
        "time_zone": "Asia/Makassar",
        "place": "Makassar",
        "signatories": {"head_of_programme": "Dr. Siti"},
        "signatory_numbers": {"head_of_programme": "NIP 1980"},
    }
    assert stores.time_zone() == "Asia/Makassar" and clock.today(own)
    assert next(step for step in first_steps(own) if step.name == "institution").state == "done"
    told = [detail["changed"] for actor, detail in changes(own) if actor == ADMIN.account]
    assert sorted(told) == [["institution"], ["place", "signatories", "signatory_numbers", "time_zone"]]
    shown = screen.texts(screen.drawn("audit", Account("auditor", "U", "auditor"), language))
    assert not at.exception and "Dr. Siti" not in shown


def test_an_empty_name_saves_nothing_and_says_so(own, screen):
    at = screen.drawn("accounts", ADMIN)
    at.text_input(key="institution-name").set_value("   ")
    at.text_input(key="institution-place").set_value("Padang")
    at.button(key="institution-save").click().run()
    assert EN("institution.name_missing") in [one.value for one in at.error]
    assert not get_fact(own, SETTINGS) and changes(own) == []


def test_what_is_emptied_again_is_gone_and_what_is_not_on_the_form_stays(own, screen):
    change_settings(
        own, {"start_month": 8, "place": "Padang", "signatories": {"preparing_team": "T"}}, actor="t"
    )
    rename_institution(own, "Universitas Contoh", actor="t")
    at = screen.drawn("accounts", ADMIN)
    at.text_input(key="institution-place").set_value("")
    at.text_input(key="institution-preparing_team").set_value("")
    at.selectbox(key="institution-zone").set_value("Asia/Jakarta")
    at.button(key="institution-save").click().run()
    assert not at.exception and get_fact(own, SETTINGS) == {"start_month": 8, "time_zone": "Asia/Jakarta"}


@pytest.mark.parametrize("zone", ["UTC", "Japan", "Asia/Makassar"])
def test_a_clock_of_whatever_name_stays_when_something_else_is_saved(own, screen, zone):
    change_settings(own, {"time_zone": zone}, actor="command line")
    at = screen.drawn("accounts", ADMIN)
    assert not at.exception and at.selectbox(key="institution-zone").value == zone
    at.text_input(key="institution-name").set_value("Universitas Contoh")
    at.button(key="institution-save").click().run()
    assert not at.exception and get_fact(own, SETTINGS)["time_zone"] == zone


def test_only_administrators_and_accreditation_staff_of_every_programme_see_the_form(own, screen):
    for person, page, there in (
        (ADMIN, "accounts", True), (CONFINED, "accounts", False), (STAFF, "reports", True),
        (Account("bpm.if", "B", "accreditation", ("IF",)), "reports", False),
    ):  # fmt: skip
        at = screen.drawn(page, person)
        assert not at.exception
        assert (EN("institution.title") in [one.value for one in at.header]) is there, person.account


def test_a_new_name_takes_the_remembered_mappings_along(store):
    rename_institution(store, "Universitas Lama", actor="t")
    set_fact(store, MAPPINGS, {"Universitas Lama": [{"name": "ours"}], "Other": []})
    assert rename_institution(store, "Universitas Baru", actor="t")
    assert get_fact(store, MAPPINGS) == {"Universitas Baru": [{"name": "ours"}], "Other": []}
    assert not rename_institution(store, " Universitas  Baru ", actor="t")
    for wrong in ("", "  ", "x" * (LONGEST_NAME + 1)):
        with pytest.raises(ValueError, match="name must have 1 to"):
            rename_institution(store, wrong, actor="t")
    assert rename_institution(store, "x" * LONGEST_NAME, actor="t")


def test_who_signs_now_stands_in_a_report_that_was_open_before(own, screen):
    change_settings(own, {"signatories": {"preparing_team": "Maria Kolo"}}, actor="t")
    before, page = stores.state_mark(), screen.drawn("reports", STAFF)
    assert not page.exception
    page.text_input(key="institution-name").set_value("Universitas Contoh")
    page.text_input(key="institution-preparing_team").set_value("Siti Akreditasi")
    page.button(key="institution-save").click().run()
    assert not page.exception and stores.state_mark() != before
    _, provenance = compute_again(own)
    assert provenance.signatories == {"preparing_team": "Siti Akreditasi"}
    assert provenance.institution == "Universitas Contoh"


def compute_again(store):
    """What the page of reports reads for its first choice, as :mod:`dashboard.shell.caches` keeps it."""
    from streamlit.testing.v1 import AppTest

    def app(account) -> None:
        import streamlit as st

        from dashboard.reporting.view import preview
        from dashboard.shell import caches

        st.session_state["person"] = account
        register = caches.read_once(preview.read_register)
        program = register.programs["program_code"].iloc[0]
        st.session_state["found"] = caches.read_once(
            preview.compute, "iku1-aee-pt", program, register.last_full_year(program), (), ()
        )

    at = AppTest.from_function(app, default_timeout=60, kwargs={"account": STAFF}).run()
    assert not at.exception
    return at.session_state["found"]


def test_signs_that_are_not_seen_are_neither_kept_nor_drawn(own, screen):
    at = screen.drawn("accounts", ADMIN)
    at.text_input(key="institution-name").set_value("Universitas Contoh")
    at.text_input(key="institution-place").set_value("Pa\u202edang\x00")
    at.text_input(key="institution-preparing_team").set_value("Si\u2066ti")
    at.button(key="institution-save").click().run()
    kept = get_fact(own, SETTINGS)
    assert not at.exception
    assert kept["place"] == "Pa\ufffddang\ufffd" and kept["signatories"] == {"preparing_team": "Si\ufffdti"}
