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

import numpy as np

from data.trust.small_cells import THRESHOLD

SECONDS = 2.0
"""Longest search for one bound; what it found until then is a value that fits, so nothing is called safe
that is not."""
SLACK = 1e-6


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
        people = sorted({person for figure in figures for person in figure.members})
        place = {person: at for at, person in enumerate(people)}
        counts = np.array([weights.get(person, 1) for person in people], dtype=float)
        random = np.random.default_rng(0)
        signs = np.zeros((2, len(people)), np.uint64)  # people of one atom have equal sums of random numbers
        members = []
        for figure in figures:
            at = np.fromiter((place[person] for person in figure.members), int, len(figure.members))
            often = np.fromiter(figure.members.values(), np.int64, len(figure.members))
            members.append((at, often))
            for which in range(2):
                factor = random.integers(1, 2**63, dtype=np.uint64) * 2 + 1
                with np.errstate(over="ignore"):
                    signs[which, at] += often.astype(np.uint64) * factor
        _, atom = np.unique(signs, axis=1, return_inverse=True)
        atom = atom.reshape(-1)
        number = int(atom.max()) + 1 if len(people) else 0
        self.sizes = np.bincount(atom, weights=counts, minlength=number) if number else np.zeros(0)
        self.rows = np.zeros((len(figures), number))
        for row, (at, often) in zip(self.rows, members, strict=True):
            row[atom[at]] = often
        self.values = np.rint(self.rows @ self.sizes).astype(int)


class _Search:
    """Bounds of the secrets under what is told; a solution found for one secret serves all."""

    def __init__(self, system: _Atoms, told: list[bool], threshold: int):
        self.system, self.told, self.wide = system, told, threshold - 1
        self.secrets, self._names = self._secrets(threshold)
        at_truth = self.secrets @ system.sizes if len(self.secrets) else np.zeros(0)
        self.low, self.high = at_truth.copy(), at_truth.copy()
        self._refused: set[int] = set()
        self._remainders = [
            at for at in range(len(told)) if (system.rows[at] < 0).any() and system.values[at] >= 0
        ]

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
        for sign in (-1.0, 1.0):
            if self.high[secret] - self.low[secret] >= self.wide - SLACK:
                return True
            self._learn(secret, sign)
        return bool(self.high[secret] - self.low[secret] >= self.wide - SLACK)

    def _learn(self, secret: int, sign: float) -> None:
        """Push a secret one way as far as an integer solution can be found, and note what it says of all."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        equal, target = self._told_rows()
        # no secret needs to be pushed farther than its width; a cap keeps what is unbounded finite
        cap = self.system.sizes.max() + 10.0 * (self.wide + 1)
        constraints = [LinearConstraint(equal, target, target)] if len(equal) else []
        if self._remainders:
            constraints.append(LinearConstraint(self.system.rows[self._remainders], 0, np.inf))
        answer = milp(
            sign * self.secrets[secret],
            constraints=constraints,
            integrality=np.ones(len(self.system.sizes)),
            bounds=Bounds(0, cap),
            options={"time_limit": SECONDS},
        )
        if answer.x is None:
            return
        found = self.secrets @ np.rint(answer.x)
        self.low, self.high = np.minimum(self.low, found), np.maximum(self.high, found)

    def _told_rows(self) -> tuple[np.ndarray, np.ndarray]:
        shown = np.flatnonzero(self.told)
        rows, kept = np.unique(self.system.rows[shown], axis=0, return_index=True)
        return rows, self.system.values[shown[kept]].astype(float)

    def weakest(self, secret: int, may_hide: list[bool]) -> int | None:
        """The figure to hide next: of those that hold the secret's bounds the smallest, and not 0."""
        rows, told = self.system.rows, np.array(self.told)
        out = {
            row.tobytes() for row, shown, can in zip(rows, told, may_hide, strict=True) if shown and not can
        }
        useful = told & np.array(may_hide) & (self.system.values != 0)
        useful &= np.array([row.tobytes() not in out for row in rows])
        touching = ((rows != 0).astype(int) @ (self.secrets[secret] != 0)) > 0
        for near in (self._holding(secret), touching):
            candidates = np.flatnonzero(near & useful)
            if len(candidates):
                return int(min(candidates, key=lambda at: (self.system.values[at], at)))
        return None

    def _holding(self, secret: int) -> np.ndarray:
        """Told figures that a bound of the secret would move with."""
        from scipy.optimize import linprog

        shown = np.flatnonzero(self.told)
        holding = np.zeros(len(self.told), bool)
        rest = self.system.rows[self._remainders]
        for sign in (1.0, -1.0):
            answer = linprog(
                sign * self.secrets[secret],
                A_ub=-rest if len(rest) else None,
                b_ub=np.zeros(len(rest)) if len(rest) else None,
                A_eq=self.system.rows[shown] if len(shown) else None,
                b_eq=self.system.values[shown].astype(float) if len(shown) else None,
                bounds=(0, None),
                method="highs",
            )
            if answer.status == 0 and len(shown):
                holding[shown] |= np.abs(answer.eqlin.marginals) > SLACK
        return holding

    def hide(self, figure: int) -> None:
        """Tell one figure less, and every other that says the same."""
        same = (self.system.rows == self.system.rows[figure]).all(axis=1)
        self.told = [shown and not alike for shown, alike in zip(self.told, same, strict=True)]


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
