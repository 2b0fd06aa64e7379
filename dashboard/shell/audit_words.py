"""Entries of the audit log in words. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dashboard.shell.audit_details import account_acts, detail_words
from dashboard.shell.wording import Words
from data.trust.audit import NOBODY
from data.trust.audit_chain import MET, ChainReport
from data.trust.time_stamps import DAMAGED, LOST, PROVEN, UNCHECKED, UNTRUSTED

OF_ROLES = ("sign_in", "sign_out", "sign_out_everywhere")  # acts whose object is a role
OF_LISTS = ("view_caseload", "view_followups", "view_lacking")
OF_PAGES = (*OF_LISTS, "search_students", "refuse_page", "export")  # … or a page
HEADINGS = {"at": "when", "actor": "actor", "role": "role", "action": "action", "object": "object"}


def audit_table(entries: pd.DataFrame, words: Words, people: Mapping[str, str]) -> pd.DataFrame:
    """The entries with their codes in words and their detail in one line.

    Parameters
    ----------
    entries : DataFrame
        From :func:`data.trust.audit.entries`.
    words : Words
    people : mapping
        Account → name on the screen.
    """
    shown = entries[["entry", *HEADINGS, "detail"]].assign(
        actor=[actor_words(actor, role, words, people) for actor, role in entries[["actor", "role"]].values],
        role=[words.named("role", role) for role in entries["role"]],
        action=[act_words(*pair, words) for pair in entries[["action", "detail"]].values],
        object=[object_words(*pair, words) for pair in entries[["action", "object"]].values],
        detail=[detail_words(detail, words, act) for act, detail in entries[["action", "detail"]].values],
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
    return [*lines, *_stamp_words(report, words)]


def _stamp_words(report: ChainReport, words: Words) -> list[str]:
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
        lines.append(words("audit.stamped", n=len(proven), when=words.moment(max(proven))))
    return lines


def actor_words(actor: str, role: str, words: Words, people: Mapping[str, str]) -> str:
    """Who did something, by name and account; what no person did by what did it."""
    if actor == NOBODY:
        return words("audit.unknown")
    if role == "system" and actor not in people:
        return words("audit.system")
    name = people.get(actor, actor)
    return actor if name == actor else f"{name} · {actor}"


def act_words(action: str, detail: object, words: Words) -> str:
    """What was done; of an account, whether it was made, given another role, other programmes or another
    password, closed or opened."""
    if action == "write account" and isinstance(detail, dict) and "role" in detail:
        return " · ".join(words(f"account_act.{act}") for act in account_acts(detail))
    return words.named("action", action)


def object_words(action: str, thing: str, words: Words) -> str:
    """What something was done to: a page, a role, a part of the store by name; anything else as it is."""
    families = ("role",) if action in OF_ROLES else ("nav",) if action in OF_PAGES else ()
    families = families if action == "write account" else (*families, "audit_object")
    return next((words(f"{one}.{thing}") for one in families if words.has(f"{one}.{thing}")), thing)
