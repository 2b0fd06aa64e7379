"""A register part by part: students whose keys follow one another, so that memory does not grow with it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import ColumnElement, func, select

from data import schema
from data.engine.database import Store

PART = 50_000
"""Students of whom a pipeline holds every row at a time."""


@dataclass(frozen=True)
class Span:
    """Students whose keys follow one another, as the database orders keys.

    Parameters
    ----------
    first : str or None
        The first key; None: from the beginning.
    end : str or None
        The key before which it ends; None: to the end.
    """

    first: str | None = None
    end: str | None = None

    def holds(self, key: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """The conditions that a key lies in the span."""
        conditions = []
        if self.first is not None:
            conditions.append(key >= self.first)
        if self.end is not None:
            conditions.append(key < self.end)
        return conditions


EVERYBODY = Span()


def spans(store: Store, most: int = PART) -> list[Span]:
    """The register's students in spans of at most ``most``, in the order of their keys; one where none is."""
    key = schema.students.c.student_key
    placed = select(key, func.row_number().over(order_by=key).label("place")).subquery()
    firsts = select(placed.c.student_key).where(placed.c.place % most == 1 % most).order_by(placed.c.place)
    with store.reading() as connection:
        edges = [None, *connection.scalars(firsts).all()[1:], None]
    return [Span(first, end) for first, end in pairwise(edges)]
