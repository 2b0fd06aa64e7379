"""The advisor's pages without a browser: saved views, one step for several, follow-ups, the digest."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shell import access
from dashboard.shell.wording import Words
from data import queries
from data.calendar.clock import today
from data.cases import saved_views
from data.cases.events import add_case_event, withdraw_case_events
from data.trust import audit
from data.trust.scope import Scope

EN = Words("en")


def test_a_saved_view_brings_its_filters_back(university, screen):
    advisor = screen.person(university, "advisor")
    made = saved_views.save_view(
        university.store, advisor.account, "caseload", "Ten to begin with", {"k": 10, "target": "dropout"}
    )
    at = screen.drawn("caseload", advisor)
    assert len(at.dataframe[0].value) > 10
    at.button(key=f"view-{made.view_id}").click().run()
    assert not at.exception
    assert len(at.dataframe[0].value) == 10
    assert at.segmented_control(key="target").value == "dropout"
    assert at.query_params["v"] == made.view_id


def test_a_view_that_is_gone_is_told_and_the_list_is_drawn(university, screen):
    at = screen.drawn("caseload", screen.person(university, "advisor"), view="unknown")
    assert [toast.value for toast in at.toast] == [EN("views.gone")]
    assert [table.key for table in at.dataframe] == ["caseload-False-0", "past-table"]


def test_a_step_for_several_students_needs_a_tick_and_can_be_undone(university, screen):
    advisor, store = screen.person(university, "advisor"), university.store
    keys = queries.caseload(store, access.scope_for(advisor), "late", 3)["student_key"].tolist()

    def steps() -> int:
        return sum(len(queries.case_events(store, Scope.system(), key)) for key in keys)

    before = steps()
    at = AppTest.from_function(_bulk, default_timeout=60, kwargs={"account": advisor, "keys": keys}).run()
    at.text_area(key="bulk-text").set_value("Mail about the retake")
    at.button[0].click().run()
    assert [warning.value for warning in at.warning] == [EN("bulk.needs_confirm")]
    at.text_area(key="bulk-text").set_value("Mail about the retake")
    at.checkbox(key="bulk-confirm").check()
    at.button[0].click().run()
    assert not at.exception
    assert steps() == before + 3
    assert EN("bulk.done", students=EN.count("students", 3)) in screen.texts(at)
    at.button(key="bulk-undo").click().run()
    assert steps() == before


def _bulk(account, keys):
    import streamlit as st

    from dashboard.cases.view.bulk_log import bulk_log, bulk_receipt

    st.session_state["language"] = "en"
    st.session_state["person"] = account
    bulk_receipt()
    bulk_log(keys)


def test_an_entry_of_ones_own_is_taken_back(university, screen):
    advisor, store = screen.person(university, "advisor"), university.store
    event = add_case_event(store, university.student, advisor.account, "note", {"text": "Wrong student"})
    at = screen.drawn("student", advisor, key=university.student)
    at.button(key=f"withdraw-{event}").click().run()
    standing = queries.case_events(store, access.scope_for(advisor), university.student)
    assert event not in standing["event_id"].tolist()


def test_an_override_stands_beside_the_score(university, screen):
    advisor = screen.person(university, "advisor")
    detail = {"band": "low", "reason": "Has passed everything since"}
    add_case_event(university.store, university.student, advisor.account, "override", detail)
    at = screen.drawn("student", advisor, key=university.student)
    assert EN("event.overridden", band=EN("band.low")) in screen.texts(at)
    assert "Has passed everything since" in screen.texts(at)


def test_follow_ups_are_listed_by_urgency(university, screen):
    advisor = screen.person(university, "advisor")
    detail = {"how": "phone", "due_on": today(university.store)}
    event = add_case_event(university.store, university.student, advisor.account, "contact", detail)
    at = screen.drawn("followups", advisor)
    assert EN("followup.today") in screen.texts(at)
    assert len(at.dataframe) == 1
    at.segmented_control(key="whose").set_value("handed").run()
    assert EN("followup.none_of") in screen.texts(at)
    withdraw_case_events(university.store, [event], advisor.account)


def test_on_a_phone_each_step_is_a_card_that_can_be_ticked_and_settled(university, screen):
    advisor, store = screen.person(university, "advisor"), university.store
    step = {"what": "Tutoring every Tuesday", "due_on": today(university.store)}
    made = add_case_event(store, university.student, advisor.account, "intervention", step)
    at = AppTest.from_function(_due, default_timeout=60, kwargs={"account": advisor}).run()
    assert not at.exception and len(at.dataframe) == 1
    told = [one.value.replace("\\", "") for one in at.markdown if "Tutoring every Tuesday" in one.value]
    assert len(told) == 1 and f"**{EN.day(today(store))} · {EN('event.intervention')}**" in told[0]
    assert [one.proto.query_string for one in at.get("page_link")] == [f"s={university.student}"]
    assert EN("followup.pick") in screen.texts(at)
    at.checkbox(key=f"due-today-0-tick-{made}").check().run()
    assert not at.exception and EN("followup.pick") not in screen.texts(at)
    at.selectbox(key="settle-result-0").set_value("reached").run()
    at.button(key="settle-done").click().run()
    assert not at.exception
    due = queries.followups_due(store, access.scope_for(advisor), today(store))
    assert made not in due["event_id"].tolist()


def _due(account):

    import streamlit as st

    from dashboard.cases.view.followup_list import due_lists, settle
    from dashboard.shell import access, stores
    from dashboard.shell.session_keys import Key
    from data import queries
    from data.calendar.clock import today

    page = st.Page(lambda: None, title="S", url_path="student")
    st.session_state[Key.PAGES], st.session_state["person"] = {"student": page}, account
    st.navigation([st.Page(lambda: None, title="F", default=True), page], position="hidden")
    due = queries.followups_due(stores.store(), access.scope_for(account), today(stores.store()))
    settle(due_lists(due, today(stores.store())))


def test_an_agreed_step_stays_due_after_a_later_contact_until_an_outcome_names_it(university, screen):
    advisor, store = screen.person(university, "advisor"), university.store
    step = {"what": "Tutoring every Tuesday", "due_on": today(university.store)}
    made = add_case_event(store, university.student, advisor.account, "intervention", step)
    at = screen.drawn("student", advisor, key=university.student)
    at.pills(key="event-kind").set_value("contact").run()
    assert at.multiselect(key="event-settles-step").value == []
    at.text_area(key="event-text").set_value("Short call")
    button = next(each for each in at.button if each.label == EN("event.save"))
    button.click().run()
    reader = access.scope_for(advisor)
    assert made in queries.followups_due(store, reader, today(store))["event_id"].tolist()
    at = screen.drawn("student", advisor, key=university.student)
    at.pills(key="event-kind").set_value("outcome").run()
    assert made in at.multiselect(key="event-settles-closing").value
    at.text_area(key="event-text").set_value("Passed")
    next(each for each in at.button if each.label == EN("event.save")).click().run()
    assert [warning.value for warning in at.warning] == [EN("event.needs_outcome")]
    at.text_area(key="event-text").set_value("Passed")
    at.selectbox(key="event-result").set_value("reached")
    next(each for each in at.button if each.label == EN("event.save")).click().run()
    assert queries.followups_due(store, reader, today(store)).empty
    at = screen.drawn("student", advisor, key=university.student)
    assert EN("event.settled_on", day=EN.day(today(store))) in screen.texts(at)


@pytest.mark.parametrize("words", [EN, Words("id")], ids=["en", "id"])
def test_a_step_is_settled_with_what_came_of_it_and_can_be_made_due_again(university, screen, words):
    advisor, store = screen.person(university, "advisor"), university.store
    step = {"what": "Tutoring every Tuesday", "due_on": today(university.store)}
    made = add_case_event(store, university.student, advisor.account, "intervention", step)
    about = {"account": advisor, "language": words.language}

    def due() -> bool:
        listed = queries.followups_due(store, access.scope_for(advisor), today(store))
        return made in listed["event_id"].tolist()

    at = AppTest.from_function(_settling, default_timeout=60, kwargs=about).run()
    assert at.button(key="settle-done").disabled  # until it is said, and no outcome is chosen beforehand
    assert at.selectbox(key="settle-result-0").value is None
    at.selectbox(key="settle-result-0").set_value("no_contact").run()
    at.button(key="settle-done").click().run()
    assert not at.exception and not due()
    outcome = queries.case_events(store, Scope.system(), university.student).sort_values("event_id")
    assert outcome[outcome["kind"] == "outcome"].iloc[-1]["detail"]["result"] == "no_contact"
    assert words("followup.settled", students=words.count("students", 1)) in screen.texts(at)
    at.button(key="settled-undo").click().run()
    assert due() and not at.exception
    assert at.selectbox(key="settle-result-1").value is None
    log = audit.entries(store).head(2)  # under whom it was done, not under the list
    assert log["action"].tolist() == ["withdraw_event", "log_event"]
    assert log["object"].tolist() == [university.student] * 2
    withdraw_case_events(store, [made], advisor.account)


def _settling(account, language):

    import streamlit as st

    from dashboard.cases.view.followup_list import settle, settled_receipt
    from dashboard.shell import access, stores
    from data import queries
    from data.calendar.clock import today

    st.session_state["language"], st.session_state["person"] = language, account
    settled_receipt()
    settle(queries.followups_due(stores.store(), access.scope_for(account), today(stores.store())).tail(1))


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_weeks_digest_is_on_the_page(university, language, screen):
    at = AppTest.from_function(
        _digest,
        default_timeout=60,
        kwargs={"account": screen.person(university, "advisor"), "language": language},
    ).run()
    assert not at.exception
    assert Words(language)("digest.title") in screen.texts(at)


def _digest(account, language):
    import streamlit as st

    from dashboard.cases.view.digest_panel import digest_panel

    st.session_state["language"] = language
    st.session_state["person"] = account
    digest_panel("late")
