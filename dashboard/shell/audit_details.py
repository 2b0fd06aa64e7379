"""What an entry of the audit log says beside its act, in words: names, answers, days. No Streamlit here."""

from __future__ import annotations

import re
from datetime import datetime

from dashboard.shell.wording import Words

FAMILIES = {
    "band": ("band.",),
    "kind": ("event.", "job_kind.", "duplicates.kind_"),
    "opinion": ("opinion.", "action_of."),
    "outcome": ("verification.outcome_",),
    "role": ("role.",),
    "scopes": ("tokens.scope_",),
    "target": ("target.",),
}
"""What a detail is about → where its values have their words."""
OF_PROGRAMMES = ("program_code", "program_codes")
MONTHS = ("start_month", "closing_months")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|\+00:00)?)?")


def account_acts(detail: dict) -> list[str]:
    """What was done to an account, as codes of ``account_act``; more than one where several things changed.

    Examples
    --------
    >>> account_acts({"role": "auditor"}), account_acts({"role": "auditor", "before": {"role": "advisor"}})
    (['created'], ['role'])
    """
    before = detail.get("before")
    if before is None:
        return ["created"]
    acts = [
        act
        for act, name in (("role", "role"), ("programmes", "program_codes"))
        if name in before and before[name] != detail.get(name)
    ]
    if "active" in before and bool(before["active"]) != bool(detail.get("active")):
        acts.append("opened" if detail.get("active") else "closed")
    if detail.get("new_password"):
        acts.append("password")
    return acts or ["name"]


def of_account(detail: dict) -> dict:
    """What an account is now, and what it was before where that was another."""
    told = {name: value for name, value in detail.items() if name not in ("before", "new_password")}
    changed = {name: value for name, value in (detail.get("before") or {}).items() if told.get(name) != value}
    return told | ({"before": changed} if changed else {})


def detail_words(detail: object, words: Words, action: str = "") -> str:
    """A detail as ``name: value`` pairs; pairs of pairs in brackets.

    Examples
    --------
    >>> detail_words({"kind": "csv", "terms": {"new": 3, "same": 0}, "program_codes": None}, Words("en"))
    'kind: CSV · terms (new: 3, same: 0) · programmes: all programmes'
    """
    if not isinstance(detail, dict):
        return ""
    told = of_account(detail) if action == "write account" else detail
    return " · ".join(_pairs(told, words, action))


def _pairs(detail: dict, words: Words, action: str) -> list[str]:
    return [
        _pair(name, value, words, action)
        for name, value in detail.items()
        if value not in (None, "", {}, []) or name in OF_PROGRAMMES
    ]


def _pair(name: str, value: object, words: Words, action: str) -> str:
    own = f"audit_detail_of.{action}.{name}"
    told = words(own) if words.has(own) else words.named("audit_detail", name)
    if isinstance(value, dict):
        return f"{told} ({', '.join(_pairs(value, words, action))})"
    if isinstance(value, (list, tuple)) and value:
        return f"{told}: {', '.join(_value(name, one, words) for one in value)}"
    return f"{told}: {_value(name, value, words)}"


def _value(name: str, value: object, words: Words) -> str:
    """A value by what it is the value of; what has no words, such as a number or a checksum, as it is."""
    if name in OF_PROGRAMMES and not value:
        return words("audit.no_program" if isinstance(value, (list, tuple)) else "audit.all_programs")
    if isinstance(value, bool):
        return words(f"answer.{str(value).lower()}")
    if name in MONTHS and isinstance(value, int):
        return words.month(value)
    if not isinstance(value, str):
        return str(value)
    if name == "profile":
        return _instrument(value)
    families = ("audit_value." + name + "_", *FAMILIES.get(name, ()), "audit_value.")
    key = next((family + value for family in families if words.has(family + value)), None)
    return _moment(value, words) if key is None else words(key)


def _moment(value: str, words: Words) -> str:
    """A text of the data; one that is a day or a moment (UTC) as pages write them."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return value
    day = words.day(found[1])
    return f"{day} {datetime.fromisoformat(value):%H:%M} UTC" if found[2] else day


def _instrument(profile_id: str) -> str:
    from dashboard.reports.profile import profile_about, profile_ids

    if profile_id not in profile_ids():
        return profile_id
    about = profile_about(profile_id)
    return " ".join(filter(None, (about["instrument"], about["number"])))
