"""What an entry of the audit log says beside its act, in words: names, answers, days. No Streamlit here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dashboard.reports.provenance import local_time
from dashboard.reports.words import clock_name
from dashboard.shell.wording import Words

FAMILIES = {
    "band": ("band.",),
    "changed": ("setting.",),
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
_DESCRIPTOR = re.compile(r"([a-z_]+)@(\d+)(?:\+([0-9a-f]+))?")


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


@dataclass(frozen=True)
class Telling:
    """How details are told.

    Parameters
    ----------
    words : Words
    people : mapping
        Account → name on the screen.
    zone : str
        Whose clock moments are told on, as an IANA name; empty: UTC.
    """

    words: Words
    people: Mapping[str, str] = field(default_factory=dict)
    zone: str = ""


def detail_words(
    detail: object, words: Words, action: str = "", people: Mapping[str, str] | None = None, zone: str = ""
) -> str:
    """A detail as ``name: value`` pairs; pairs of pairs in brackets.

    Parameters
    ----------
    detail : object
    words : Words
    action : str
        The act that it stands beside.
    people, zone
        As in :class:`Telling`.

    Examples
    --------
    >>> detail_words({"kind": "csv", "terms": {"new": 3, "same": 0}, "program_codes": None}, Words("en"))
    'kind: CSV · terms (new: 3, same: 0) · programmes: all programmes'
    """
    if not isinstance(detail, dict):
        return ""
    told = of_account(detail) if action == "write account" else detail
    return " · ".join(_pairs(told, Telling(words, people or {}, zone), action))


def _pairs(detail: dict, telling: Telling, action: str) -> list[str]:
    return [
        _pair(name, value, telling, action)
        for name, value in detail.items()
        if value not in (None, "", {}, []) or name in OF_PROGRAMMES
    ]


def _pair(name: str, value: object, telling: Telling, action: str) -> str:
    words, own = telling.words, f"audit_detail_of.{action}.{name}"
    told = words(own) if words.has(own) else words.named("audit_detail", name)
    told = name if "." in name else told  # a file's name is searched for as it stands
    if isinstance(value, dict):
        return f"{told} ({', '.join(_pairs(value, telling, action))})"
    if isinstance(value, (list, tuple)) and value:
        return f"{told}: {', '.join(_value(name, one, telling) for one in value)}"
    return f"{told}: {_value(name, value, telling)}"


def _value(name: str, value: object, telling: Telling) -> str:
    """A value by what it is the value of; what has no words, such as a number or a checksum, as it is."""
    words = telling.words
    if name in OF_PROGRAMMES and not value:
        return words("audit.no_program" if isinstance(value, (list, tuple)) else "audit.all_programs")
    if isinstance(value, bool):
        return words(f"answer.{str(value).lower()}")
    if name in MONTHS and isinstance(value, int):
        return words.month(value)
    if not isinstance(value, str):
        return str(value)
    if name in NAMED:
        return NAMED[name](value, telling)
    families = ("audit_value." + name + "_", *FAMILIES.get(name, ()), "audit_value.")
    key = next((family + value for family in families if words.has(family + value)), None)
    return _moment(value, telling) if key is None else words(key)


def _moment(value: str, telling: Telling) -> str:
    """A text of the data; one that is a day or a moment (UTC) as pages write them."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return value
    if not found[2]:
        return telling.words.day(found[1])
    at = local_time(f"{found[1]}T{found[2]}", telling.zone)
    return f"{telling.words.moment(at)} {clock_name(at)}"


def person_words(account: str, people: Mapping[str, str]) -> str:
    """An account by its owner's name and its own; one that has no name as it is."""
    name = people.get(account, account)
    return account if name == account else f"{name} · {account}"


def _instrument(profile_id: str, _telling: Telling) -> str:
    from dashboard.reports.profile import profile_about, profile_ids

    if profile_id not in profile_ids():
        return profile_id
    about = profile_about(profile_id)
    return " ".join(filter(None, (about["instrument"], about["number"])))


def _descriptor(descriptor_id: str, telling: Telling) -> str:
    """What signatures are compared by, in words, with its version and the beginning of its checksum."""
    found = _DESCRIPTOR.fullmatch(descriptor_id)
    key = f"descriptor.{found[1]}" if found else ""
    if found is None or not telling.words.has(key):
        return descriptor_id
    told = telling.words("descriptor.of", name=telling.words(key), version=found[2])
    return f"{told} ({found[3]})" if found[3] else told


NAMED = {
    "profile": _instrument,
    "descriptor": _descriptor,
    "of": lambda account, telling: person_words(account, telling.people),
}
"""Details of which every value has a name that another part of the house gives."""
