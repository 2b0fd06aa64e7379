"""What is due, sorted by urgency and put into words. Pure functions of frames."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from dashboard.shell.wording import Words

URGENCIES = ("overdue", "today", "this_week", "later")
SENTENCE = ("text", "what", "how", "reason")  # what each kind of event calls its sentence


def said(detail: dict | None) -> str:
    """The sentence of an event, whatever its kind calls it."""
    return next((str(detail[name]) for name in SENTENCE if detail and detail.get(name)), "")


def open_steps(events: pd.DataFrame) -> list[dict]:
    """The steps among a student's events that are still to do, the earliest day first.

    Parameters
    ----------
    events : DataFrame
        ``event_id``, ``kind``, ``detail`` (dict) of the events that were not taken back.
    """
    done = set(settled_on(events))
    steps = [
        event
        for event in events.to_dict("records")
        if (event["detail"] or {}).get("stays") and event["event_id"] not in done
    ]
    return sorted(steps, key=lambda event: (event["detail"]["due_on"], event["event_id"]))


def settled_on(events: pd.DataFrame) -> dict[int, pd.Timestamp]:
    """Id of each settled step → when it was settled."""
    settled = events[events["kind"] == "settled"]
    return {detail["event"]: at for detail, at in zip(settled["detail"], settled["at"], strict=True)}


def urgency(due: date, today: date) -> str:
    """Which part of the list a date belongs to; "this_week" is the seven days after today."""
    if due < today:
        return "overdue"
    if due == today:
        return "today"
    return "this_week" if due <= today + timedelta(days=7) else "later"


def by_urgency(due: pd.DataFrame, today: date) -> dict[str, pd.DataFrame]:
    """The rows of ``queries.followups_due`` by urgency, the most urgent first; empty parts left out."""
    kinds = pd.Series([urgency(date.fromisoformat(day), today) for day in due["due_on"]], index=due.index)
    return {name: due[kinds == name] for name in URGENCIES if (kinds == name).any()}


def owned(due: pd.DataFrame, whose: str, account: str) -> pd.DataFrame:
    """The rows that are the account's own to do ("mine"), that it handed on ("handed"), or "all"."""
    if whose == "all":
        return due
    mine = due["owner"] == account
    return due[mine if whose == "mine" else ~mine]


def as_table(due: pd.DataFrame, colleagues: dict[str, str], words: Words) -> pd.DataFrame:
    """The rows with headings in the reader's language; ``colleagues`` names the owners' accounts."""
    return pd.DataFrame(
        {
            words("column.due"): [words.day(day) for day in due["due_on"]],
            words("column.student"): [who(row) for row in due.to_dict("records")],
            words("column.kind"): [words.named("event", kind) for kind in due["kind"]],
            words("column.detail"): [said(detail) for detail in due["detail"]],
            words("column.owner"): [colleagues.get(name, name) for name in due["owner"]],
            words("column.when"): [words.day(at) for at in due["at"]],
        }
    )


def who(row: dict) -> str:
    """Name and number where the reader may see them, else the beginning of the key."""
    known = [part for part in (row.get("name"), row.get("student_number")) if isinstance(part, str) and part]
    return " · ".join(known) or row["student_key"][:8]
