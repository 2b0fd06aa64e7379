"""The audit chain, accounts and passwords, case events and follow-ups."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from data import queries
from data.engine.clock import now
from data.store import add_case_event, add_case_events, withdraw_case_events, write_accounts
from data.trust import accounts, audit
from data.trust.accounts import Account, find_account, list_accounts, verify_password
from data.trust.audit_chain import ChainReport, verify_chain
from data.trust.scope import Scope

ANI = Scope("ani", "advisor", True, None, True, True)


def act(store, action="view student", **changes) -> int:
    about = {"actor": "ani", "role": "advisor", "object": "0001", "detail": {"page": "student"}}
    return audit.append(store, action=action, **about | changes)


def test_an_intact_log_verifies_to_its_head(store):
    numbers = [act(store) for _ in range(3)]
    report = verify_chain(store)
    assert report.intact
    assert report.entries == 3
    assert numbers == sorted(numbers)
    assert audit.entries(store)["hash"].iloc[0] == report.head


def test_an_empty_log_is_intact(store):
    assert verify_chain(store) == ChainReport(0, None, audit.FIRST)


def test_identity_does_not_enter_the_log(store):
    with pytest.raises(ValueError, match=r"must not hold identity, got \['name'\]"):
        act(store, detail={"name": "Ani"})


def test_entries_are_found_by_actor_action_and_object(store):
    act(store)
    act(store, action="export caseload", actor="budi", object="caseload.csv")
    assert audit.entries(store, action="export")["actor"].tolist() == ["budi"]
    assert audit.entries(store, actor="ani")["object"].tolist() == ["0001"]
    assert len(audit.entries(store, object="caseload.csv")) == 1


# --- accounts --------------------------------------------------------------------------------------------
@pytest.fixture
def people(store):
    write_accounts(
        store,
        [
            Account("ani", "Ani W.", "advisor", password="correct horse battery"),
            Account("gone", "Gone", "advisor", active=False, password="correct horse battery"),
            Account("demo", "Demo", "leadership", program_codes=("IF",)),
        ],
    )
    return store


def test_the_right_password_opens_the_account(people):
    assert verify_password(people, "ani", "correct horse battery") == Account("ani", "Ani W.", "advisor")


@pytest.mark.parametrize(
    ("name", "password"),
    [("ani", "wrong"), ("nobody", "correct horse battery"), ("gone", "correct horse battery"), ("demo", "")],
)
def test_everything_else_does_not(people, name, password):
    assert verify_password(people, name, password) is None


def test_an_unknown_name_takes_as_long_as_a_wrong_password(people):
    def seconds(name: str) -> float:
        verify_password(people, name, "wrong")
        started = time.perf_counter()
        for _ in range(3):
            verify_password(people, name, "wrong")
        return time.perf_counter() - started

    known, unknown = seconds("ani"), seconds("nobody")
    assert 0.2 < known / unknown < 5  # a failure without hashing would be hundreds of times faster


def test_passwords_are_kept_as_argon2id_and_survive_other_changes(people):
    write_accounts(people, [Account("ani", "Ani Wijaya", "registry")])
    assert verify_password(people, "ani", "correct horse battery").role == "registry"
    with people.reading() as connection:
        stored = connection.scalar(text("SELECT password_hash FROM accounts WHERE account = 'ani'"))
    assert stored.startswith("$argon2id$")
    assert "horse" not in repr(Account("a", "A", "advisor", password="horse horse"))


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (Account("two  spaces", "X", "advisor"), "account must be 1-80 letters"),
        (Account("x", "X", "king"), "role must be one of"),
        (Account("x", "X", "advisor", password="short"), "at least 12 characters, got 5"),
    ],
)
def test_accounts_that_break_a_rule_are_refused(store, account, message):
    with pytest.raises(ValueError, match=message):
        write_accounts(store, [account])


def test_demo_accounts_are_one_per_role_and_one_per_advisor(small_register):
    store = small_register.store
    accounts.write_demo_accounts(store)
    accounts.write_demo_accounts(store)
    listed = list_accounts(store)
    assert [a.account for a in listed if a.role == "advisor"] == ["ani", "budi", "citra"]
    assert {a.role for a in listed} == set(accounts.ROLES)
    assert find_account(store, "ani").display_name == "Ani"
    assert verify_password(store, "ani", "") is None


def test_an_inactive_account_is_not_found(people):
    assert find_account(people, "gone") is None
    assert find_account(people, "demo").program_codes == ("IF",)


# --- case events -----------------------------------------------------------------------------------------
def test_events_are_listed_newest_first(small_register):
    store, key = small_register.store, small_register.keys["S07"]
    add_case_event(store, key, "ani", "contact", {"how": "mail", "reached": True})
    add_case_event(store, key, "ani", "note", {"text": "wants to change courses"})
    events = queries.case_events(store, ANI, key)
    assert events["kind"].tolist() == ["note", "contact"]
    assert events["detail"].iloc[1] == {"how": "mail", "reached": True}


def test_a_follow_up_is_due_until_something_is_done(small_register):
    store, keys = small_register.store, small_register.keys
    add_case_event(store, keys["S07"], "ani", "contact", {"due_on": date(2024, 10, 1)})
    add_case_event(store, keys["S07"], "ani", "note", {"text": "no change"})
    add_case_event(store, keys["S01"], "ani", "snooze", {"due_on": "2024-11-01"})
    add_case_event(store, keys["S08"], "budi", "contact", {"due_on": "2024-09-01"})

    def due(scope, month: int, day: int = 1):
        return queries.followups_due(store, scope, date(2024, month, day))["student_number"].tolist()

    assert due(ANI, 9, 30) == []
    assert due(ANI, 10) == ["S07"]
    assert due(ANI, 11) == ["S07", "S01"]
    assert due(Scope.system(), 11) == ["S08", "S07", "S01"]
    add_case_event(store, keys["S07"], "ani", "outcome", {"text": "passed the retake"})
    assert due(ANI, 11) == ["S01"]


def test_last_events_leave_notes_aside(small_register):
    store, key = small_register.store, small_register.keys["S07"]
    add_case_event(store, key, "ani", "contact", {})
    add_case_event(store, key, "ani", "note", {})
    assert queries.last_events(store, ANI)["kind"].tolist() == ["contact"]


def test_a_step_belongs_to_whom_it_names_and_else_to_whoever_logged_it(small_register):
    store, keys = small_register.store, small_register.keys
    add_case_event(store, keys["S07"], "ani", "contact", {"due_on": "2024-10-01", "owner": "tutoring"})
    add_case_event(store, keys["S01"], "ani", "contact", {"due_on": "2024-10-02"})
    due = queries.followups_due(store, ANI, date(2024, 10, 3))
    assert dict(zip(due["student_number"], due["owner"], strict=True)) == {"S07": "tutoring", "S01": "ani"}


def test_one_step_is_logged_for_several_students_or_for_none(small_register):
    store, keys = small_register.store, small_register.keys
    made = add_case_events(store, [keys["S07"], keys["S01"]], "ani", "contact", {"how": "mail"}, scope=ANI)
    first, second = (queries.case_events(store, ANI, keys[one]).iloc[0] for one in ("S07", "S01"))
    assert sorted([first["event_id"], second["event_id"]]) == sorted(made)
    assert first["detail"]["batch"] == second["detail"]["batch"]
    with pytest.raises(PermissionError, match="'ani' may not write"):
        add_case_events(store, [keys["S07"], keys["S08"]], "ani", "contact", {}, scope=ANI)
    with pytest.raises(ValueError, match="1 to 200 different students"):
        add_case_events(store, [keys["S07"], keys["S07"]], "ani", "contact", {})
    assert len(queries.case_events(store, ANI, keys["S07"])) == 1


def test_what_is_taken_back_counts_for_nothing_and_stays_readable(small_register):
    store, key = small_register.store, small_register.keys["S07"]
    add_case_event(store, key, "ani", "contact", {"due_on": "2024-10-01"})
    wrong = add_case_event(store, key, "ani", "outcome", {"text": "passed", "result": "reached"})
    assert queries.followups_due(store, ANI, date(2024, 10, 1)).empty
    assert withdraw_case_events(store, [wrong], "ani", scope=ANI) == 1
    assert queries.case_events(store, ANI, key)["kind"].tolist() == ["contact"]
    assert queries.last_events(store, ANI)["kind"].tolist() == ["contact"]
    assert len(queries.followups_due(store, ANI, date(2024, 10, 1))) == 1
    assert queries.case_events(store, ANI, key, withdrawn=True)["kind"].tolist() == [
        "withdrawn",  # of the settling
        "withdrawn",  # of the outcome
        "settled",
        "outcome",
        "contact",
    ]


def test_only_ones_own_standing_events_are_taken_back(small_register):
    store, key = small_register.store, small_register.keys["S07"]
    event = add_case_event(store, key, "ani", "note", {"text": "once"})
    with pytest.raises(ValueError, match="standing events of 'budi'"):
        withdraw_case_events(store, [event], "budi")
    withdraw_case_events(store, [event], "ani")
    with pytest.raises(ValueError, match="standing events of 'ani'"):
        withdraw_case_events(store, [event], "ani")
    far = add_case_event(store, small_register.keys["S08"], "ani", "note", {"text": "far"})
    with pytest.raises(PermissionError, match="'ani' may not write"):
        withdraw_case_events(store, [far], "ani", scope=ANI)


def test_who_was_contacted_lately_or_is_snoozed_is_quiet(small_register):
    store, keys = small_register.store, small_register.keys
    today = now().date()
    later, before = (today + timedelta(days=days) for days in (30, -1))
    assert queries.quiet_students(store, ANI, today) == []
    add_case_event(store, keys["S07"], "ani", "contact", {"how": "mail"})
    add_case_event(store, keys["S01"], "ani", "snooze", {"due_on": later})
    assert set(queries.quiet_students(store, ANI, today)) == {keys["S07"], keys["S01"]}
    assert queries.quiet_students(store, ANI, today + timedelta(days=15)) == [keys["S01"]]
    assert queries.quiet_students(store, ANI, later) == []
    add_case_event(store, keys["S07"], "ani", "contact", {"due_on": before})
    assert queries.quiet_students(store, ANI, today) == [keys["S01"]]


@pytest.mark.parametrize(
    ("kind", "detail", "message"),
    [
        ("outcome", {"result": "splendid"}, "detail.result must be one of"),
        ("party", {}, "kind must be one of"),
        ("override", {"band": "low"}, "must have a reason"),
        ("contact", {"due_on": "soon"}, "must be an ISO date, got 'soon'"),
    ],
)
def test_events_that_break_a_rule_are_refused(small_register, kind, detail, message):
    with pytest.raises(ValueError, match=message):
        add_case_event(small_register.store, small_register.keys["S07"], "ani", kind, detail)


def test_nobody_writes_about_students_out_of_reach(small_register):
    store, key = small_register.store, small_register.keys["S08"]
    with pytest.raises(PermissionError, match="'ani' may not write"):
        add_case_event(store, key, "ani", "note", {}, scope=ANI)
    with pytest.raises(ValueError, match="must be a known student"):
        add_case_event(store, "nobody", "ani", "note", {})
