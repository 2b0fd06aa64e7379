"""A click on a group in one of the overview's charts, and what it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from dashboard.cohorts.view.given import Given
from dashboard.components.filters import narrow_to
from dashboard.shell import current_session, stores
from dashboard.shell.wording import Words


def picker(given: Given) -> Callable[[str, str], None]:
    """What a click on a group does: the page then is about that programme or entry cohort alone."""
    terms = given.flow["cohort_term"].unique().tolist()
    groups = groups_of(stores.programs(), terms, current_session.words())

    def pick(by: str, group: str) -> None:
        key = by or "cohort"
        if group in groups[key]:
            narrow_to(key, groups[key][group])

    return pick


def groups_of(names: Mapping[str, str], terms: Iterable[int], words: Words) -> dict[str, dict[str, object]]:
    """Name of a group in a chart → what it is chosen by, for ``program`` and ``cohort``.

    A name that two programmes share stands for neither.

    Parameters
    ----------
    names : mapping
        Programme code → name.
    terms : iterable of int
        Entry cohorts, ``YYYYT``.
    words : Words
        The language of the chart.
    """
    shared = Counter(names.values())
    return {
        "program": {name: code for code, name in names.items() if shared[name] == 1},
        "cohort": {words.term(term): term for term in terms},
    }
