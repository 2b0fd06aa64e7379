"""The reports page, driven through Streamlit's own test harness on a store with the register of 40."""

import runpy
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.shell.plain import plain
from dashboard.shell.wording import Words
from data.settings import get_settings
from data.store import open_store, set_fact, write_records
from data.trust import reports_store
from data.trust.accounts import Account
from data.trust.scope import Scope

APPROVAL = Path(__file__).with_name("test_approval.py")


@pytest.fixture
def served(sqlite_template, tmp_path, monkeypatch):
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    st.cache_resource.clear()
    st.cache_data.clear()
    opened = open_store()
    frames = runpy.run_path(str(APPROVAL))["frames"]()
    write_records(opened, frames, source="register40.csv", files={}, actor="registry", synthetic=True)
    set_fact(opened, "synthetic", True)
    yield opened
    opened.close()
    get_settings.cache_clear()
    st.cache_resource.clear()
    st.cache_data.clear()


def page():
    from dashboard.pages import reports_page

    reports_page.show()


def seen_by(account: str, role: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["person"] = Account(account, account.title(), role)
    app.session_state["language"] = "en"
    return app.run()


def choose(app: AppTest, profile: str) -> AppTest:
    return app.selectbox(key="report-profile").set_value(profile).run()


def text_of(app: AppTest) -> str:
    return " ".join(
        str(each.value) for kind in ("caption", "warning", "info", "success") for each in app.get(kind)
    )


def button(app: AppTest, label: str):
    return next((each for each in app.button if each.label == label), None)


def test_the_table_is_shown_as_it_will_print_with_its_warnings(served):
    app = choose(seen_by("siti", "accreditation"), "iaps40-8c")
    assert not app.exception and not app.error
    html = " ".join(str(each.proto) for each in app.get("html"))
    assert "TS-6 (2019/2020)" in html and "closed" in html
    assert plain("Entry type unknown; counted as new students: 1") in text_of(app)
    assert app.number_input(key="report-ts").value == 2025


def test_a_table_with_years_before_the_register_is_not_called_whole(served):
    app = choose(seen_by("siti", "accreditation"), "iaps40-8c")
    app = app.number_input(key="report-ts").set_value(2021).run()
    assert not app.exception
    html = " ".join(str(each.proto) for each in app.get("html"))
    assert "?" in html
    words = Words("en")
    assert words("reports.not_known") in text_of(app)
    assert words("reports.complete") not in text_of(app)


@pytest.mark.slow
def test_every_instrument_can_be_opened(served):
    app = seen_by("siti", "accreditation")
    for profile in app.selectbox(key="report-profile").options:
        assert profile
    from dashboard.reports.profile import profile_ids

    for profile in profile_ids():
        app = choose(app, profile)
        assert not app.exception and not app.error, profile


def test_the_register_says_which_field_it_lacks(served):
    app = choose(seen_by("siti", "accreditation"), "iaps40-2a")
    assert "Not in the register: capacity" in text_of(app)


def test_a_report_is_prepared_by_one_and_approved_by_another(served):
    app = choose(seen_by("siti", "accreditation"), "iaps40-8c")
    button(app, "Prepare for approval").click().run()
    listed = reports_store.report_list(served, Scope.system())
    assert listed["status"].tolist() == ["prepared"]

    own = choose(seen_by("siti", "accreditation"), "iaps40-8c")
    own = (
        own.selectbox(key="report-version-iaps40-8c-55201-2025").set_value(listed.iloc[0]["report_id"]).run()
    )
    assert button(own, "Approve and freeze") is None
    assert "somebody else must approve" in text_of(own)
    assert "waits for the approval of somebody else" in text_of(own)  # said above the table too
    assert button(own, "Prepare for approval") is None and "Draft" not in text_of(own)

    dean = choose(seen_by("dekan", "leadership"), "iaps40-8c")
    dean = (
        dean.selectbox(key="report-version-iaps40-8c-55201-2025").set_value(listed.iloc[0]["report_id"]).run()
    )
    button(dean, "Approve and freeze").click().run()
    assert reports_store.report_list(served, Scope.system())["status"].tolist() == ["approved"]
    assert not dean.exception
    assert "Version 1 with these figures was approved" in text_of(dean)  # said above the table too
    shown = " ".join([text_of(dean), *(str(each.proto) for each in dean.get("html"))])
    assert "Draft" not in shown and "A draft" not in shown


def test_a_link_to_a_report_opens_it_once_and_another_choice_holds(served):
    app = choose(seen_by("siti", "accreditation"), "iaps40-2a")
    button(app, "Prepare for approval").click().run()
    number = reports_store.report_list(served, Scope.system()).iloc[0]["report_id"]
    dean = AppTest.from_function(page, default_timeout=60)
    dean.session_state["person"] = Account("dekan", "Dekan", "leadership")
    dean.session_state["language"] = "en"
    dean.query_params["report"] = number
    dean.run()
    assert not dean.exception
    assert dean.selectbox(key="report-profile").value == "iaps40-2a"
    assert button(dean, "Approve and freeze") is not None
    choose(dean, "iaps40-8c")
    assert button(dean, "Approve and freeze") is None


def test_leadership_cannot_prepare_and_only_the_registry_lists_students(served):
    dean = choose(seen_by("dekan", "leadership"), "iaps40-8c")
    assert button(dean, "Prepare for approval") is None
    assert "Students behind a cell" not in [each.label for each in dean.expander]
    registry = choose(seen_by("budi", "registry"), "iaps40-8c")
    assert "Students behind a cell" in [each.label for each in registry.expander]


def test_an_empty_store_says_so(sqlite_template, tmp_path, monkeypatch):
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for cache in (get_settings.cache_clear, st.cache_resource.clear, st.cache_data.clear):
        cache()
    app = seen_by("siti", "accreditation")
    assert not app.exception and not app.error
    for cache in (get_settings.cache_clear, st.cache_resource.clear, st.cache_data.clear):
        cache()


def test_a_correction_is_typed_with_a_comma_or_a_point_and_a_wrong_one_is_kept_to_be_mended(served):
    app = choose(seen_by("siti", "accreditation"), "iaps40-8c")
    app.session_state["language"] = "id"
    app.run()
    words = Words("id")

    def field(name: str):
        return next(one for one in app.text_input if one.label == words(name))

    def sent(value: str) -> AppTest:
        field("reports.override_value").set_value(value)
        field("reports.override_reason").set_value("dihitung ulang")
        field("reports.override_second").set_value("terlambat dilaporkan")
        return button(app, words("reports.override_add")).click().run()

    app = sent("tiga")
    assert [words("number.none", text="tiga", example="2,5")] == [one.value for one in app.error]
    assert field("reports.override_value").value == "tiga"
    assert field("reports.override_reason").value == "dihitung ulang"
    app = sent("3,0")
    assert not app.error and words("reports.override_done", n=1) in text_of(app)
    assert field("reports.override_value").value == ""
    app = sent("4.0")
    assert not app.error and words("reports.override_done", n=2) in text_of(app)
