"""What is kept until when, in words and tables. No Streamlit here."""

from __future__ import annotations

from datetime import date

import pandas as pd

from dashboard.shell.wording import Words
from data.keeping.retention import QUESTIONED, RECORDS, SIGNATURES, Due
from data.keeping.rule import KEEP, Rule

KINDS = (SIGNATURES, QUESTIONED, RECORDS)
MOST_MONTHS = 24


def rule_words(rule: Rule, words: Words) -> str:
    """The rule in sentences, and whether anybody has decided it."""
    said = words("retention.rule", exit=rule.after_exit, most=rule.at_most)
    if rule.records == KEEP:
        records = words("retention.records_keep")
    else:
        records = words(f"retention.records_{rule.records}", years=rule.records_after)
    state = words("retention.decided" if rule.decided else "retention.proposed")
    return f"{said} {records} {state}"


def due_words(due: Due, words: Words) -> str:
    """What has fallen due, in a sentence."""
    if not due.anything:
        return words("retention.nothing_due", day=words.day(due.on))
    counts = {"signatures": due.signatures, "students": len(due.specimens), "questioned": due.questioned}
    how = words.named("retention.how", due.rule.records)
    return words("retention.due", day=words.day(due.on), records=len(due.records), how=how, **counts)


def month_table(
    months: list[tuple[date, dict[str, int]]], since: date, words: Words
) -> tuple[pd.DataFrame, int]:
    """What falls due in the coming months that have something, and in how many later ones more does.

    Parameters
    ----------
    months : list of (date, dict)
        Of :func:`data.keeping.retention.calendar`.
    since : datetime.date
        Months before its own are left out: what was due then is in :func:`due_words`.
    """
    ahead = [(month, counts) for month, counts in months if month >= since.replace(day=1)]
    rows = [
        {
            words("retention.month"): f"{month:%Y-%m}",
            **{words(f"retention.column_{kind}"): counts.get(kind, 0) for kind in KINDS},
        }
        for month, counts in ahead[:MOST_MONTHS]
    ]
    return pd.DataFrame(rows), max(len(ahead) - MOST_MONTHS, 0)
