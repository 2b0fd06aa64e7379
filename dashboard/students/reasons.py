"""SHAP contributions in the reader's words: label, the student's value, and what it did."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dashboard.shell.wording import Words
from fusion.explanation.explain import OTHER, Contribution, Explanation
from fusion.explanation.facts import NO_COURSES, SHARED, in_facts, label_key_of, unrecorded
from fusion.features.feature_list import FEATURES

COLUMNS = ("name", "label", "shown", "phi", "modality", "changeable", "told", "usual")
WEIGHTY = 0.02  # log-odds under which a reason is not worth a sentence
SHARES = ("share", "share of plan", "share of meetings")
_IN_WORDS = {None: "missing", NO_COURSES: "no_courses", OTHER: "unlearned"}
_FAMILIES = {"entry_type": "entry_type", "status_last": "status"}


def reasons_frame(explanation: Explanation, programs: dict[str, str], words: Words) -> pd.DataFrame:
    """One row per fact (:mod:`fusion.explanation.facts`), the signature as one; what can still change first,
    by strength. ``told``: whether it is a reason in words, which what is usual among the peers is not;
    ``usual``: the peers' usual value as shown, empty
    where there is none or it is the student's own.

    Parameters
    ----------
    explanation : Explanation
        From :func:`fusion.explanation.explain.explain_score`.
    programs : dict of str to str
        Programme code → name.
    words : Words
        The reader's language.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`.
    """
    rows = [
        (
            *(c.name, label_of(c, words), shown_value(c, programs, words), c.phi, c.modality, c.changeable),
            *(c.told and stands_out(c, words), _usual(c, words)),
        )
        for c in _ordered(explanation)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _ordered(explanation: Explanation) -> list[Contribution]:
    """One contribution per fact; what nobody can change never leads."""
    told = in_facts(explanation).contributions
    return sorted(told, key=lambda c: (not c.changeable, -abs(c.phi)))


def _usual(contribution: Contribution, words: Words) -> str:
    """The peers' usual value beside the student's, where the two can be told apart."""
    if contribution.usual is None or not isinstance(contribution.value, float):
        return ""
    usual = shown_feature(contribution.name, contribution.usual, words)
    return usual if stands_out(contribution, words) else ""


def stands_out(contribution: Contribution, words: Words) -> bool:
    """Whether the student's value reads otherwise than the peers' usual one.

    "Attendance 91 %" where 91 % is usual moved the score by a rounding, and is a reason to nobody.
    """
    if contribution.usual is None or not isinstance(contribution.value, float):
        return True
    usual = shown_feature(contribution.name, contribution.usual, words)
    return usual != shown_value(contribution, {}, words)


def label_of(contribution: Contribution, words: Words) -> str:
    """The feature's name in words."""
    if contribution.modality == "signature":
        return words("reasons.signature")
    return words(contribution.label_key) if words.has(contribution.label_key) else contribution.label


def shown_value(contribution: Contribution, programs: dict[str, str], words: Words) -> str:
    """The student's value with its unit; empty for the signature and for what nearly all peers share."""
    value, unit = contribution.value, contribution.unit
    if contribution.modality == "signature" or contribution.name == SHARED:
        return ""
    if value in _IN_WORDS:
        return words(f"unit.{_IN_WORDS[value]}")
    if isinstance(value, str):
        if contribution.name == "program_code":
            return programs.get(value, value)
        return words.named(_FAMILIES.get(contribution.name, "value"), value)
    if contribution.name == "even_intake":
        return words("unit.yes" if value else "unit.no")
    if unit in SHARES:
        if contribution.name.endswith("_change"):  # of two shares: their difference is in points
            points = round(100 * value)
            return words("unit.points", value=words.signed(points), n=abs(points))
        return words.percent(value)
    if unit.startswith("grade points"):
        signed = contribution.name in ("gpa_trend", "gpa_change")
        return words.signed(value, 2) if signed else words.number(value, 2)
    shown = words.number(value, 0 if float(value).is_integer() else 1)
    return words(f"unit.{unit}", value=shown) if words.has(f"unit.{unit}") else shown


def shown_feature(name: str, value: float, words: Words) -> str:
    """A value of a feature with its unit, outside any explanation; rounded, as it may be worked out."""
    f, value = FEATURES[name], round(value, 4)
    return shown_value(
        Contribution(name, f.label_key, f.label, f.group, f.modality, f.unit, value, 0.0, f.changeable),
        {},
        words,
    )


def name_of_feature(name: str, row: Mapping, words: Words) -> str:
    """A feature's name for one student's row of features."""
    return words(label_key_of(name, FEATURES[name].label_key, row.get("terms_left")))


def not_recorded(explanation: Explanation, words: Words) -> list[str]:
    """Names of what the register could have told of this student and does not, each once."""
    return [words(key) if words.has(key) else name for key, name in unrecorded(explanation).items()]


def inside(name: str) -> str:
    """A name as it stands within a sentence: without its capital, unless it is an abbreviation.

    Examples
    --------
    >>> inside("Tuition arrears"), inside("GPA of the first term"), inside("IPK")
    ('tuition arrears', 'GPA of the first term', 'IPK')
    """
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def in_brief(explanation: Explanation, programs: dict[str, str], words: Words, n: int = 2) -> str:
    """The strongest reasons that raise the risk, as one line for a list, each beside what is usual.

    What can still change leads; where nothing of that kind raises the risk, the line says so. After it come
    the strongest of all, those of past terms too: a term without study that explains nearly everything is not
    left out for a reason of next to no weight. Facts of entry come last, as nobody can act on them.
    """
    raising = [
        c
        for c in _ordered(explanation)
        if c.phi >= WEIGHTY and c.modality == "records" and c.told and stands_out(c, words)
    ]
    if raising and not raising[0].changeable:
        return words("reasons.only_fixed")
    rest = sorted(raising[1:], key=lambda c: (not c.changeable and c.group == "entry", -c.phi))
    return "; ".join(_beside_usual(c, programs, words) for c in [*raising[:1], *rest][:n])


def _beside_usual(contribution: Contribution, programs: dict[str, str], words: Words) -> str:
    stop = ":" if isinstance(contribution.value, str) else ""  # a word would run into the name
    told = f"{label_of(contribution, words)}{stop} {shown_value(contribution, programs, words)}"
    usual = _usual(contribution, words)
    return f"{told} ({words('reasons.usual', value=usual)})" if usual else told
