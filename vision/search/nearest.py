"""Which of many filed specimens lie nearest to a signature, without comparing it with every one in full.

Each specimen's descriptor is kept as one signed byte per number, of a long one its main directions
(:class:`vision.search.coding.Coding`). A question reads all codes, and the specimens whose codes lie nearest
are compared with their whole descriptors. How far a code may lie from its descriptor is known, so the search
goes on until no specimen is left that could still be nearer: what it gives is what comparing all gives. Where
too many are left, which long descriptors can bring about, it stops and says that it did.

Nothing here is written to a disk. What is removed is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np

from vision.search.code_scan import FAR, STRETCH, scan, worth_compiling
from vision.search.coding import Coding
from vision.threads import threads_in_use

Fetch = Callable[[Sequence], tuple[list, np.ndarray]]
"""Specimens → those of them that are there, and their descriptors, float32 (n, d)."""

SHARD = 256 * STRETCH
"""Specimens whose codes lie in one piece of memory, which is never moved: no copy of it stays behind."""
_CHUNK_BYTES = 1 << 25
_FIRST = 4
"""Times the neighbours wanted that are compared before anything is known."""
_MOST = 2_000
_MANY = 200
"""Stretches; where more are within reach, the likeliest specimens in them are compared, and the rest is told
as not proven if it still is within reach then."""
_TOGETHER = 64
"""Specimens that are read and compared at once."""
_CLOSE = 1 - 1e-5
"""Of a distance between codes: rounding in float32 may have made it so much too great."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest specimens of each question.

    Attributes
    ----------
    specimens, owners : object (m, k)
        The nearest first; None beyond the last where there are fewer.
    distances : float64 (m, k)
        Euclidean; infinite beyond the last.
    proven : bool (m,)
        Whether no other specimen can lie nearer; False where the search stopped before.
    compared : int (m,)
        Specimens that were compared in full.
    """

    specimens: np.ndarray
    owners: np.ndarray
    distances: np.ndarray
    proven: np.ndarray
    compared: np.ndarray


@dataclass
class _Shard:
    """Codes of up to `SHARD` specimens, squared lengths of the codes, and their distances from the
    descriptors, as :class:`vision.search.coding.Coded` has them; the greatest distance in each stretch."""

    codes: np.ndarray
    squares: np.ndarray
    errors: np.ndarray
    worst: np.ndarray

    @classmethod
    def empty(cls, width: int) -> _Shard:
        """All zeros; memory is taken as it is written to."""
        return cls(
            np.zeros((SHARD, width), np.int8),
            np.zeros(SHARD, np.int32),
            np.zeros(SHARD, np.float32),
            np.zeros(SHARD // STRETCH, np.float32),
        )

    def parts(self) -> tuple[np.ndarray, ...]:
        """Everything that is held of a specimen."""
        return self.codes, self.squares, self.errors


@dataclass(frozen=True)
class _Asked:
    """A query's code, without its rest: what lies in no direction is taken to be at right angles in query and
    specimen, which is likely and keeps those apart that have a large one.

    Attributes
    ----------
    code : int8 (width,)
    square : int
        Squared length of the whole code.
    rest : int
        Of the whole code.
    error : float
    """

    code: np.ndarray
    square: int
    rest: int
    error: float

    @classmethod
    def of(cls, coding: Coding, query: np.ndarray) -> _Asked:
        """Code a query."""
        coded = coding.encode(query[None])
        code, rest = coded.codes[0].copy(), 0
        if coding.rest is not None:
            rest, code[coding.rest] = int(code[coding.rest]), 0
        return cls(code, int(coded.squares[0]), rest, float(coded.errors[0]))

    @property
    def most_rest(self) -> int:
        """By how much a value may be too great for want of the rest."""
        return 2 * abs(self.rest) * 127


class SpecimenIndex:
    """Specimens by their placed descriptors, to be asked for the nearest.

    Parameters
    ----------
    coding : Coding
        How descriptors are coded; learned once, from some of them.
    fetch : callable, optional
        Where whole descriptors are read again when specimens are compared: the store, where they lie
        sealed. Specimens that it no longer gives are left out of the answer. By default the index holds
        them itself.
    most : int
        Specimens that one question may have compared in full.
    threads : int, optional
        Those of :func:`vision.threads.threads_in_use` by default.

    Examples
    --------
    >>> rows = np.eye(3, dtype=np.float32)
    >>> index = SpecimenIndex(Coding.fit(rows))
    >>> index.add(["a", "b", "c"], ["one", "two", "two"], rows)
    >>> index.search(rows[1:2]).specimens.tolist()
    [['b']]
    """

    def __init__(
        self, coding: Coding, fetch: Fetch | None = None, *, most: int = _MOST, threads: int | None = None
    ):
        if most < 1:
            raise ValueError(f"most: must be at least 1, got {most}")
        self.coding, self.most = coding, most
        self._fetch, self._threads = fetch, threads
        self._specimens: list[Hashable] = []
        self._owners: list[Hashable] = []
        self._places: dict[Hashable, int] = {}
        self._shards: list[_Shard] = []
        self._rows: list[np.ndarray] = []
        self._chunk = max(1, _CHUNK_BYTES // (4 * coding.length))
        self._values = np.empty(0, np.int32)
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._specimens)

    def __contains__(self, specimen: Hashable) -> bool:
        return specimen in self._places

    @property
    def code_bytes(self) -> int:
        """Memory written to for codes, and for what is known of each."""
        return len(self) * (self.coding.width + 8)

    @property
    def row_bytes(self) -> int:
        """Memory written to for whole descriptors; 0 where they are read again to be compared."""
        return 0 if self._fetch is not None else 4 * len(self) * self.coding.length

    def use_threads(self, count: int) -> None:
        """Have each question use so many threads from now on."""
        with self._lock:
            self._threads, self._pool = count, None

    def add(self, specimens: Sequence[Hashable], owners: Sequence[Hashable], rows: np.ndarray) -> None:
        """Add specimens.

        Parameters
        ----------
        specimens : sequence (n,)
            Their ids; none that is there already.
        owners : sequence (n,)
            Whose they are.
        rows : float (n, d)
            Placed descriptors, finite.

        Raises
        ------
        ValueError
            When one is there already, or shapes or numbers do not fit; then none was added.
        """
        specimens, owners = list(specimens), list(owners)
        rows = self._fitting(rows, "rows")
        if not len(specimens) == len(owners) == len(rows):
            raise ValueError(
                f"specimens, owners: need one per row ({len(rows)}), got {len(specimens)}, {len(owners)}"
            )
        with self._lock:
            twice = len(specimens) - len(set(specimens)) + sum(one in self._places for one in specimens)
            if twice:
                raise ValueError(f"specimens: each must be added once, {twice} were there already")
            for start in range(0, len(rows), STRETCH):
                part = slice(start, start + STRETCH)
                self._append(specimens[part], owners[part], rows[part])

    def _append(self, specimens: list, owners: list, rows: np.ndarray) -> None:
        coded = self.coding.encode(rows)
        first = len(self._specimens)
        for offset in range(len(rows)):
            place = first + offset
            if place == len(self._shards) * SHARD:
                self._shards.append(_Shard.empty(self.coding.width))
            shard, row = self._shards[place // SHARD], place % SHARD
            for held, new in zip(shard.parts(), coded.parts(), strict=True):
                held[row] = new[offset]
            shard.worst[row // STRETCH] = max(shard.worst[row // STRETCH], coded.errors[offset])
            if self._fetch is None:
                if place == len(self._rows) * self._chunk:
                    self._rows.append(np.zeros((self._chunk, self.coding.length), np.float32))
                self._rows[place // self._chunk][place % self._chunk] = rows[offset]
        self._places |= {one: first + offset for offset, one in enumerate(specimens)}
        self._specimens += specimens
        self._owners += owners

    def remove(self, specimens: Sequence[Hashable]) -> int:
        """Remove specimens, and overwrite what was held of them. How many were there.

        The last specimen takes the place of each, and its own former place is filled with zeros.
        """
        with self._lock:
            there = [one for one in dict.fromkeys(specimens) if one in self._places]
            for one in there:
                self._remove(one)
            return len(there)

    def remove_owner(self, owner: Hashable) -> int:
        """Remove all specimens of an owner. How many there were."""
        with self._lock:
            theirs = [one for one, whose in zip(self._specimens, self._owners, strict=True) if whose == owner]
            for one in theirs:
                self._remove(one)
            return len(theirs)

    def _remove(self, specimen: Hashable) -> None:
        place, last = self._places.pop(specimen), len(self._specimens) - 1
        for held, freed in zip(self._held(place), self._held(last), strict=True):
            held[...] = freed
            freed[...] = 0
        moved, owner = self._specimens.pop(), self._owners.pop()
        if place != last:
            self._specimens[place], self._owners[place], self._places[moved] = moved, owner, place
        for one in (place, last):
            shard, stretch = self._shards[one // SHARD], one % SHARD // STRETCH
            shard.worst[stretch] = shard.errors[stretch * STRETCH : (stretch + 1) * STRETCH].max()

    def _held(self, place: int) -> list[np.ndarray]:
        """Views of everything that is held at a place."""
        row = place % SHARD
        views = [part[row : row + 1] for part in self._shards[place // SHARD].parts()]
        if self._fetch is None:
            row = place % self._chunk
            views.append(self._rows[place // self._chunk][row : row + 1])
        return views

    def search(self, queries: np.ndarray, k: int = 1) -> Neighbours:
        """The k nearest specimens of each query.

        Parameters
        ----------
        queries : float (m, d)
            Placed descriptors, finite.
        k : int
            At least 1.
        """
        queries = self._fitting(queries, "queries")
        if k < 1:
            raise ValueError(f"k: must be at least 1, got {k}")
        found = Neighbours(
            np.full((len(queries), k), None, object),
            np.full((len(queries), k), None, object),
            np.full((len(queries), k), np.inf),
            np.ones(len(queries), bool),
            np.zeros(len(queries), int),
        )
        for place, query in enumerate(queries):
            with self._lock:
                specimens, owners, distances, proven, compared = self._nearest(query, k)
            found.specimens[place, : len(specimens)] = specimens
            found.owners[place, : len(owners)] = owners
            found.distances[place, : len(distances)] = distances
            found.proven[place], found.compared[place] = proven, compared
        return found

    def nearest_owners(self, queries: np.ndarray, best: int = 5) -> Neighbours:
        """The nearest specimen of each of the ``best`` nearest owners, in the same form."""
        queries = self._fitting(queries, "queries")
        every = [self._owners_of(query, best) for query in queries]
        if not every:
            return self.search(queries, best)
        return Neighbours(*(np.concatenate(part) for part in zip(*every, strict=True)))

    def _owners_of(self, query: np.ndarray, best: int) -> tuple[np.ndarray, ...]:
        wanted = 4 * best
        while True:
            found = self.search(query[None], wanted)
            there = np.flatnonzero(np.isfinite(found.distances[0]))
            first = {found.owners[0, place]: place for place in reversed(there.tolist())}
            chosen = np.sort(np.array(list(first.values()), int))[:best]
            if len(chosen) == best or len(there) < wanted:
                break
            wanted *= 4
        out = [np.full((1, best), None, object) for _ in range(2)] + [np.full((1, best), np.inf)]
        for part, of in zip(out, (found.specimens, found.owners, found.distances), strict=True):
            part[0, : len(chosen)] = of[0, chosen]
        return (*out, found.proven, found.compared)

    def _nearest(self, query: np.ndarray, k: int) -> tuple[list, list, list, bool, int]:
        """Of one query: ids, owners and distances, whether they are proven, and how many were compared."""
        best, count = _Best(self, query, k), len(self)
        if not count:
            return best.found()
        asked = _Asked.of(self.coding, query)
        least = self._scan(asked.code)
        near = self._nearest_value(least, min(_FIRST * k, count))
        self._compare(best, asked, least, -FAR, near)
        far, most = FAR - 1, max(_FIRST * k, self.most)
        if np.count_nonzero(least <= self._reach(best, asked, least)) > _MANY and most < count:
            far = self._nearest_value(least, most)
        self._compare(best, asked, least, near, far)
        left = self._reach(best, asked, least)
        best.proven &= far == FAR - 1 or not ((least <= left) & (left > far)).any()
        return best.found()

    def _reach(self, best: _Best, asked: _Asked, least: np.ndarray) -> np.ndarray:
        """Of each stretch, the value up to which a specimen could be among the nearest."""
        worst = np.concatenate([shard.worst for shard in self._shards])[: len(least)].astype(np.float64)
        steps = (best.farthest + asked.error + worst) / (_CLOSE * self.coding.step)
        return np.minimum(steps**2 - asked.square + asked.most_rest, FAR - 1).astype(np.int64)

    def _scan(self, code: np.ndarray) -> np.ndarray:
        """Compare all codes with one; the least value of each stretch."""
        if len(self._values) < len(self._shards) * SHARD:
            self._values = np.empty(len(self._shards) * SHARD, np.int32)
        least, compiled = np.empty(len(self._values) // STRETCH, np.int32), worth_compiling(len(self))

        def one(number: int) -> None:
            start, shard = number * SHARD, self._shards[number]
            count = min(SHARD, len(self) - start)
            values, low = self._values[start:], least[start // STRETCH :]
            scan(shard.codes, shard.squares, code, count, values, low, compiled)

        used = -(-len(self) // SHARD)
        threads = min(self._threads or threads_in_use(), used)
        if threads == 1:
            for number in range(used):
                one(number)
        else:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(threads)
            list(self._pool.map(one, range(used)))
        return least[: -(-len(self) // STRETCH)]

    def _nearest_value(self, least: np.ndarray, wanted: int) -> int:
        """A value that at least so many of the codes do not exceed."""
        if wanted < len(least):
            return int(np.partition(least, wanted - 1)[wanted - 1])
        return int(np.partition(self._values[: len(self)], wanted - 1)[wanted - 1])

    def _compare(self, best: _Best, asked: _Asked, least: np.ndarray, low: int, high: int) -> None:
        """Compare those in full that could be among the nearest, whose value is above ``low`` and at most
        ``high``: the least value first."""
        limits = np.minimum(self._reach(best, asked, least), high)
        stretches = np.flatnonzero(least <= limits)
        values = self._values[: len(least) * STRETCH].reshape(-1, STRETCH)[stretches]
        row, column = np.nonzero((values > low) & (values <= limits[stretches, None]))
        places = stretches[row] * STRETCH + column
        order = np.argsort(values[row, column], kind="stable")
        places, steps = places[order], values[row, column][order].astype(np.float64) + asked.square
        errors, shards, rest = np.empty(len(places)), places // SHARD, self.coding.rest
        for number in np.unique(shards):
            here = np.flatnonzero(shards == number)
            shard, rows = self._shards[number], places[here] % SHARD
            errors[here] = shard.errors[rows]
            if rest is not None:
                steps[here] -= 2.0 * asked.rest * shard.codes[rows, rest]
        bounds = _CLOSE * self.coding.step * np.sqrt(np.maximum(steps, 0.0)) - errors - asked.error
        best.compare(places, bounds)

    def read(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whole descriptors at places: those places where there still is one, and float32 (n, d)."""
        if self._fetch is None:
            rows = [self._rows[place // self._chunk][place % self._chunk] for place in places.tolist()]
            return places, np.array(rows, np.float32).reshape(len(places), self.coding.length)
        wanted = {self._specimens[place]: place for place in places.tolist()}
        ids, rows = self._fetch(list(wanted))
        return np.array([wanted[one] for one in ids], int), np.asarray(rows, np.float32)

    def named(self, places: np.ndarray) -> tuple[list, list]:
        """Specimens and owners at places."""
        return [self._specimens[one] for one in places], [self._owners[one] for one in places]

    def _fitting(self, rows: np.ndarray, name: str) -> np.ndarray:
        rows = np.atleast_2d(np.asarray(rows, np.float32))
        if rows.ndim != 2 or rows.shape[1] != self.coding.length:
            raise ValueError(f"{name}: need shape (n, {self.coding.length}), got {rows.shape}")
        if not np.isfinite(rows).all():
            raise ValueError(f"{name}: must be finite")
        return rows


class _Best:
    """The nearest of the specimens that were compared in full so far."""

    def __init__(self, index: SpecimenIndex, query: np.ndarray, k: int):
        self.index, self.query, self.k = index, query.astype(np.float64), k
        self.places, self.distances = np.empty(0, int), np.empty(0)
        self.compared, self.proven = 0, True

    @property
    def farthest(self) -> float:
        """Distance of the last of the k nearest; infinite while there are fewer."""
        return float(self.distances[-1]) if len(self.distances) == self.k else np.inf

    def compare(self, places: np.ndarray, bounds: np.ndarray) -> None:
        """Compare specimens in their order, but those that lie too far by the distance that each has at
        least; no longer proven where more are left than may be compared."""
        while True:
            near = bounds <= self.farthest
            places, bounds = places[near], bounds[near]
            if not len(places):
                return
            part = places[: min(self.index.most - self.compared, _TOGETHER)]
            if not len(part):
                self.proven = False
                return
            self._take(*self.index.read(part))
            self.compared += len(part)
            places, bounds = places[len(part) :], bounds[len(part) :]

    def _take(self, places: np.ndarray, rows: np.ndarray) -> None:
        if not len(places):
            return
        distances = np.concatenate([self.distances, np.linalg.norm(rows - self.query, axis=1)])
        every = np.concatenate([self.places, places])
        order = np.lexsort((every, distances))[: self.k]
        self.places, self.distances = every[order], distances[order]

    def found(self) -> tuple[list, list, list, bool, int]:
        """Specimens, owners, distances, whether they are proven, how many were compared."""
        return (*self.index.named(self.places), self.distances.tolist(), self.proven, self.compared)
