"""Academic terms as numbers: ``YYYYT``, T 1 odd (August–January), 2 even (February–July), 3 short.

The year is the year in which the academic year starts, as PDDikti writes it: 20251 runs from August 2025
to January 2026, 20252 from February to July 2026.
"""

from __future__ import annotations

from datetime import date, timedelta

GRADES_KNOWN_AFTER = timedelta(days=31)  # grades of a term are booked within a month: by 31 August, 3 March


def is_term(term_id: int) -> bool:
    """Whether ``term_id`` is a ``YYYYT`` number between 1950 and 2100."""
    return 1950 <= term_id // 10 <= 2100 and term_id % 10 in (1, 2, 3)


def term_after(term_id: int, steps: int) -> int:
    """The regular term ``steps`` regular terms after ``term_id`` (short terms are not counted).

    Examples
    --------
    >>> term_after(20231, 0), term_after(20231, 1), term_after(20232, 1), term_after(20231, 7)
    (20231, 20232, 20241, 20262)
    """
    return from_ordinal(ordinal(term_id) + steps)


def ordinal(term_id: int) -> int:
    """Regular terms since year 0; a short term counts as the even term that it follows."""
    if not is_term(term_id):
        raise ValueError(f"term_id must be YYYYT with T 1, 2 or 3, got {term_id!r}")
    year, part = divmod(int(term_id), 10)
    return 2 * year + min(part, 2) - 1


def from_ordinal(number: int) -> int:
    """The regular term with the given :func:`ordinal`."""
    return (number // 2) * 10 + number % 2 + 1


def terms_between(first: int, last: int) -> int:
    """How many regular terms after ``first`` the term ``last`` is; negative when before."""
    return ordinal(last) - ordinal(first)


def term_start(term_id: int) -> date:
    """First day of a term."""
    year, part = divmod(int(term_id), 10)
    ordinal(term_id)
    return {1: date(year, 8, 1), 2: date(year + 1, 2, 1), 3: date(year + 1, 7, 1)}[part]


def term_end(term_id: int) -> date:
    """Last day of a term."""
    year, part = divmod(int(term_id), 10)
    ordinal(term_id)
    return {1: date(year + 1, 1, 31), 2: date(year + 1, 7, 31), 3: date(year + 1, 8, 31)}[part]


def term_on(day: date) -> int:
    """The regular term that a day falls into."""
    if day.month >= 8:
        return day.year * 10 + 1
    return (day.year - 1) * 10 + (1 if day.month == 1 else 2)


def term_of_entry(day: date) -> int:
    """The term that somebody enters who is registered on a day: from June on the odd one, before it the even.

    Students are registered some weeks before a term begins: June and July count to the one that follows.

    Examples
    --------
    >>> term_of_entry(date(2021, 7, 15)), term_of_entry(date(2024, 1, 20))
    (20211, 20232)
    """
    return day.year * 10 + 1 if day.month >= 6 else (day.year - 1) * 10 + 2


def as_of_date(cohort_term: int, as_of_index: int) -> date:
    """The day on which a score "as of ``as_of_index`` completed terms" is made.

    Index 0 is the first day of study; index n is a month after the end of the n-th regular term, when its
    grades are booked.
    """
    if as_of_index < 0:
        raise ValueError(f"as_of_index must be >= 0, got {as_of_index}")
    if as_of_index == 0:
        return term_start(cohort_term)
    return term_end(term_after(cohort_term, as_of_index - 1)) + GRADES_KNOWN_AFTER
