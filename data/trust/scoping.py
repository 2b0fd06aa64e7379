"""The conditions that a scope puts on rows; every query on students joins them, none can forget half."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, false

from data import schema
from data.trust.scope import Scope


def visible(scope: Scope, table: FromClause = schema.students) -> list[ColumnElement[bool]]:
    """Conditions under which rows of single students may be read.

    Parameters
    ----------
    table : FromClause
        Has ``program_code`` and ``advisor``: ``students`` or ``risk_current``.
    """
    return aggregable(scope, table) if scope.may_see_students else [false()]


def aggregable(scope: Scope, table: FromClause = schema.students) -> list[ColumnElement[bool]]:
    """Conditions under which students may be counted; ``table`` as in :func:`visible`."""
    conditions = within_programs(scope, table)
    if scope.own_students_only:
        conditions.append(table.c.advisor == scope.account)
    return conditions


def within_programs(scope: Scope, table: FromClause) -> list[ColumnElement[bool]]:
    """The programmes alone, for rows that belong to no single student: cubes, reports, programmes.

    Parameters
    ----------
    table : FromClause
        Has ``program_code``.
    """
    if scope.program_codes is None:
        return []
    return [table.c.program_code.in_(scope.program_codes)]  # an empty tuple: no row
