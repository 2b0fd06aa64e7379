"""Entries of the audit log in words. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

import pandas as pd

from dashboard.reports.provenance import local_time
from dashboard.reports.words import clock_name, clock_of
from dashboard.shell.audit_details import account_acts, detail_words, person_words
from dashboard.shell.wording import Words
from data.trust.audit import NOBODY
from data.trust.audit_chain import MET, ChainReport
from data.trust.time_stamps import DAMAGED, LOST, PROVEN, UNCHECKED, UNTRUSTED

OF_ROLES = ("sign_in", "sign_out", "sign_out_everywhere")  # acts whose object is a role
OF_ACCOUNTS = ("write account", "end_session", "end_sessions")  # … or an account
OF_LISTS = ("view_caseload", "view_followups", "view_lacking")
OF_PAGES = (*OF_LISTS, "search_students", "refuse_page", "export")  # … or a page
HEADINGS = {"at": "when", "actor": "actor", "role": "role", "action": "action", "object": "object"}


def audit_table(
    entries: pd.DataFrame, words: Words, people: Mapping[str, str], zone: str = ""
) -> pd.DataFrame:
    """The entries with their codes in words and their detail in one line, moments on the clock of a place.

    Parameters
    ----------
    entries : DataFrame
        From :func:`data.trust.audit.entries`.
    words : Words
    people : mapping
        Account → name on the screen.
    zone : str
        Whose clock, as an IANA name; empty: UTC. Its name stands above the moments.
    """
    shown = entries[["entry", *HEADINGS, "detail"]].assign(
        actor=[actor_words(actor, role, words, people) for actor, role in entries[["actor", "role"]].values],
        role=[words.named("role", role) for role in entries["role"]],
        action=[act_words(*pair, words) for pair in entries[["action", "detail"]].values],
        at=entries["at"].dt.tz_localize("UTC").dt.tz_convert(zone or "UTC").dt.tz_localize(None),
        object=[object_words(*pair, words, people) for pair in entries[["action", "object"]].values],
        detail=[
            detail_words(detail, words, act, people, zone)
            for act, detail in entries[["action", "detail"]].values
        ],
    )
    headings = {name: words(f"column.{key}") for name, key in HEADINGS.items()}
    headings["at"] = words("column.on_clock", column=headings["at"], clock=clock_of(zone))
    return shown.rename(columns={**headings, "detail": words("column.detail"), "entry": "#"})


def chain_words(report: ChainReport, words: Words, zone: str = "") -> list[str]:
    """What the check of the log found, a sentence each; moments on the clock of ``zone``."""
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
    return [*lines, *_stamp_words(report, words, zone)]


def _stamp_words(report: ChainReport, words: Words, zone: str) -> list[str]:
    """What its time stamps say of the log; nothing where there are none."""
    states = [stamp.state for stamp in report.stamps]
    counted = {
        "stamps_lost": states.count(LOST),
        "stamps_bad": states.count(UNTRUSTED) + states.count(DAMAGED),
        "stamps_unchecked": states.count(UNCHECKED),
    }
    lines = [words(f"audit.{key}", n=n) for key, n in counted.items() if n]
    proven = [stamp.at for stamp in report.stamps if stamp.state == PROVEN and stamp.at is not None]
    if proven:
        newest = local_time(max(proven).astimezone(UTC).replace(tzinfo=None).isoformat(), zone)
        when = f"{words.moment(newest)} {clock_name(newest)}"
        lines.append(words("audit.stamped", n=len(proven), when=when))
    return lines


def actor_words(actor: str, role: str, words: Words, people: Mapping[str, str]) -> str:
    """Who did something, by name and account; what no person did by what did it."""
    if actor == NOBODY:
        return words("audit.unknown")
    if role == "system" and actor not in people:
        return words("audit.system")
    return person_words(actor, people)


def act_words(action: str, detail: object, words: Words) -> str:
    """What was done; of an account, whether it was made, given another role, other programmes or another
    password, closed or opened."""
    if action == "write account" and isinstance(detail, dict) and "role" in detail:
        return " · ".join(words(f"account_act.{act}") for act in account_acts(detail))
    return words.named("action", action)


def object_words(action: str, thing: str, words: Words, people: Mapping[str, str] | None = None) -> str:
    """What something was done to: an account, a page, a role, a part of the store by name; anything else as
    it is."""
    if action in OF_ACCOUNTS:
        return person_words(thing, people or {})
    families = ("role",) if action in OF_ROLES else ("nav",) if action in OF_PAGES else ()
    families = (*families, "audit_object")
    return next((words(f"{one}.{thing}") for one in families if words.has(f"{one}.{thing}")), thing)
