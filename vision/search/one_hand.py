"""One hand under several names, in a register held in memory: by all signatures, by one of them, by style.

Every kind has its own list and its own count of what chance alone may bring into it.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from vision.search.duplicates import (
    Duplicate,
    Rows,
    Tail,
    close_pairs,
    compared,
    scores_between,
    stranger_scores,
)

FEWEST_PAIRS = 10
"""Of strangers; among fewer nothing can be said about chance."""
_NEAR = 0.05
"""Share of strangers."""


@dataclass(frozen=True)
class Register:
    """Placed descriptors of a register.

    Attributes
    ----------
    owners : int (n,)
        Index of each specimen's student, ascending.
    vectors : float32 (n, d)
    means : float32 (s, d)
        Of each student's specimens: the log-Euclidean mean of the references.
    styles : float32 (s, k) or None
        :func:`vision.search.hand_style.style_of` of each student's mean.
    """

    owners: np.ndarray
    vectors: np.ndarray
    means: np.ndarray
    styles: np.ndarray | None

    @cached_property
    def specimens_and_means(self) -> tuple[Rows, Rows]:
        """Both, each with its usual distance from the other's strangers."""
        places = np.arange(len(self.means))
        specimens = compared(self.vectors, self.owners, self.means, places)
        return specimens, compared(self.means, places, self.vectors, self.owners)


@dataclass(frozen=True)
class Alike:
    """What a search for one kind came to.

    Attributes
    ----------
    hits : tuple of Duplicate
        The nearest first. ``first`` and ``second`` are students; of ``foreign_specimen`` ``first`` is a
        specimen.
    pairs : int
        Compared.
    tail : Tail or None
        What chance is read from; None where too few strangers were there to say.
    """

    hits: tuple[Duplicate, ...] = ()
    pairs: int = 0
    tail: Tail | None = field(default=None, repr=False)

    def expected(self, hit: Duplicate) -> float:
        """Pairs of strangers as close as a hit that chance would bring."""
        return 0.0 if self.tail is None else self.tail.expected(self.pairs, hit.measure)


def same_hands(register: Register, expected: float) -> Alike:
    """Students whose mean signatures lie closer than strangers' do.

    Parameters
    ----------
    register : Register
    expected : float
        Pairs of strangers that chance may bring into the list.
    """
    return _alike_students("same_hand", register.means, expected, frozenset())


def other_names(register: Register, expected: float, known: Set[frozenset[int]] = frozenset()) -> Alike:
    """Students whose strokes are made alike, whatever they write.

    Parameters
    ----------
    known : set of frozenset of int
        Pairs of students that are listed already.
    """
    if register.styles is None:
        return Alike()
    return _alike_students("other_name", register.styles, expected, known)


def foreign_specimens(register: Register, expected: float, known: Set[frozenset[int]] = frozenset()) -> Alike:
    """Single specimens that lie closer to another student's mean than strangers' do.

    Of two students the closest specimen alone stands for the pair.

    Parameters
    ----------
    known : set of frozenset of int
        Pairs of students that are listed already.
    """
    count = len(register.means)
    pairs = len(register.vectors) * max(0, count - 1)
    if count * (count - 1) // 2 < FEWEST_PAIRS:
        return Alike(pairs=pairs)
    specimens, means = register.specimens_and_means
    hits, tail = _close("foreign_specimen", specimens, means, pairs, expected)
    taken, kept = set(known), []
    for hit in hits:
        pair = frozenset((int(register.owners[hit.first]), hit.second))
        if pair not in taken:
            taken.add(pair)
            kept.append(hit)
    return Alike(tuple(kept), pairs, tail)


def told_apart(register: Register, hands: Alike, foreign: Alike) -> tuple[Alike, Alike]:
    """Pairs of students that both searches found, left to the one that fits.

    A few specimens of another's hand draw a student's mean near to the other's. One hand for both it is
    where, on either side, at least half of the specimens lie nearer to the other's mean than all but `_NEAR`
    of strangers do.

    Returns
    -------
    hands, foreign : Alike
    """
    both = {frozenset((hit.first, hit.second)) for hit in hands.hits} & {
        frozenset((int(register.owners[hit.first]), hit.second)) for hit in foreign.hits
    }
    if not both or foreign.tail is None:
        return hands, foreign
    specimens, means = register.specimens_and_means
    near = foreign.tail.limit(1, _NEAR)

    def mostly(student: int, other: int) -> bool:
        rows = np.flatnonzero(register.owners == student)
        return (
            float(np.mean(scores_between(specimens, rows, means, np.full(len(rows), other)) <= near)) >= 0.5
        )

    whole = {
        pair for pair in both for one, other in [sorted(pair)] if mostly(one, other) and mostly(other, one)
    }
    kept = tuple(hit for hit in hands.hits if frozenset((hit.first, hit.second)) not in both - whole)
    single = tuple(
        hit for hit in foreign.hits if frozenset((int(register.owners[hit.first]), hit.second)) not in whole
    )
    return replace(hands, hits=kept), replace(foreign, hits=single)


def _alike_students(kind: str, vectors: np.ndarray, expected: float, known: Set[frozenset[int]]) -> Alike:
    count = len(vectors)
    pairs = count * (count - 1) // 2
    if pairs < FEWEST_PAIRS:
        return Alike(pairs=pairs)
    places = np.arange(count)
    rows = compared(vectors, places, vectors, places)
    hits, tail = _close(kind, rows, rows, pairs, expected)
    new = tuple(hit for hit in hits if frozenset((hit.first, hit.second)) not in known)
    return Alike(new, pairs, tail)


def _close(kind: str, first: Rows, second: Rows, pairs: int, expected: float) -> tuple[list[Duplicate], Tail]:
    tail = Tail.fit(stranger_scores(first, second))
    return close_pairs(kind, first, second, tail.limit(pairs, expected)), tail
