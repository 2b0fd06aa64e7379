"""One fact is one reason: features that tell of one thing are shown together, by the one that tells most.

The model looks at courses failed, credits passed and their share because it learns more from all of them; a
reader is told once. Nothing is lost: a fact's contribution is the sum of its features'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fusion.explanation.explain import OTHER, Contribution, Explanation

if TYPE_CHECKING:
    from fusion.model.risk_model import RiskModel

_LAST, _PRESENCE = "results of the last term", "presence"
SHARED = "shared"  # name of what nearly all peers have too, all of it together
_FACTS = {
    "programme": ("program_code", "degree_level"),
    "way in": ("entry_type", "recognized_credits"),
    "time": ("as_of_index", "terms_left"),
    "grades of the last term": ("gpa_last", "gpa_change", "gpa_trend"),
    "grades so far": ("gpa_cum", "gpa_first", "gpa_lowest", "gpa_spread"),
    "progress": ("credits_cum", "credit_pace", "credits_needed"),
    _LAST: ("credits_last", "pass_ratio_last", "failed_last"),
    "results so far": ("pass_ratio", "failed_total", "repeated_total"),
    "courses": ("plan_passed", "bottlenecks_repeated"),
    "attendance": ("attendance_mean", "attendance_last", "attendance_change"),
    "arrears": ("arrears_last", "arrears_longest", "arrears_terms"),
    _PRESENCE: ("status_last", "leave_terms", "inactive_terms", "terms_missing", "gpa_missing"),
}
FACT_OF = {name: fact for fact, names in _FACTS.items() for name in names}
"""Feature → fact; a feature that is not named is a fact of its own."""
_TOLD_WITH = {"plan_passed": "progress"}
"""Feature of one table → fact of another that tells the same: 72 % of the credits of the plan and 72 % of its
courses are one reason. Which of the two is not recorded is still said by :data:`FACT_OF`."""
ABSENT = ("C", "N")  # last status without courses: on leave, not registered
NO_COURSES = "no courses"  # what is shown of such a term where its status has no column
_FIRST = {  # after one term what was reached so far is what the term brought
    "grades so far": "grades of the last term",
    "results so far": _LAST,
    "progress": _LAST,
}
_AWAY = ("leave_terms", "inactive_terms")
_FOLLOWING = (  # what follows from the rest of a record and cannot be recorded
    *("gpa_trend", "gpa_change", "gpa_first", "gpa_lowest", "attendance_change"),
    *("pass_ratio", "pass_ratio_last", "credit_pace", "credits_needed", "terms_left"),
    *("arrears_terms", "arrears_longest", "plan_passed", "bottlenecks_repeated"),
)
CREDITS_TO_GO = "reasons.credits_to_go"  # label of the credits needed when no term of the plan remains


def in_facts(explanation: Explanation) -> Explanation:
    """The same explanation with one contribution per fact, the largest first.

    A fact is shown by that of its features which moved the score most in the direction in which all of them
    together did. In a last term without courses nothing was passed because nothing was taken: one fact, shown
    by the status, which can still change. After the first term what was reached so far and what the term
    brought are one fact. A number that can still change is not
    shown by another name of it that cannot, and no number is shown twice where a fact has another to show.
    What nearly all peers have too is no reason: it stands in one sum of its own (:data:`SHARED`).

    Parameters
    ----------
    explanation : Explanation
        From :func:`fusion.explanation.explain.explain_score`.

    Returns
    -------
    Explanation
        Of the same base value and margin.
    """
    values = {c.name: c.value for c in explanation.contributions}
    absent, first = _away_now(values), values.get("as_of_index") == 1
    parts: dict[str, list[Contribution]] = defaultdict(list)
    shared = [c for c in explanation.contributions if c.shared]
    for c in explanation.contributions:
        if not c.shared:
            parts[_fact_of(c.name, absent, first)].append(c)
    told = [_as_one(members, values, absent and fact == _PRESENCE) for fact, members in parts.items()]
    told += [_together(shared)] if shared else []
    return replace(explanation, contributions=tuple(sorted(told, key=lambda c: -abs(c.phi))))


def _together(shared: list[Contribution]) -> Contribution:
    return replace(
        shared[0],
        name=SHARED,
        label_key=f"reasons.{SHARED}",
        label="what nearly all peers have too",
        unit="",
        value=None,
        phi=sum(c.phi for c in shared),
        changeable=False,
        usual=None,
    )


def _away_now(values: dict) -> bool:
    """Whether nothing was studied in the latest term, also where so few stood so that their status has no
    column of its own."""
    status = values.get("status_last")
    nothing = values.get("credits_last") == 0 and values.get("pass_ratio_last", 0.0) is None
    return status in ABSENT or (status == OTHER and nothing)


def told_as(name: str) -> str:
    """The fact under which a feature is told."""
    return _TOLD_WITH.get(name, FACT_OF.get(name, name))


def _fact_of(name: str, absent: bool, first: bool) -> str:
    fact = told_as(name)
    fact = _FIRST.get(fact, fact) if first else fact
    return _PRESENCE if absent and fact == _LAST else fact


def label_key_of(name: str, label_key: str, terms_left: float | str | None) -> str:
    """Key of a feature's name for a student: past the normal time there is no remaining term to speak of."""
    over = isinstance(terms_left, (int, float)) and terms_left <= 0
    return CREDITS_TO_GO if name == "credits_needed" and over else label_key


def key_of_fact(fact: str) -> str:
    """Key of a fact's own name in a catalogue of translations."""
    return f"fact.{fact.replace(' ', '_')}"


def unrecorded(explanation: Explanation) -> dict[str, str]:
    """Key → English name of what the register could have told and does not, one per fact.

    Nothing of terms is missing before the first is complete, no change or trend after one, and no share of
    courses passed where none was taken.
    """
    values = {c.name: c.value for c in explanation.contributions}
    found = {}
    for c in explanation.unknown:
        fact = FACT_OF.get(c.name)
        mates = [name for name in _FACTS.get(fact, ()) if name in values] if fact else [c.name]
        if (c.group != "entry" and values.get("as_of_index") == 0) or c.name == "status_last":
            continue
        if c.name == "recognized_credits" and values.get("entry_type") == "new":
            continue
        if c.name == "failed_last" and values.get("failed_total", 0.0) is None:
            continue
        if fact and len(mates) > 1 and all(values[name] is None for name in mates):
            found[key_of_fact(fact)] = fact
        elif c.name not in _FOLLOWING:
            found[c.label_key] = c.label
    return found


def _as_one(members: list[Contribution], values: dict, away_now: bool) -> Contribution:
    total = sum(c.phi for c in members)
    lead = _lead(members, values, total, away_now)
    key = label_key_of(lead.name, lead.label_key, values.get("terms_left"))
    fact = FACT_OF.get(lead.name)
    if fact and len(members) > 1 and all(c.value is None for c in members):
        key = key_of_fact(fact)  # which of its features is missing is no matter: all are
    return replace(lead, phi=total, label_key=key)


def _lead(members: list[Contribution], values: dict, total: float, away_now: bool) -> Contribution:
    """The feature that shows a fact."""
    along = {c.name: c for c in members if c.phi * total >= 0}  # nothing that moved the other way
    if away_now and "status_last" in along:
        lead = along["status_last"]
        return replace(lead, value=NO_COURSES) if lead.value == OTHER else lead
    same = [c for c in along.values() if c.phi * total > 0] or members
    same = [c for c in same if c.told] or same  # what is not recorded leads only where nothing else moved it
    lead = max(same, key=lambda c: abs(c.phi))
    if lead.name == "gpa_missing":  # terms without a GPA because nothing was studied: say that
        away = [along[name] for name in _AWAY if name in along and _count(along[name].value) > 0]
        if away and sum(_count(c.value) for c in away) >= _count(lead.value):
            return max(away, key=lambda c: _count(c.value))
    if lead.name in ("gpa_lowest", "gpa_first") and lead.value == values.get("gpa_last"):
        others = [c for c in same if c.value != lead.value]
        lead = max(others, key=lambda c: abs(c.phi), default=lead)
    if lead.name == "credits_cum":  # a number of credits says little without the plan
        lead = next((c for c in same if c.name == "credit_pace"), lead)
    if not lead.changeable and lead.value is not None:
        # a risk lowered by the past is not lowered by what the last term did not add
        names = along.values() if total > 0 else same
        alike = (c for c in names if c.changeable and c.unit == lead.unit and c.value == lead.value)
        return next(alike, lead)
    return lead


def _count(value: float | str | None) -> float:
    return value if isinstance(value, (int, float)) else 0.0


def facts_of_many(
    model: RiskModel, phi: np.ndarray, inputs: np.ndarray, wanted: Callable[[str], bool]
) -> pd.DataFrame:
    """Contributions of many scores, summed by fact as :func:`in_facts` sums those of one; records only.

    Parameters
    ----------
    model : RiskModel
        The model that made the scores.
    phi, inputs : ndarray, (scores, features), float32
        As stored.
    wanted : callable
        Of a feature's name; a fact none of whose features is wanted is left out. What nearly all peers share
        is not taken out: none of it can change, and facts that can have no part of it.

    Returns
    -------
    DataFrame
        One row per score, one column per fact, log-odds; 0 where nothing on record tells of the fact.
    """
    names = list(model.encoder.names)
    absent, first = _away_of_many(model, inputs), np.zeros(len(phi), bool)
    if "as_of_index" in names:
        first = inputs[:, names.index("as_of_index")] == 1
    parts: dict[str, list[tuple[int, np.ndarray]]] = defaultdict(list)
    for place, name in enumerate(names):
        for away, begun in product((False, True), repeat=2):
            mine, fact = (absent == away) & (first == begun), _fact_of(name, away, begun)
            if mine.any() or (away, begun) == (False, False):
                parts[fact].append((place, mine))
    keep = {told_as(name) for name in names if wanted(name)}
    recorded = ~np.isnan(inputs)
    for place, name in enumerate(names):
        if name in model.encoder.categories:
            recorded[:, place] &= inputs[:, place] >= 0  # else a value that no column stands for
    sums = {}
    for fact in (fact for fact in parts if fact in keep):
        moved = [(place, np.where(mine, phi[:, place].astype(float), 0.0)) for place, mine in parts[fact]]
        total = np.sum([part for _, part in moved], axis=0)
        told = absent & (fact == _PRESENCE)
        for place, part in moved:
            told = told | (recorded[:, place] & (part * total > 0))
        sums[fact] = np.where(told, total, 0.0)
    return pd.DataFrame(sums)


def _away_of_many(model: RiskModel, inputs: np.ndarray) -> np.ndarray:
    """:func:`_away_now` of every row."""
    names = list(model.encoder.names)
    if "status_last" not in names:
        return np.zeros(len(inputs), bool)
    told = [model.encoder.value("status_last", code) for code in inputs[:, names.index("status_last")]]
    absent = np.array([value in ABSENT for value in told], bool)
    if {"credits_last", "pass_ratio_last"} <= set(names):
        other = np.array([value == OTHER for value in told], bool)
        passed, share = (inputs[:, names.index(name)] for name in ("credits_last", "pass_ratio_last"))
        absent |= other & (passed == 0) & np.isnan(share)
    return absent
