"""What a count must hide because of everything else that was told about the same people.

One group alone is audited by :mod:`data.trust.small_cells`. The tables of one programme meet in their
students: graduates up to this year less graduates up to the year before, one instrument's graduates less
another's. So here every figure is a sum over *atoms*, the largest groups of people that every figure counts
alike, and the attacker is an integer programme that knows every figure told, that no atom is negative, and
which atoms there are (a real reader knows less).

Secret is every count of 1 to ``threshold - 1``, told or not, and every such difference between two counts of
which one contains the other. It is safe while the figures told leave it at least ``threshold`` values.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

from data.trust.small_cells import THRESHOLD

SECONDS = 2.0
"""Longest search for one bound; what it found until then is a value that fits, so nothing is called safe
that is not."""
SLACK = 1e-6
FAST = {"presolve": False}
"""For programmes whose start is nearly an answer: they are solved two to three times as fast so."""
NUDGES = 6
"""Small changes of the truth that are tried, each at other prices, before whole numbers are searched."""


@dataclass(frozen=True)
class Figure:
    """A count as a sum over people.

    Parameters
    ----------
    name : hashable
    members : mapping of str to int
        Person → how often the figure counts that person: 1; -1 where a remainder takes them away. A figure
        set by hand has one member of its own, with the weight of its value.
    told : bool
        Whether it is printed, unless hidden.
    may_hide : bool
        Whether it can still be hidden: no figure of a file that is out can.
    """

    name: Hashable
    members: Mapping[str, int]
    told: bool = True
    may_hide: bool = True


@dataclass(frozen=True)
class Hidden:
    """What is to be hidden.

    Attributes
    ----------
    names : frozenset
        Figures to hide, those hidden from the start included.
    given_away : tuple
        Secret figures that files which are out tell already, whatever is hidden now: names, or pairs of names
        for a difference.
    """

    names: frozenset
    given_away: tuple = ()


def hidden_jointly(
    figures: Sequence[Figure],
    hidden: frozenset = frozenset(),
    threshold: int = THRESHOLD,
    weights: Mapping[str, int] | None = None,
) -> Hidden:
    """Which figures to hide so that no small count can be worked out from all of them together.

    Parameters
    ----------
    figures : sequence of Figure
        Of every file that is out and of the one in hand, with distinct names.
    hidden : frozenset
        Names that are hidden from the start.
    threshold : int
        Smallest count that may be told, except 0; >= 2.
    weights : mapping, optional
        Members that stand for a number of people.

    Returns
    -------
    Hidden
    """
    told = {figure.name for figure in figures if figure.told and figure.name not in hidden}
    system = _Atoms(figures, weights or {})
    for at, figure in enumerate(figures):
        if figure.may_hide and 0 < system.values[at] < threshold:
            told.discard(figure.name)
    search = _Search(system, [figure.name in told for figure in figures], threshold)
    given_away = []
    for secret in range(len(search.secrets)):
        while not search.safe(secret):
            weakest = search.weakest(secret, [figure.may_hide for figure in figures])
            if weakest is None:
                given_away.append(search.name(secret, figures))
                break
            search.hide(weakest)
    kept = {figure.name for figure, shown in zip(figures, search.told, strict=True) if shown}
    gone = {figure.name for figure in figures if figure.told and figure.name not in kept}
    return Hidden(frozenset(gone) | hidden, tuple(given_away))


class _Atoms:
    """Figures as rows over atoms.

    Attributes
    ----------
    rows : float (figures, atoms)
        How often each figure counts each atom.
    sizes : float (atoms,)
    values : int (figures,)
    """

    def __init__(self, figures: Sequence[Figure], weights: Mapping[str, int]):
        places, counts = _places(figures, weights)
        random = np.random.default_rng(0)
        signs = np.zeros((2, len(counts)), np.uint64)  # people of one atom have equal sums of random numbers
        members = []
        for figure, at in zip(figures, places, strict=True):
            often = np.fromiter(figure.members.values(), np.int64, len(figure.members))
            members.append((at, often))
            for which in range(2):
                factor = random.integers(1, 2**63, dtype=np.uint64) * 2 + 1
                with np.errstate(over="ignore"):
                    signs[which, at] += often.astype(np.uint64) * factor
        # two numbers of 64 bits as one of 128, which sorts by its first as the pair does
        order = np.lexsort(signs[::-1])
        new = np.ones(len(counts), bool)
        new[1:] = (signs[:, order[1:]] != signs[:, order[:-1]]).any(axis=0)
        atom = np.empty(len(counts), np.intp)
        atom[order] = np.cumsum(new) - 1
        number = int(new.sum())
        self.sizes = np.bincount(atom, weights=counts, minlength=number) if number else np.zeros(0)
        self.rows = np.zeros((len(figures), number))
        for row, (at, often) in zip(self.rows, members, strict=True):
            row[atom[at]] = often
        self.values = np.rint(self.rows @ self.sizes).astype(int)


def _places(figures: Sequence[Figure], weights: Mapping[str, int]) -> tuple[list[np.ndarray], np.ndarray]:
    """The members of each figure as numbers from 0, and for how many people each number stands.

    A figure of a whole university names a hundred thousand; so people are told apart by their hashes, unless
    two of them should have the same.
    """
    names = set().union(*(figure.members for figure in figures))
    ends = np.cumsum([len(figure.members) for figure in figures], dtype=np.intp)
    marks_of = chain.from_iterable(map(hash, figure.members) for figure in figures)
    of_members = np.fromiter(marks_of, np.int64, ends[-1] if len(ends) else 0)
    number, marks = pd.factorize(of_members)
    if len(marks) < len(names):
        place = {name: at for at, name in enumerate(names)}
        number = np.array([place[name] for figure in figures for name in figure.members], dtype=np.intp)
    counts = np.ones(len(names))
    for figure, end in zip(figures, ends, strict=True):
        if weights.keys().isdisjoint(figure.members):
            continue
        for at, name in enumerate(figure.members, int(end) - len(figure.members)):
            if name in weights:
                counts[number[at]] = weights[name]
    return (np.split(number, ends[:-1]) if len(ends) else []), counts


class _Search:
    """Bounds of the secrets under what is told; a solution found for one secret serves all."""

    def __init__(self, system: _Atoms, told: list[bool], threshold: int):
        self.system, self.told, self.wide = system, np.array(told, dtype=bool), threshold - 1
        self.secrets, self._names = self._secrets(threshold)
        at_truth = self.secrets @ system.sizes if len(self.secrets) else np.zeros(0)
        self.low, self.high = at_truth.copy(), at_truth.copy()
        rows = system.rows
        self._remainders = np.flatnonzero((rows < 0).any(axis=1) & (system.values >= 0))
        self._distinct, self._which = _distinct_rows(rows)
        self._values = self._distinct @ system.sizes
        self._programme = None  # of what is told now
        self._random = np.random.default_rng(0)

    def _secrets(self, threshold: int) -> tuple[np.ndarray, list]:
        """Small figures and small differences, each once, as rows over atoms; and what each is."""
        rows, values = self.system.rows, self.system.values
        small = np.flatnonzero((values > 0) & (values < threshold))
        candidates: list[tuple[np.ndarray, tuple[int, ...]]] = [(rows[at], (int(at),)) for at in small]
        sets, first = _distinct_sets(rows)
        sized = sets * self.system.sizes
        shared = sized @ sets.T
        totals = sized.sum(axis=1)
        inside = (shared >= totals[None, :] - 0.5) & (totals[None, :] > 0)  # [a, b]: all of b lies in a
        less = totals[:, None] - totals[None, :]
        for a, b in np.argwhere(inside & (less > 0.5) & (less < threshold - 0.5)):
            candidates.append((sets[a] - sets[b], (first[a], first[b])))
        seen, kept, names = set(), [], []
        for row, name in candidates:
            mark = row.tobytes()
            if mark not in seen:
                seen.add(mark)
                kept.append(row)
                names.append(name)
        return np.array(kept).reshape(len(kept), rows.shape[1]), names

    def name(self, secret: int, figures: Sequence[Figure]):
        """The figure, or the pair of figures, that a secret is."""
        parts = tuple(figures[at].name for at in self._names[secret])
        return parts[0] if len(parts) == 1 else parts

    def safe(self, secret: int) -> bool:
        """Whether what is told leaves a secret enough values."""
        if self._wide(secret):
            return True
        self._nudge(secret, -1.0)
        if self._wide(secret):
            return True
        ends = self._relaxed(secret)
        for end in ends:
            self._take(end.point)
        room = [float(np.floor(end.most + SLACK)) for end in ends]  # no whole number lies beyond
        if sum(room) < self.wide:
            return False
        for search in (*[self._nudge] * NUDGES, self._near, self._learn):
            for sign in (-1.0, 1.0):
                if self._wide(secret):
                    return True
                search(secret, sign)
        return self._wide(secret)

    def _wide(self, secret: int) -> bool:
        return bool(self.high[secret] - self.low[secret] >= self.wide - SLACK)

    def _relaxed(self, secret: int) -> tuple[_End, _End]:
        """How far a secret goes down and up in fractions of people, and which figures hold it there."""
        from scipy.optimize import linprog

        programme = self._told_now()
        if secret not in programme.ends:
            few = len(programme.rest) == 0
            found = []
            for sign in (1.0, -1.0):
                answer = linprog(
                    sign * programme.secrets[secret],
                    A_ub=None if few else -programme.rest,
                    b_ub=None if few else np.zeros(len(programme.rest)),
                    A_eq=programme.rows if len(programme.shown) else None,
                    b_eq=programme.values if len(programme.shown) else None,
                    bounds=(0, None),
                    method="highs",
                    options=FAST,
                )
                holding = np.zeros(len(self._distinct), bool)
                solved = answer.status == 0
                if solved and len(programme.shown):
                    holding[programme.shown] = np.abs(answer.eqlin.marginals) > SLACK
                end = _End(-answer.fun, answer.x, holding) if solved else _End(np.inf, None, holding)
                found.append(end)
            programme.ends[secret] = (found[0], found[1])
        return programme.ends[secret]

    def _take(self, point: np.ndarray | None) -> None:
        """Note what a solution says of every secret, where it is one of whole people."""
        if point is None:
            return
        programme, whole = self._told_now(), np.rint(point)
        exact = np.abs(programme.rows @ whole - programme.values) < 0.5
        if exact.all() and (programme.rest @ whole > -0.5).all() and (whole >= 0).all():
            found = programme.secrets @ whole
            self.low, self.high = np.minimum(self.low, found), np.maximum(self.high, found)

    def _nudge(self, secret: int, sign: float) -> None:
        """Look for a small change of the truth that takes a secret up (-1) or down (1) as far as it needs.

        In fractions: the smallest change is mostly one of whole people, and is found far sooner than by a
        search among whole ones; where it is not, another price of each group leads to another change. That
        none is found says nothing.
        """
        from scipy.optimize import linprog
        from scipy.sparse import csr_array, hstack

        programme = self._told_now()
        missing = self.wide - (self.high[secret] - self.low[secret])
        farthest = self.high[secret] if sign < 0 else self.low[secret]
        row, sizes = programme.secrets[secret], programme.sizes
        step = farthest - sign * missing - row @ sizes
        limits = csr_array(np.concatenate([sign * row[None, :], -programme.rest]))
        prices = 1 + self._random.random(2 * len(sizes))
        answer = linprog(
            prices,  # of people more, of people fewer
            A_ub=hstack([limits, -limits]),
            b_ub=np.append(sign * step, programme.rest @ sizes),
            A_eq=hstack([programme.rows, -programme.rows]) if len(programme.shown) else None,
            b_eq=np.zeros(len(programme.shown)) if len(programme.shown) else None,
            bounds=np.column_stack([np.zeros(2 * len(sizes)), np.append(np.full(len(sizes), np.inf), sizes)]),
            method="highs",
            options=FAST,
        )
        if answer.status == 0:
            more, fewer = np.split(answer.x, 2)
            self._take(sizes + more - fewer)

    def _near(self, secret: int, sign: float) -> None:
        """Search the whole numbers near the truth."""
        sizes, reach = self._told_now().sizes, 10.0 * (self.wide + 1)
        self._search(secret, sign, np.maximum(sizes - reach, 0), sizes + reach)

    def _learn(self, secret: int, sign: float) -> None:
        """Push a secret one way until it is wide enough or no integer solution goes farther."""
        most = self._told_now().sizes.max() + 10.0 * (self.wide + 1)  # a cap keeps what is unbounded finite
        self._search(secret, sign, 0, most)

    def _search(self, secret: int, sign: float, lowest, highest) -> None:
        from scipy.optimize import Bounds, LinearConstraint, milp

        programme = self._told_now()
        objective = programme.secrets[secret]
        far_enough = LinearConstraint(objective, self.high[secret] - self.wide, self.low[secret] + self.wide)
        answer = milp(
            sign * objective,
            constraints=[*programme.constraints, far_enough],
            integrality=np.ones(len(programme.sizes)),
            bounds=Bounds(lowest, highest),
            options={"time_limit": SECONDS},
        )
        self._take(answer.x)

    def _told_now(self) -> _Programme:
        """The integer programme of what is told, made anew when something was hidden."""
        if self._programme is None:
            shown = np.unique(self._which[self.told])
            rest = self.system.rows[self._remainders]
            self._programme = _Programme(
                self._distinct[shown], self._values[shown], rest, self.secrets, self.system.sizes, shown
            )
        return self._programme

    def weakest(self, secret: int, may_hide: list[bool]) -> int | None:
        """The figure to hide next: of those that hold the secret's bounds the smallest, and not 0."""
        rows, told, free = self.system.rows, self.told, np.array(may_hide)
        out = np.zeros(len(self._distinct), bool)
        out[self._which[np.flatnonzero(told & ~free)]] = True
        useful = told & free & (self.system.values != 0) & ~out[self._which]
        touching = ((rows != 0) @ (self.secrets[secret] != 0)) > 0
        for near in (self._holding(secret), touching):
            candidates = np.flatnonzero(near & useful)
            if len(candidates):
                return int(min(candidates, key=lambda at: (self.system.values[at], at)))
        return None

    def _holding(self, secret: int) -> np.ndarray:
        """Told figures that a bound of the secret would move with."""
        down, up = self._relaxed(secret)
        return (down.holding | up.holding)[self._which] & self.told

    def hide(self, figure: int) -> None:
        """Tell one figure less, and every other that says the same."""
        self.told &= self._which != self._which[figure]
        self._programme = None


@dataclass(frozen=True)
class _End:
    """How far a secret goes one way, in fractions of people.

    Attributes
    ----------
    most : float
        The farthest value; downwards with its sign turned. Infinite where nothing holds it.
    point : (groups,) or None
        Where it is reached.
    holding : bool (distinct rows,)
        What is told and holds it there.
    """

    most: float
    point: np.ndarray | None
    holding: np.ndarray


class _Programme:
    """What is told as an integer programme over groups of atoms.

    Atoms that every figure told, every remainder and every secret counts alike are one group: only their sum
    matters, and any whole sum >= 0 can be theirs.

    Attributes
    ----------
    rows, values : (told, groups), (told,)
        What is told, each once.
    rest : (remainders, groups)
        Never negative.
    secrets : (secrets, groups)
    sizes : (groups,)
    shown : int (told,)
        Which of the distinct rows these are.
    ends : dict
        Secret → how far it goes down and up.
    """

    def __init__(self, rows, values, rest, secrets, sizes, shown):
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csr_array

        every = np.ascontiguousarray(np.concatenate([rows, rest, secrets]).T)
        groups: dict[bytes, int] = {}
        group = np.array(
            [groups.setdefault(column.tobytes(), len(groups)) for column in every], dtype=np.intp
        )
        _, first = np.unique(group, return_index=True)
        self.sizes = np.bincount(group, weights=sizes, minlength=len(groups))
        self.rows = csr_array(rows[:, first])
        self.rest, self.secrets = rest[:, first], secrets[:, first]
        self.ends: dict[int, tuple[_End, _End]] = {}
        self.values, self.shown = values, shown
        self.constraints = [LinearConstraint(self.rows, values, values)] if len(shown) else []
        if len(rest):
            self.constraints.append(LinearConstraint(csr_array(self.rest), 0, np.inf))


def _distinct_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row once, in lexical order, and which of them each row is: ``np.unique`` for a few long rows."""
    marks = [row.tobytes() for row in rows + 0.0]  # -0.0 is 0.0
    first = {mark: at for at, mark in reversed(list(enumerate(marks)))}
    order = sorted(first, key=lambda mark: rows[first[mark]].tolist())
    place = {mark: at for at, mark in enumerate(order)}
    return rows[[first[mark] for mark in order]], np.array([place[mark] for mark in marks], dtype=np.intp)


def _distinct_sets(rows: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Rows that count nobody twice and take nobody away, each once, and where each stands first."""
    plain = [at for at, row in enumerate(rows) if row.any() and ((row == 0) | (row == 1)).all()]
    seen: dict[bytes, int] = {}
    for at in plain:
        seen.setdefault(rows[at].tobytes(), at)
    first = list(seen.values())
    return rows[first].reshape(len(first), rows.shape[1]), first


def told_by_means(sets: Sequence[Mapping[str, int]], small: int = THRESHOLD) -> list[int]:
    """Means to hide, in order, so that the rest tell the sum of no small group.

    A mean whose count is known is a sum. What sums tell is every combination of them: a small group's sum is
    told when its indicator lies in their span.

    Parameters
    ----------
    sets : sequence of mapping
        Whom each mean is about, the most important first; those that come last are hidden first.
    small : int
        Groups of fewer are protected.

    Returns
    -------
    list of int
        Places in ``sets``.
    """
    if not any(sets):
        return []
    system = _Atoms([Figure(at, members) for at, members in enumerate(sets)], {})
    rows, sizes = system.rows, system.sizes
    units = np.eye(len(sizes))[sizes < small]
    distinct, _ = _distinct_sets(rows)
    pairs = (distinct[:, None, :] - distinct[None, :, :]).reshape(-1, len(sizes))
    one_way = pairs[(pairs >= 0).all(axis=1) & pairs.any(axis=1)] if len(pairs) else pairs
    secrets = np.unique(np.concatenate([units, one_way, distinct]), axis=0)
    secrets = secrets[(secrets @ sizes > 0.5) & (secrets @ sizes < small - 0.5)]
    hidden: list[int] = []
    for secret in secrets:
        while (last := _last_that_tells(rows, secret, hidden)) is not None:
            hidden.append(last)
    return sorted(hidden)


def _last_that_tells(rows: np.ndarray, secret: np.ndarray, hidden: list[int]) -> int | None:
    """The last row that a combination equal to ``secret`` needs; None where there is no such combination."""
    shown = [at for at in range(len(rows)) if at not in hidden]
    if not shown:
        return None
    factors, *_ = np.linalg.lstsq(rows[shown].T, secret, rcond=None)
    if np.abs(rows[shown].T @ factors - secret).max() > SLACK:
        return None
    return max(at for at, factor in zip(shown, factors, strict=True) if abs(factor) > SLACK)
