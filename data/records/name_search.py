"""Finding people by the beginnings of words of their name and number, by index and in every alphabet."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, delete, false, select

from data import schema
from data.engine.bulk import KEYS_PER_QUERY, insert_frame
from data.trust.scope import Scope

MAX_WORD = 80
MAX_WORDS = 6
_LAST = "\U0010ffff"  # sorts after every character


def words_of(text: str) -> list[str]:
    """The words of a text as they are stored and compared: casefolded, each once."""
    return list(dict.fromkeys(word[:MAX_WORD] for word in re.findall(r"\w+", text.casefold())))


def write_words(connection: Connection, identities: pd.DataFrame) -> None:
    """Store the words of these identities, in place of what was stored for the same students.

    Parameters
    ----------
    identities : DataFrame
        ``student_key, student_number``, and ``name`` where there is one.
    """
    forget_words(connection, list(identities["student_key"]))
    names = identities["name"] if "name" in identities else [None] * len(identities)
    rows = [
        (word, key)
        for key, number, name in zip(
            identities["student_key"], identities["student_number"], names, strict=True
        )
        for word in words_of(f"{number} {name if isinstance(name, str) else ''}")
    ]
    frame = pd.DataFrame(rows, columns=["word", "student_key"]).sort_values(["word", "student_key"])
    insert_frame(connection, schema.identity_words, frame)


def forget_words(connection: Connection, keys: Sequence[str]) -> None:
    """Delete the words of these students."""
    table = schema.identity_words
    for start in range(0, len(keys), KEYS_PER_QUERY):
        part = keys[start : start + KEYS_PER_QUERY]
        connection.execute(delete(table).where(table.c.student_key.in_(part)))


def named(scope: Scope, text: str, student_key: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the student's name and number have, for every word of ``text``, a word that begins with it.

    Never, unless ``scope.may_identify``.
    """
    wanted = words_of(text)[:MAX_WORDS]
    if not scope.may_identify or not wanted:
        return false()
    return and_(*(_has_word(scope, word, student_key) for word in wanted))


def _has_word(scope: Scope, word: str, student_key: ColumnElement[str]) -> ColumnElement[bool]:
    table = schema.identity_words.alias()
    begins = and_(table.c.word >= word, table.c.word < word + _LAST)
    if scope.own_students_only:  # few students: look at each one's words
        return select(table.c.word).where(table.c.student_key == student_key, begins).exists()
    return student_key.in_(select(table.c.student_key).where(begins))
