"""Finding people by the beginnings of words of their name and number, in every alphabet; order by number.

Names and numbers lie sealed, and no table tells which words they have or who shares one. A process that
searches opens them once, keeps their words in memory, and after an import, undo or erasure opens those that
have changed. A number that is known whole is looked up by its keyed hash, without any of this.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, Select, false, func, select

from data import schema
from data.engine.bulk import among
from data.engine.database import Store, cipher_of
from data.trust.scope import Scope
from data.trust.scoping import visible

MAX_WORD = 80
MAX_WORDS = 6
FEW = 500  # students whose order by number is found by sorting them
PART = 1_000  # students asked for at first, in the order of their numbers
_LAST = "\U0010ffff"  # sorts after every character


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: casefolded, each once."""
    return list(dict.fromkeys(word[:MAX_WORD] for word in re.findall(r"\w+", text.casefold())))


@dataclass(frozen=True)
class NameIndex:
    """Who has which words in name and number, by student number.

    Parameters
    ----------
    keys : list of str
        Students in the order of their numbers; a *position* is a place in this list.
    words : list of str
        Each word once, sorted.
    starts : ndarray
        Where in ``positions`` those of a word begin; one more, the end.
    positions : ndarray
        Of the students who have the word.
    """

    keys: list[str] = field(repr=False)
    words: list[str] = field(repr=False)
    starts: np.ndarray = field(repr=False)
    positions: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, people: Iterable[tuple[str, str, Sequence[str]]]) -> NameIndex:
        """The index of (student key, student number, words)."""
        ordered, having = sorted(people, key=lambda one: one[1]), {}
        for position, (_, _, words) in enumerate(ordered):
            for word in words:
                having.setdefault(word, []).append(position)
        words = sorted(having)
        starts = np.cumsum([0, *(len(having[word]) for word in words)])
        together = (position for word in words for position in having[word])
        positions = np.fromiter(together, dtype=np.int32, count=starts[-1])
        return cls([key for key, _, _ in ordered], words, starts, positions)

    def matching(self, wanted: Sequence[str], only: Iterable[str] | None = None) -> np.ndarray:
        """Positions, in order, of those who have for every wanted word a word that begins with it.

        Parameters
        ----------
        wanted : sequence of str
        only : iterable of str, optional
            Keys of the students among whom to look: a letter begins a word of nearly everybody.
        """
        found = None
        if wanted and only is not None:
            found = np.array(sorted(self._place[key] for key in only if key in self._place), dtype=np.int32)
        for word in wanted:
            first, last = bisect_left(self.words, word), bisect_left(self.words, word + _LAST)
            these = self.positions[self.starts[first] : self.starts[last]]
            found = np.unique(these) if found is None else found[np.isin(found, these)]
        return np.array([], dtype=np.int32) if found is None else found

    def ordered(self, keys: Iterable[str]) -> list[str]:
        """``keys`` by student number; those who have none are left out."""
        return sorted((key for key in keys if key in self._place), key=self._place.__getitem__)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {key: place for place, key in enumerate(self.keys)}


def name_index(connection: Connection) -> NameIndex:
    """The index of the store as this transaction sees it, within :meth:`Store.reading`.

    Raises
    ------
    KeyProblem
        When a name or number does not open.
    """
    with _LOCK:
        held = _HELD.setdefault(connection.engine, _Held())
    return held.current(connection)


def prepare_search(store: Store) -> None:
    """Open the names that a search will need, so that nobody waits for it."""
    with store.reading() as connection:
        name_index(connection)


def named(
    connection: Connection, scope: Scope, text: str, student_key: ColumnElement[str]
) -> ColumnElement[bool]:
    """Whether the student's name and number have, for every word of ``text``, a word that begins with it.

    Never, unless ``scope.may_identify``.
    """
    keys = _named_keys(connection, scope, text)
    return among(connection, student_key, keys) if keys else false()


def first_named(connection: Connection, scope: Scope, text: str, reached: Select, limit: int) -> list[str]:
    """The first ``limit`` keys, by number, of those whom :func:`named` finds among ``reached``.

    Parameters
    ----------
    reached : Select
        Of keys of students alone.
    """
    return _first(connection, reached, _named_keys(connection, scope, text), limit)


def named_among(store: Store, scope: Scope, text: str, keys: Sequence[str]) -> list[str]:
    """Of some students those whom :func:`named` finds, by number.

    Parameters
    ----------
    keys : sequence of str
        Students that ``scope`` may see.
    """
    wanted = words_of(text)[:MAX_WORDS]
    if not scope.may_identify or not wanted:
        return []
    with store.reading() as connection:
        index = name_index(connection)
        return [index.keys[position] for position in index.matching(wanted, keys)]


def by_number(connection: Connection, wanted: Select, limit: int | None = None) -> list[str]:
    """Keys that a SELECT gives, in the order of student numbers; those who have none are left out.

    Parameters
    ----------
    wanted : Select
        Of keys of students alone.
    limit : int, optional
        Give the first so many.
    """
    index = name_index(connection)
    some = connection.scalars(wanted if limit is None else wanted.limit(FEW)).all()
    if limit is None or len(some) < FEW:
        return index.ordered(some)[:limit]
    return _first(connection, wanted, index.keys, limit)  # sorting all of them would take longer


def _named_keys(connection: Connection, scope: Scope, text: str) -> list[str]:
    wanted = words_of(text)[:MAX_WORDS]
    if not scope.may_identify or not wanted:
        return []
    index, own = name_index(connection), None
    if scope.own_students_only:
        own = connection.scalars(select(schema.students.c.student_key).where(*visible(scope)))
    return [index.keys[position] for position in index.matching(wanted, own)]


def _first(connection: Connection, wanted: Select, ordered: Sequence[str], limit: int) -> list[str]:
    """The first of ``ordered`` that ``wanted`` gives: a part at a time, as most often the first is enough."""
    (column,) = wanted.selected_columns
    found: list[str] = []
    start, size = 0, PART
    while start < len(ordered) and len(found) < limit:
        part = ordered[start : start + size]
        there = set(connection.scalars(wanted.where(among(connection, column, part))))
        found += [key for key in part if key in there]
        start, size = start + size, size * 8
        if found:  # as many as it takes where they lie as close together as so far, and a fifth more
            size = min(size, max(PART, (limit - len(found)) * start * 6 // (len(found) * 5)))
    return found[:limit]


class _Read(NamedTuple):
    """What was opened of a student: the hash of its ciphertexts, the number, the words."""

    mark: int
    number: str
    words: tuple[str, ...]


class _Held:
    """The index of one database, and what it was made of."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._state: tuple | None = None
        self._read: dict[str, _Read] = {}
        self._index = NameIndex.of([])

    def current(self, connection: Connection) -> NameIndex:
        """The index, renewed where identities may have changed."""
        with self._lock:
            state = _state(connection)
            if state != self._state:
                self._read = _opened(connection, self._read)
                people = ((key, one.number, one.words) for key, one in self._read.items())
                self._index, self._state = NameIndex.of(people), state
            return self._index


_LOCK = Lock()
_HELD: WeakKeyDictionary[Engine, _Held] = WeakKeyDictionary()


def _state(connection: Connection) -> tuple:
    """Changes with everything that can change an identity: an import, an undo, an erasure."""
    imports, erasures = schema.imports, schema.erasures
    asked = (
        select(func.count(imports.c.finished_at)).scalar_subquery(),
        select(func.max(imports.c.finished_at)).scalar_subquery(),
        select(func.max(imports.c.undone_at)).scalar_subquery(),
        select(func.count()).select_from(erasures).scalar_subquery(),
    )
    return tuple(connection.execute(select(*asked)).one())


def _opened(connection: Connection, before: dict[str, _Read]) -> dict[str, _Read]:
    """What the identities say; what has the ciphertexts of before is not opened again."""
    table, cipher = schema.identities, cipher_of(connection)
    rows = connection.execute(select(table.c.student_key, table.c.student_number, table.c.name)).all()
    read, shared = {}, {}
    for key, number, name in rows:
        mark, known = hash((number, name)), before.get(key)
        if known is None or known.mark != mark:
            (told,) = schema.STUDENT_NUMBER.opened(cipher, [key], [number])
            (called,) = schema.STUDENT_NAME.opened(cipher, [key], [name])
            words = (shared.setdefault(word, word) for word in words_of(f"{told} {called or ''}"))
            known = _Read(mark, str(told), tuple(words))
        read[key] = known
    return read
