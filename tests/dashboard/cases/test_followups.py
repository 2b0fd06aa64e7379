"""Follow-ups by urgency."""

from datetime import date

import pandas as pd
import pytest

from dashboard.cases import followups
from dashboard.shell.wording import Words

TODAY = date(2026, 5, 10)
DUE = pd.DataFrame(
    {
        "due_on": ["2026-05-09", "2026-05-10", "2026-05-17", "2026-05-18"],
        "student_key": ["a", "b", "c", "d"],
        "kind": ["contact", "intervention", "snooze", "contact"],
        "detail": [{"how": "phone"}, {"what": "tutoring"}, {"text": "exam"}, None],
        "at": pd.to_datetime(["2026-05-01"] * 4),
        "owner": ["rina", "tutoring", "rina", "rina"],
        "name": ["Ani", None, "Citra", "Dewi"],
        "student_number": ["01", "02", None, "04"],
    }
)


def test_each_date_falls_into_one_part():
    parts = followups.by_urgency(DUE, TODAY)
    assert {name: rows["student_key"].tolist() for name, rows in parts.items()} == {
        "overdue": ["a"],
        "today": ["b"],
        "this_week": ["c"],
        "later": ["d"],
    }


def test_parts_without_rows_are_left_out():
    assert list(followups.by_urgency(DUE.head(1), TODAY)) == ["overdue"]


def test_the_table_says_what_was_agreed_whatever_the_event_calls_it():
    table = followups.as_table(DUE, {"rina": "Rina S."}, Words("en"))
    assert table["Detail"].tolist() == ["phone", "tutoring", "exam", ""]
    assert table["Student"].tolist() == ["Ani · 01", "02", "Citra", "Dewi · 04"]
    assert table["Due"].tolist()[0] == "9 May 2026"
    assert table["Who"].tolist() == ["Rina S.", "tutoring", "Rina S.", "Rina S."]


@pytest.mark.parametrize(("whose", "keys"), [("all", "abcd"), ("mine", "acd"), ("handed", "b")])
def test_ones_own_steps_are_told_from_those_handed_on(whose, keys):
    assert followups.owned(DUE, whose, "rina")["student_key"].tolist() == list(keys)


def test_steps_that_nothing_has_settled_are_open_the_earliest_first():
    events = pd.DataFrame(
        {
            "event_id": [1, 2, 3, 4, 5],
            "kind": ["contact", "intervention", "note", "settled", "contact"],
            "at": pd.to_datetime(["2026-05-01", "2026-05-02", "2026-05-03", "2026-05-04", "2026-05-05"]),
            "detail": [
                {"how": "mail", "due_on": "2026-06-09", "stays": True},
                {"what": "tutoring", "due_on": "2026-06-01", "stays": True},
                None,
                {"event": 2, "by": 3},
                {"how": "phone", "due_on": "2026-06-02", "stays": True},
            ],
        }
    )
    assert [step["event_id"] for step in followups.open_steps(events)] == [5, 1]
    assert followups.settled_on(events) == {2: pd.Timestamp("2026-05-04")}
