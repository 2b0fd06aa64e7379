"""An agreed step stays due until somebody says that it is done, on both databases."""

from datetime import date

import pytest

from data import queries
from data.store import add_case_event, add_case_events, withdraw_case_events
from data.trust.scope import Scope

ANI = Scope("ani", "advisor", True, None, True, True)
TUTORING = {"what": "Tutoring every Tuesday", "due_on": "2024-10-12"}


def due(store, day: int, month: int = 10) -> list[str]:
    rows = queries.followups_due(store, ANI, date(2024, month, day))
    return [
        (detail.get("what") or detail.get("how") or kind) for kind, detail in rows[["kind", "detail"]].values
    ]


@pytest.fixture
def case(small_register):
    return small_register.store, small_register.keys["S07"]


def test_a_later_contact_leaves_an_agreed_step_due(case):
    store, key = case
    add_case_event(store, key, "ani", "intervention", TUTORING)
    add_case_event(store, key, "ani", "contact", {"how": "Short call", "due_on": "2024-10-20"})
    assert due(store, 11) == []
    assert due(store, 12) == ["Tutoring every Tuesday"]
    assert due(store, 20) == ["Tutoring every Tuesday", "Short call"]


def test_a_step_goes_when_an_entry_says_so_and_comes_back_when_that_is_taken_back(case):
    store, key = case
    tutoring = add_case_event(store, key, "ani", "intervention", TUTORING)
    call = {"how": "Call instead", "due_on": "2024-10-15"}
    made = add_case_event(store, key, "ani", "contact", call, settles=[tutoring])
    assert due(store, 31) == ["Call instead"]
    withdraw_case_events(store, [made], "ani")
    assert due(store, 31) == ["Tutoring every Tuesday"]


def test_an_outcome_settles_every_step_unless_told_which(case):
    store, key = case
    tutoring = add_case_event(store, key, "ani", "intervention", TUTORING)
    add_case_event(store, key, "ani", "contact", {"how": "Call", "due_on": "2024-10-01"})
    add_case_event(store, key, "ani", "outcome", {"result": "reached"}, settles=[tutoring])
    assert due(store, 31) == ["Call"]
    add_case_event(store, key, "ani", "outcome", {"result": "reached"}, settles=[])
    assert due(store, 31) == ["Call"]
    add_case_event(store, key, "ani", "no_action", {"reason": "moved"})
    assert due(store, 31) == []


def test_a_snooze_hides_the_steps_until_its_day_and_settles_none(case):
    store, key = case
    add_case_event(store, key, "ani", "intervention", TUTORING)
    add_case_event(store, key, "ani", "snooze", {"due_on": "2024-10-20"})
    assert due(store, 19) == []
    assert queries.quiet_students(store, ANI, date(2024, 10, 19)) == [key]
    assert due(store, 20) == ["Tutoring every Tuesday"]
    assert queries.quiet_students(store, ANI, date(2024, 10, 20)) == []
    seen_ahead = queries.followups_due(store, ANI, date(2024, 11, 15))
    assert seen_ahead["due_on"].tolist() == ["2024-10-20"]  # put off, and overdue no more
    add_case_event(store, key, "ani", "contact", {"how": "mail"})  # the snooze lasts until something is done
    assert queries.followups_due(store, ANI, date(2024, 11, 15))["due_on"].tolist() == [TUTORING["due_on"]]


def test_a_snooze_alone_is_due_on_its_day(case):
    store, key = case
    add_case_event(store, key, "ani", "snooze", {"due_on": "2024-10-20"})
    assert due(store, 20) == ["snooze"]
    add_case_event(store, key, "ani", "contact", {"how": "mail"})
    assert due(store, 20) == []


def test_only_open_steps_of_the_students_can_be_settled(case, small_register):
    store, key = case
    other = small_register.keys["S01"]
    foreign = add_case_event(store, other, "ani", "intervention", TUTORING)
    note = add_case_event(store, key, "ani", "note", {"text": "nothing to do"})
    for step in (foreign, note, 10**6):
        with pytest.raises(ValueError, match="settles must name open steps"):
            add_case_event(store, key, "ani", "outcome", {"text": "done"}, settles=[step])
    assert queries.case_events(store, ANI, key)["kind"].tolist() == ["note"]  # nothing half-written


def test_steps_of_several_students_are_settled_at_once(case, small_register):
    store, keys = case[0], [small_register.keys["S07"], small_register.keys["S01"]]
    steps = add_case_events(store, keys, "ani", "intervention", TUTORING)
    add_case_events(store, keys, "ani", "outcome", {"result": "partly"}, settles=steps)
    assert due(store, 31) == []


def test_in_a_store_of_before_the_newest_event_still_decides(case):
    from sqlalchemy import insert

    from data import schema
    from data.engine.clock import now

    store, key = case
    with store.writing() as connection:  # as it was written before steps stayed
        row = {"student_key": key, "at": now(), "actor": "ani", "kind": "intervention", "detail": TUTORING}
        connection.execute(insert(schema.case_events).values(**row))
    assert due(store, 12) == ["Tutoring every Tuesday"]
    add_case_event(store, key, "ani", "contact", {"how": "mail"})
    assert due(store, 12) == []
