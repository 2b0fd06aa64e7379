"""The terms that the pages use, by subject; their words stand in the locales. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.shell.wording import Words

SUBJECTS = {
    "risk": (
        *("risk", "band", "range", "as_of", "target", "base_rate"),
        *("reasons", "changeable", "whatif", "records_only"),
    ),
    "cohorts": ("cohort", "mature", "on_time", "dropout", "retention", "incidence", "scenario", "gap"),
    "advising": (
        "caseload",
        "cutoff",
        "worsened",
        "override",
        "snooze",
        "digest",
        "lots",
        "intention_to_treat",
        "power",
    ),
    "signatures": (
        *("specimen", "finding", "genuine", "skilled", "far", "frr", "eer"),
        *("likelihood", "outcome", "blind", "heat_map", "fidelity"),
    ),
    "model": ("forward", "roc_auc", "precision_at_k", "calibration", "drift", "ablation", "fairness")
    + ("net_benefit", "place", "rule"),
    "data": ("consent", "suppressed", "profile", "ts", "provenance", "audit"),
}
TERMS = tuple(term for terms in SUBJECTS.values() for term in terms)


@dataclass(frozen=True)
class Entry:
    """A term in the reader's language.

    Parameters
    ----------
    term : str
        Its key, and the anchor on the page.
    name, text : str
        What it is called and what it means.
    """

    term: str
    name: str
    text: str


def entries(words: Words, search: str = "") -> dict[str, list[Entry]]:
    """Subject → terms in order of their names; only those that hold the searched words.

    Parameters
    ----------
    words : Words
        The reader's language.
    search : str
        Any part of a name or an explanation; upper and lower case are the same.
    """
    wanted, by_subject = search.strip().casefold(), {}
    for subject, terms in SUBJECTS.items():
        listed = [Entry(term, words(f"term_name.{term}"), words(f"term_text.{term}")) for term in terms]
        kept = [entry for entry in listed if wanted in f"{entry.name} {entry.text}".casefold()]
        if kept:
            by_subject[subject] = sorted(kept, key=lambda entry: entry.name.casefold())
    return by_subject


def linked(help: str, term: str, words: Words) -> str:
    """A help text with a link to the term in the glossary.

    Raises
    ------
    ValueError
        If the glossary has no such term.
    """
    if term not in TERMS:
        raise ValueError(f"term must be one of the glossary, got {term!r}")
    return f"{help} [{words('glossary.more')}](glossary#{term})"
