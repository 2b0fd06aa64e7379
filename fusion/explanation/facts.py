"""One fact is one reason: features that tell of one thing are shown together, by the one that tells most.

The model looks at courses failed, credits passed and their share because it learns more from all of them; a
reader is told once. Nothing is lost: a fact's contribution is the sum of its features'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fusion.explanation.explain import Contribution, Explanation

if TYPE_CHECKING:
    from fusion.model.risk_model import RiskModel

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
        Of a feature's name; a fact none of whose features is wanted is left out.

    Returns
    -------
    DataFrame
        One row per score, one column per fact, log-odds.
    """
    names = list(model.encoder.names)
    absent = np.zeros(len(phi), bool)
    if "status_last" in names:
        stood = inputs[:, names.index("status_last")]
        absent = np.array([model.encoder.value("status_last", code) in ABSENT for code in stood], bool)
    sums: dict[str, np.ndarray] = {}
    for place, name in enumerate(names):
        fact, part = FACT_OF.get(name, name), phi[:, place].astype(float)
        moved = absent if fact in (_LAST, "load_mean") else np.zeros(len(phi), bool)
        sums[fact] = sums.get(fact, 0.0) + np.where(moved, 0.0, part)
        if moved.any():
            sums[_PRESENCE] = sums.get(_PRESENCE, 0.0) + np.where(moved, part, 0.0)
    keep = {FACT_OF.get(name, name) for name in names if wanted(name)}
    return pd.DataFrame({fact: values for fact, values in sums.items() if fact in keep})
