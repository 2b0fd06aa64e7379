"""Which courses of a programme hold students up: attempts, failures, who was delayed.

All figures are associations: a course that the delayed failed more often need not have delayed them.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, false, func, or_, select

from data import schema
from data.calendar.setting import study_calendar
from data.records.course_cube import GRADUATED, STAYED, total
from data.scores.standing import register_day

BOTTLENECK_RATE = 0.2  # share of the decided attempts that failed
LEAST_ATTEMPTS = 20  # decided attempts below which a share says little
COUNTS = (
    *("attempts", "failed", "students", "failing", "delayed", "delayed_failing"),
    *("on_time", "on_time_failing"),
)


def counts_by_course(connection: Connection, cube: FromClause, which: list[ColumnElement[bool]]) -> Select:
    """A SELECT of ``program_code, course_code, newest_name`` and :data:`COUNTS`.

    Students are delayed when they graduated after the normal time of their programme, or are still here and
    it is over; on time when they graduated within it. So a change of the normal time counts at once.

    Parameters
    ----------
    cube : FromClause
        ``course_cube``, or a subquery of :func:`data.records.course_cube.course_rows`.
    which : list of conditions
        On ``cube``.
    """
    programs = schema.programs
    within = cube.c.terms.between(0, programs.c.normal_terms)
    on_time = and_(cube.c.state == GRADUATED, within)
    later = and_(cube.c.state == GRADUATED, cube.c.terms > programs.c.normal_terms)
    delayed = or_(later, and_(cube.c.state == STAYED, _over(connection, cube)))
    sums = {
        **{name: cube.c[name] for name in ("attempts", "failed", "students", "failing")},
        "delayed": case((delayed, cube.c.students), else_=0),
        "delayed_failing": case((delayed, cube.c.failing), else_=0),
        "on_time": case((on_time, cube.c.students), else_=0),
        "on_time_failing": case((on_time, cube.c.failing), else_=0),
    }
    groups = (cube.c.program_code, cube.c.course_code)
    return (
        select(
            *groups,
            func.max(cube.c.newest_name).label("newest_name"),
            *(total(sums[name]).label(name) for name in COUNTS),
        )
        .select_from(cube.join(programs, programs.c.program_code == cube.c.program_code))
        .where(*which)
        .group_by(*groups)
        .order_by(*groups)
    )


def _over(connection: Connection, cube: FromClause) -> ColumnElement[bool]:
    """Whether the normal time of a cohort was over on the day that the register tells of."""
    day, programs = register_day(connection), schema.programs
    if day is None:
        return false()
    calendar, entries = study_calendar(connection), schema.students.c.cohort_term
    cohorts = list(connection.scalars(select(entries).distinct()))
    lengths = connection.scalars(select(programs.c.normal_terms).distinct())
    due = {
        terms: [cohort for cohort in cohorts if calendar.deadline(cohort, terms) <= day] for terms in lengths
    }
    over = (and_(programs.c.normal_terms == n, cube.c.cohort_term.in_(some)) for n, some in due.items())
    return or_(false(), *over)
