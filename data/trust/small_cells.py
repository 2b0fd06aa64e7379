"""Small counts that are not told, with the further ones that would give them away: one rule for every figure.

A count of 1–4 is *primary*. Hiding it alone is not enough, since totals bring it back; so an audit plays the
attacker: with every published figure and every sum known, how far can a hidden count be narrowed down (two
linear programmes per count)? Counts are hidden until none can be narrowed to fewer than ``threshold`` values.
Both kinds carry the same mark, so the mark itself says nothing. What one part leaves of its whole is a count
too: 11 of 15 is not told, since four are left.

Zeros are published: an empty cell concerns nobody. Two cases are stricter. A group that is small as a whole
is hidden with its zeros, which would tell what every one of the few is. And where rates are published, a part
of nobody counts as small: the rate would tell of everybody.

Why there are two audits: this one knows counts and their sums and no people, as the counted cubes behind
pages, the service and the cohort report give them, and judges one table by itself.
:mod:`data.trust.joint_counts` judges files with one another, which takes the people behind the counts and an
integer programme. The threshold and the promise are one: no small count can be narrowed to fewer than
``threshold`` values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

THRESHOLD = 5  # the smallest count of students that may be told, except 0
MARK = "*"  # stands where a count was hidden, for either cause
TOTAL = "total"
Address = tuple[str, str]


@dataclass(frozen=True)
class CountSystem:
    """Counts of a table and the sums that tie them.

    Parameters
    ----------
    values : dict
        Address → count, remainders included.
    printed : frozenset
        Addresses that the table prints (remainders are not printed).
    sums : tuple of dict
        Each: address → coefficient; the weighted counts add up to zero.
    fixed : frozenset
        Of the printed ones, those that are told elsewhere: hiding them here would hide nothing.
    """

    values: dict[Address, int]
    printed: frozenset[Address]
    sums: tuple[dict[Address, float], ...]
    fixed: frozenset[Address] = frozenset()


def hidden_counts(
    system: CountSystem, threshold: int = THRESHOLD, also: Collection[Address] = ()
) -> frozenset[Address]:
    """Addresses to hide: the small counts, the parts that leave few of their whole, and what it takes to keep
    them hidden.

    Parameters
    ----------
    system : CountSystem
    threshold : int
    also : collection of address
        Hidden in any case.

    Raises
    ------
    ValueError
        When a small count comes out whatever is hidden.
    """
    small = {address for address, count in system.values.items() if 0 < count < threshold}
    hidden = {address for address in small if address in system.printed}
    hidden |= _leaving_few(system, threshold) | set(also)
    hidden -= system.fixed
    for address in sorted(small - system.fixed):  # the more is hidden, the less is known of those before
        while _exposed(system, address, hidden, threshold):
            hidden.add(_next_to_hide(system, address, hidden))
    return frozenset(hidden)


def _leaving_few(system: CountSystem, threshold: int) -> set[Address]:
    """Printed parts that leave fewer than ``threshold`` of a printed whole, and not nobody.

    A whole is the one count of a sum that the others add up to.
    """
    found = set()
    for total in system.sums:
        for sign in (1.0, -1.0):
            wholes = [address for address, factor in total.items() if factor == sign]
            parts = [address for address, factor in total.items() if factor == -sign]
            if len(wholes) != 1 or len(parts) != len(total) - 1 or wholes[0] not in system.printed:
                continue
            whole = system.values[wholes[0]]
            leaving = (part for part in parts if 0 < whole - system.values[part] < threshold)
            found |= {part for part in leaving if part in system.printed}
    return found


def _exposed(system: CountSystem, address: Address, hidden: set, threshold: int) -> bool:
    unknown = hidden | (set(system.values) - system.printed)
    low, high = bounds(system, frozenset(unknown), address)
    return high - low < threshold - 1 - 1e-6


def bounds(system: CountSystem, unknown: frozenset[Address], address: Address) -> tuple[float, float]:
    """How far a reader can narrow down a count that is not printed.

    Parameters
    ----------
    system : CountSystem
    unknown : frozenset of address
        Counts that the reader does not see; each is known to be >= 0.
    address : address
        One of ``unknown``.

    Returns
    -------
    (low, high)
        Smallest and largest value that fits everything else; ``high`` may be infinite.
    """
    names = sorted(_connected(system, unknown, address))
    place = {name: at for at, name in enumerate(names)}
    left, right = [], []
    for total in system.sums:
        if any(name in place for name in total):
            left.append(np.zeros(len(names)))
            for name, factor in total.items():
                if name in place:
                    left[-1][place[name]] = factor
            right.append(-sum(f * system.values[name] for name, f in total.items() if name not in place))
    if not left:
        return 0.0, np.inf
    if len(left) == 1:
        return _bounds_within_one_sum(left[0], right[0], place[address])
    from scipy.optimize import linprog  # takes a while to import; pages that suppress nothing need not wait

    ends = []
    for sign in (1.0, -1.0):
        goal = np.zeros(len(names))
        goal[place[address]] = sign
        answer = linprog(goal, A_eq=np.array(left), b_eq=np.array(right), bounds=(0, None), method="highs")
        ends.append(sign * answer.fun if answer.status == 0 else -sign * np.inf)
    return float(ends[0]), float(ends[1])


def _bounds_within_one_sum(factors: np.ndarray, value: float, at: int) -> tuple[float, float]:
    """What the linear programme says where one sum alone ties the unknown counts, at less cost."""
    alone = value / factors[at]  # the count, were all others zero; each of them pulls it down or up
    others = np.delete(factors, at) / factors[at]
    low = 0.0 if (others > 0).any() else max(alone, 0.0)
    return float(low), np.inf if (others < 0).any() else float(alone)


def _connected(system: CountSystem, unknown: frozenset[Address], address: Address) -> set[Address]:
    """Unknown counts that share a sum with ``address``, directly or through other unknown ones."""
    reached, edge = {address}, [address]
    while edge:
        name = edge.pop()
        for total in system.sums:
            if name in total:
                fresh = (set(total) & unknown) - reached
                reached |= fresh
                edge += fresh
    return reached


def _next_to_hide(system: CountSystem, exposed: Address, hidden: set) -> Address:
    """The smallest printed count that helps: in a sum with the exposed one, else in a sum with its like."""
    unknown = frozenset(hidden | (set(system.values) - system.printed))
    linked = _connected(system, unknown, exposed)
    for reach in ({exposed}, linked):
        near = {name for total in system.sums if reach & set(total) for name in total}
        candidates = (near & system.printed) - hidden - system.fixed
        if candidates:
            return min(candidates, key=lambda name: (system.values[name] == 0, system.values[name], name))
    raise ValueError(f"cell {exposed} cannot be protected: no further cell of the table is printed")


def hidden_of_group(parts: Mapping[str, int], threshold: int = THRESHOLD) -> frozenset[str]:
    """What is not told of one group of which the parts and their total are printed.

    Parameters
    ----------
    parts : mapping
        Name → students, >= 0; together they are the group.
    threshold : int

    Returns
    -------
    frozenset of str
        Names, and :data:`TOTAL` where the total is hidden. All of them where the group is small as a whole.
    """
    return _hidden_of_group(tuple(parts.items()), threshold)


@lru_cache(maxsize=4096)
def _hidden_of_group(parts: tuple[tuple[str, int], ...], threshold: int) -> frozenset[str]:
    counts = dict(parts)
    whole = sum(counts.values())
    if 0 < whole < threshold:
        return frozenset({*counts, TOTAL})
    values = {("", name): count for name, count in (*parts, (TOTAL, whole))}
    summed = dict.fromkeys(values, -1.0) | {("", TOTAL): 1.0}
    system = CountSystem(values, frozenset(values), (summed,))
    return frozenset(name for _, name in hidden_counts(system, threshold))


def hidden_groups(groups: Mapping[str, Mapping[str, int]], threshold: int = THRESHOLD) -> frozenset[str]:
    """Groups of which nothing is told, where rates of their parts are printed and the totals are known.

    Parameters
    ----------
    groups : mapping
        Group → name of a part → students, the same names in every group: with and without the outcome.
    threshold : int

    Returns
    -------
    frozenset of str
        Those with a part under ``threshold``, nobody included, and the smallest others that it takes.
    """
    small = {(group, name) for group, parts in groups.items() for name, n in parts.items() if n < threshold}
    hidden = {group for group, _ in small}
    system = _system_of(groups)
    while shown := sorted(groups.keys() - hidden, key=lambda group: (sum(groups[group].values()), group)):
        unknown = frozenset((group, name) for group in hidden for name in groups[group])
        widths = [high - low for low, high in (bounds(system, unknown, address) for address in sorted(small))]
        if all(width >= threshold - 1 - 1e-6 for width in widths):
            break
        hidden.add(shown[0])
    return frozenset(hidden)


def _system_of(groups: Mapping[str, Mapping[str, int]]) -> CountSystem:
    """The parts of groups, of which each adds up to a known total."""
    values = {(group, name): n for group, parts in groups.items() for name, n in parts.items()}
    sums = []
    for part in {name for _, name in values}:
        column = [address for address in values if address[1] == part]
        sums.append(dict.fromkeys(column, -1.0) | {("", part): 1.0})
        values["", part] = sum(values[address] for address in column)
    return CountSystem(values, frozenset(values), tuple(sums))
