"""Which way each feature may move a risk: declared once, kept by trees and line alike.

A model is free to learn how much a fact counts, not to turn it over: among facts that say nearly one thing
(courses failed, credits passed, share passed) a free fit gives some the wrong sign, and then failing a course
"lowers" a risk. Where no direction is plain, that is declared too, with the reason.

A missing value of a feature with a direction never counts for worse than the worst value seen nor for better
than the best: trees take it for the usual one, the line places it between the two ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fusion.features.encode import TableEncoder

RAISES, LOWERS, FREE = 1, -1, 0


@dataclass(frozen=True)
class Direction:
    """What more of a feature may do to the risk of each target.

    Parameters
    ----------
    late, dropout : {1, -1, 0}
        1: never lowers it; -1: never raises it; 0: free.
    why : str
        Why no direction is plain; must be told where one is free.
    raising, lowering : tuple of str
        For a category: the values that never lower, and never raise, the risk of either target.
    """

    late: int = FREE
    dropout: int = FREE
    why: str = ""
    raising: tuple[str, ...] = ()
    lowering: tuple[str, ...] = ()

    def of(self, target: str, value: str | None = None) -> int:
        """The direction for a target; of one ``value`` of a category where given."""
        if value in self.raising:
            return RAISES
        if value in self.lowering:
            return LOWERS
        return getattr(self, target, FREE) if value is None else FREE


def _both(direction: int) -> Direction:
    return Direction(direction, direction)


def _free(why: str) -> Direction:
    return Direction(why=why)


_NAMES = "names have no order"
_TIME = "where a student stands in time is neither merit nor fault"
_BARRED = "protected: barred from the model unless switched on, and then only described"

DIRECTIONS: dict[str, Direction] = {
    "program_code": _free(_NAMES),
    "degree_level": _free(_NAMES),
    "entry_type": _free(_NAMES),
    "admission_path": _free(_NAMES),
    "funding_at_entry": _free(_NAMES),
    "recognized_credits": _free("they shorten the way, and tell of a change of programme"),
    "tuition_band": _free("a band tells of a family's means; which way that works differs by campus"),
    "even_intake": _free(_NAMES),
    "as_of_index": _free(_TIME),
    "terms_left": _free(_TIME),
    "gpa_cum": _both(LOWERS),
    "gpa_last": _both(LOWERS),
    "gpa_first": _both(LOWERS),
    "gpa_lowest": _both(LOWERS),
    "gpa_trend": _both(LOWERS),
    "gpa_change": _both(LOWERS),
    "gpa_spread": _free("not a predictor: level, lowest and trend say it, and better grades can widen it"),
    "credits_cum": _both(LOWERS),
    "credit_pace": _both(LOWERS),
    "credits_needed": _both(RAISES),
    "credits_last": _both(LOWERS),
    "load_mean": _free("a heavy load is progress for one who passes and a burden for one who fails"),
    "pass_ratio": _both(LOWERS),
    "pass_ratio_last": _both(LOWERS),
    "failed_total": _both(RAISES),
    "failed_last": _both(RAISES),
    "repeated_total": _both(RAISES),
    "plan_passed": _both(LOWERS),
    "bottlenecks_repeated": _both(RAISES),
    "attendance_mean": _both(LOWERS),
    "attendance_last": _both(LOWERS),
    "attendance_change": _both(LOWERS),
    "arrears_last": _both(RAISES),
    "arrears_longest": _both(RAISES),
    "arrears_terms": _both(RAISES),
    "status_last": Direction(
        why="of other statuses, as a double degree, no direction is plain",
        raising=("C", "N"),
        lowering=("A",),
    ),
    "leave_terms": _both(RAISES),
    "inactive_terms": _both(RAISES),
    "terms_missing": _both(RAISES),
    "gpa_missing": _both(RAISES),
    "sex": _free(_BARRED),
    "age_at_entry": _free(_BARRED),
    "region": _free(_BARRED),
    "parental_education": _free(_BARRED),
    "parental_income": _free(_BARRED),
    "special_needs": _free(_BARRED),
}
"""Every feature of :data:`fusion.features.feature_list.FEATURES`; a signature's components have no
plain meaning."""


def column_signs(
    encoder: TableEncoder, target: str, directions: Mapping[str, Direction] = DIRECTIONS
) -> np.ndarray:
    """Direction of every matrix column for a target, int8 (columns,); features not declared are free."""
    signs: list[int] = []
    for name in encoder.names:
        direction, values = directions.get(name, Direction()), encoder.categories.get(name)
        signs += [direction.of(target)] if values is None else [direction.of(target, v) for v in values]
    return np.array(signs, np.int8)
