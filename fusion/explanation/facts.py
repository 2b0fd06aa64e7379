"""One fact is one reason: features that tell of one thing are shown together, by the one that tells most.

The model looks at courses failed, credits passed and their share because it learns more from all of them; a
reader is told once. Nothing is lost: a fact's contribution is the sum of its features'.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from fusion.explanation.explain import Contribution, Explanation

_LAST, _PRESENCE = "results of the last term", "presence"
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
ABSENT = ("C", "N")  # last status without courses: on leave, not registered


def in_facts(explanation: Explanation) -> Explanation:
    """The same explanation with one contribution per fact, the largest first.

    A fact is shown by that of its features which moved the score most in the direction in which all of them
    together did. In a last term without courses nothing was passed because nothing was taken, which also
    lowers what was taken per term: all one fact, shown by the status.

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
    absent = values.get("status_last") in ABSENT
    parts: dict[str, list[Contribution]] = defaultdict(list)
    for c in explanation.contributions:
        fact = FACT_OF.get(c.name, c.name)
        parts[_PRESENCE if absent and fact in (_LAST, "load_mean") else fact].append(c)
    told = [_as_one(members, absent and fact == _PRESENCE) for fact, members in parts.items()]
    return replace(explanation, contributions=tuple(sorted(told, key=lambda c: -abs(c.phi))))


def _as_one(members: list[Contribution], absent: bool) -> Contribution:
    total = sum(c.phi for c in members)
    same = [c for c in members if c.phi * total > 0] or members
    lead = max(same, key=lambda c: (absent and c.name == "status_last", abs(c.phi)))
    return replace(lead, phi=total)
