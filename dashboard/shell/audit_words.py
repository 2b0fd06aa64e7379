"""Entries of the audit log in words. No Streamlit here."""

from __future__ import annotations

import pandas as pd

from dashboard.shell.wording import Words
from data.trust.audit_chain import MET, ChainReport

HEADINGS = {"at": "when", "actor": "actor", "role": "role", "action": "action", "object": "object"}


def audit_table(entries: pd.DataFrame, words: Words) -> pd.DataFrame:
    """The entries with their codes in words and their detail in one line."""
    shown = entries[["entry", *HEADINGS, "detail"]].assign(
        role=[words.named("role", role) for role in entries["role"]],
        action=[words.named("action", action) for action in entries["action"]],
        detail=[detail_words(detail) for detail in entries["detail"]],
    )
    headings = {name: words(f"column.{key}") for name, key in HEADINGS.items()}
    return shown.rename(columns={**headings, "detail": words("column.detail"), "entry": "#"})


def chain_words(report: ChainReport, words: Words) -> list[str]:
    """What the check of the log found, a sentence each."""
    lines = []
    if report.broken_at is not None:
        lines.append(words("audit.broken_entry", entry=report.broken_at))
    if report.kept != MET:
        lines.append(words(f"audit.kept_{report.kept}"))
    if report.unguarded:
        lines.append(words("audit.unguarded", tables=", ".join(report.unguarded)))
    if report.intact:
        lines.append(words("audit.whole", n=report.entries))
    if report.earlier:
        lines.append(words("audit.earlier", n=report.earlier))
    return lines


def detail_words(detail: object) -> str:
    """A detail as ``name: value`` pairs; pairs of pairs in brackets.

    Examples
    --------
    >>> detail_words({"kind": "csv", "terms": {"new": 3, "same": 0}, "programs": None})
    'kind: csv · terms (new: 3, same: 0)'
    """
    if not isinstance(detail, dict):
        return ""
    return " · ".join(_pair(name, value) for name, value in detail.items() if value not in (None, "", {}, []))


def _pair(name: str, value: object) -> str:
    if isinstance(value, dict):
        return f"{name} ({', '.join(_pair(inner, one) for inner, one in value.items())})"
    if isinstance(value, list):
        return f"{name}: {', '.join(map(str, value))}"
    return f"{name}: {value}"
