"""One mark of a course: a letter, grade points, or a word for what came of it."""

from __future__ import annotations

from data.columns import GRADE_RESULTS
from data.files.text_table import cell_key

# Letters and half letters as Indonesian study regulations have them; E is their F.
SCALE = {
    **{"A": 4.0, "AB": 3.5, "B": 3.0, "BC": 2.5, "C": 2.0, "CD": 1.5, "D": 1.0, "E": 0.0, "F": 0.0},
    **{"A+": 4.0, "A-": 3.7, "B+": 3.3, "B-": 2.7, "C+": 2.3, "C-": 1.7, "D+": 1.3, "D-": 0.7},
    **{"A/B": 3.5, "B/C": 2.5, "C/D": 1.5},
}
OF_KEY = {cell_key(letter): points for letter, points in SCALE.items()}
DIFFER = frozenset(cell_key(letter) for letter in SCALE if letter[-1] in "+-")  # by institution
MOST = 4.0


def mark_meaning(mark: str) -> str | float | None:
    """A word of :data:`data.columns.GRADE_RESULTS`, grade points from 0 to 4, or None for anything else.

    Examples
    --------
    >>> mark_meaning("AB"), mark_meaning("3,25"), mark_meaning("open"), mark_meaning("85")
    (3.5, 3.25, 'open', None)
    """
    plain = mark.strip().casefold()
    if plain in GRADE_RESULTS:
        return plain
    known = OF_KEY.get(cell_key(mark))
    if known is not None:
        return known
    try:
        number = float(plain.replace(",", "."))
    except ValueError:
        return None
    return number if 0 <= number <= MOST else None
