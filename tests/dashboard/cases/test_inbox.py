"""What waits for whom: the number in the menu, the page with its links, and the calendar file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.cases import inbox
from dashboard.cases.calendar_file import calendar_file
from dashboard.shell.access import pages_for
from dashboard.shell.wording import Words
from data.columns import ROLES
from data.engine.clock import now
from data.jobs import table
from data.store import add_case_event, write_accounts
from data.trust import reports_store
from data.trust.accounts import Account
from data.trust.reports_store import StoredReport

ANI = Account("ani", "Ani", "advisor")
DEAN, STAFF = Account("dean", "Dean", "leadership"), Account("staff", "Staff", "accreditation")
ADMIN = Account("admin", "Admin", "administrator")
REPORT = StoredReport(
    *("r1", "iaps40-8c", "1", "IF", 2025, 1, "prepared", "staff", datetime(2026, 1, 5), "", None, "0" * 64),
    *({}, {}, {}),
)


def counts(store, person: Account, since: datetime | None = None, on: date = date(2026, 1, 10)) -> dict:
    parts = inbox.waiting(store, person, since or now() - timedelta(days=1), on)
    return {part.kind: len(part.items) for part in parts}


@pytest.fixture
def office(small_register, served):
    served(small_register.store)
    write_accounts(small_register.store, [ANI, DEAN, STAFF, ADMIN])
    return small_register


def test_each_role_waits_for_what_it_has_pages_for():
    found = {role: inbox.has_inbox(role) for role in ROLES}
    assert found == {role: role != "auditor" for role in ROLES}
    assert {role: "inbox" in [page.name for page in pages_for(role)] for role in ROLES} == found


def test_a_report_waits_for_others_than_its_preparer_until_its_newest_version_is_approved(office):
    store = office.store
    reports_store.save_prepared(store, REPORT, "accreditation")
    assert counts(store, DEAN)["approvals"] == 1
    assert counts(store, STAFF)["approvals"] == 0  # prepared it
    assert counts(store, replace(DEAN, program_codes=("MI",)))["approvals"] == 0  # another programme
    second = replace(REPORT, report_id="r2", version=2, prepared_by="dean")
    reports_store.save_prepared(store, second, "accreditation")
    assert (counts(store, DEAN)["approvals"], counts(store, STAFF)["approvals"]) == (0, 1)
    approved = replace(second, approved_by="staff", approved_at=datetime(2026, 1, 6), status="approved")
    reports_store.save_approval(store, approved, "accreditation")
    assert counts(store, STAFF)["approvals"] == 0


def test_a_step_waits_for_its_owner_from_its_day_on(office):
    step = {"what": "Tutoring", "due_on": "2026-01-10"}
    add_case_event(office.store, office.keys["S07"], "ani", "intervention", step)
    assert counts(office.store, ANI, on=date(2026, 1, 9))["steps"] == 0
    assert counts(office.store, ANI)["steps"] == 1
    handed = {"what": "Call", "due_on": "2026-01-10", "owner": "budi"}
    add_case_event(office.store, office.keys["S07"], "ani", "intervention", handed)
    assert counts(office.store, ANI)["steps"] == 1


def test_a_job_is_told_once_to_whoever_asked_for_it(office):
    store = office.store
    table.enqueue(store, "score", {}, actor="admin", role="administrator")
    table.enqueue(store, "score", {}, actor="other", role="administrator")
    table.enqueue(store, "digest", {}, actor="admin", role="administrator")
    assert counts(store, ADMIN)["jobs"] == 0
    for result in ({"scores": 3}, {"scores": 4}, {"sent": 1}):
        table.finish(store, table.take(store, "w"), "done", result=result)
    assert counts(store, ADMIN)["jobs"] == 1
    inbox.looked(store, "admin")
    assert counts(store, ADMIN, inbox.last_look(store, "admin"))["jobs"] == 0


def ended(store, kind: str, actor: str, role: str, status: str = "failed") -> str:
    """A job of somebody's that has ended; its number."""
    job_id = table.enqueue(store, kind, {}, actor=actor, role=role)
    said = {"problem": "unknown"} if status == "failed" else {"result": {}}
    table.finish(store, table.take(store, "w"), status, **said)
    return job_id


def test_what_failed_waits_for_whoever_asked_whatever_pages_they_have(office):
    """Leadership asks for meeting packs and has no page of jobs."""
    store = office.store
    ended(store, "pack", "dean", "leadership")
    ended(store, "pack", "dean", "leadership", "done")
    ended(store, "digest", "dean", "leadership")
    ended(store, "digest", "dean", "leadership", "done")  # the message itself tells that it came
    assert counts(store, DEAN)["jobs"] == 3
    ended(store, "score", "admin", "administrator")
    for _ in range(205):
        table.enqueue(store, "score", {}, actor="other", role="administrator")
    assert counts(store, ADMIN)["jobs"] == 1  # however many colleagues asked for later


def _router(account, language):
    import streamlit as st

    from dashboard.cases.view.inbox_number import number, tell_ended

    st.session_state["language"] = language
    st.session_state["person"] = account
    st.session_state.pop("inbox_number", None)
    number()
    tell_ended()


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_job_that_ended_out_of_sight_is_told_once_on_the_next_page(office, language):
    words = Words(language)
    ended(office.store, "score", "admin", "administrator")
    at = AppTest.from_function(
        _router, default_timeout=60, kwargs={"account": ADMIN, "language": language}
    ).run()
    assert words("job_status.failed") in at.toast[0].value
    assert words("nav.inbox") in at.toast[0].value
    assert not at.run().toast
    ended(office.store, "score", "admin", "administrator")
    ended(office.store, "train", "admin", "administrator", "done")
    at.run()
    told = words("inbox.ended", n=2, failed=1)
    assert [one.value for one in at.toast] == [
        f"{told} {words('inbox.ended_where', page=words('nav.inbox'))}"
    ]
    assert not at.run().toast


def test_how_a_job_ended_is_not_told_again_where_a_page_has_said_it(office):
    shown = ended(office.store, "score", "admin", "administrator")
    at = AppTest.from_function(_router, default_timeout=60, kwargs={"account": ADMIN, "language": "en"})
    at.session_state["jobs_shown"] = {shown}
    assert not at.run().toast


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_page_leads_to_what_waits_and_tells_jobs_until_it_is_left(office, screen, language):
    store = office.store
    assert Words(language)("inbox.empty_title") in screen.texts(screen.drawn("inbox", DEAN, language))
    reports_store.save_prepared(store, REPORT, "accreditation")
    at = screen.drawn("inbox", DEAN, language)
    told = Words(language)("inbox.title_approvals")
    assert f"{told}\u00a0·\u00a01" in screen.texts(at)
    assert "TS 2025" in screen.texts(at)
    assert "IF Informatics" in screen.texts(at)
    table.enqueue(store, "score", {}, actor="admin", role="administrator")
    table.finish(store, table.take(store, "w"), "done", result={"scores": 3})
    at = screen.drawn("inbox", ADMIN, language)
    told = Words(language)("inbox.title_jobs")
    assert told in screen.texts(at)
    assert told in screen.texts(at.run())  # a click on the page takes nothing away
    assert told not in screen.texts(screen.drawn("inbox", ADMIN, language))  # the next visit does


def test_the_calendar_says_how_many_and_nobodys_name():
    days = [date(2026, 1, 10), date(2026, 1, 12), date(2026, 1, 10)]
    made = calendar_file(days, "ani", "https://tepat.example/followups", Words("en"), datetime(2026, 1, 1, 8))
    lines = made.decode().split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-2:] == ["END:VCALENDAR", ""]
    assert [line for line in lines if line.startswith("SUMMARY")] == [
        "SUMMARY:2 agreed steps are due",
        "SUMMARY:1 agreed step is due",
    ]
    assert "DTSTART;VALUE=DATE:20260110" in lines and "DTEND;VALUE=DATE:20260111" in lines
    assert "DTSTAMP:20260101T080000Z" in lines
    assert b"ani" not in made
    later = calendar_file(days[:1], "ani", "", Words("id"), datetime(2026, 1, 2, tzinfo=UTC))
    uids = [
        [line for line in text.split("\r\n") if line.startswith("UID")]
        for text in (made.decode(), later.decode())
    ]
    assert uids[1][0] == uids[0][0] and len(set(uids[0])) == 2


def test_a_long_line_of_the_calendar_is_folded_without_tearing_a_character():
    link = "https://tepat.example/" + "é" * 100
    made = calendar_file([date(2026, 1, 10)], "ani", link, Words("en"), datetime(2026, 1, 1))
    assert max(map(len, made.split(b"\r\n"))) <= 75
    assert f"URL:{link}" in made.decode().replace("\r\n ", "")
