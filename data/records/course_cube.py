"""Decided attempts at courses, counted by programme, entry cohort, course and what became of the student."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Integer, Select, String, and_, case, cast, func, or_, select

from data import schema
from data.records.course_results import GradeRules

DECIDED = ("graded", "passed", "failed")  # neither taken over from elsewhere, nor open, nor withdrawn
STAYED, GRADUATED = "enrolled", "graduated"
TERM_DIGITS = 5  # of a term_id, before the name in ``newest_name``


def course_rows(which: list[ColumnElement[bool]], rules: GradeRules) -> Select:
    """How often some students took and failed each course: a SELECT of the rows of ``course_cube``.

    Parameters
    ----------
    which : list of conditions
        On ``students``; none means everybody.
    rules : GradeRules
        What passes.
    """
    taken, students, outcomes = schema.course_attempts, schema.students, schema.outcomes
    short = func.coalesce(taken.c.grade_points, -1.0) < rules.pass_points - 1e-9
    failed = or_(taken.c.result == "failed", and_(taken.c.result == "graded", short))
    decided = taken.c.result.in_(DECIDED)
    theirs = [taken.c.student_key.in_(select(students.c.student_key).where(*which))] if which else []
    each = (  # by the order of the key of attempts, so that nothing need be sorted
        select(
            taken.c.student_key,
            taken.c.course_code,
            func.sum(case((decided, 1), else_=0)).label("attempts"),
            func.sum(case((failed, 1), else_=0)).label("failed"),
            func.max(cast(taken.c.term_id, String(TERM_DIGITS)) + taken.c.course_name).label("newest_name"),
        )
        .where(*theirs)
        .group_by(taken.c.student_key, taken.c.course_code)
        .having(func.sum(case((decided, 1), else_=0)) > 0)
        .subquery()
    )
    left = outcomes.c.exit_type
    groups = (
        students.c.program_code,
        students.c.cohort_term,
        each.c.course_code,
        func.coalesce(left, STAYED).label("state"),
        case((left == GRADUATED, func.coalesce(outcomes.c.terms_to_exit, -1)), else_=-1).label("terms"),
    )
    joined = each.join(students, students.c.student_key == each.c.student_key)
    joined = joined.outerjoin(outcomes, outcomes.c.student_key == each.c.student_key)
    return (
        select(
            *groups,
            total(each.c.attempts).label("attempts"),
            total(each.c.failed).label("failed"),
            func.count().label("students"),
            total(case((each.c.failed > 0, 1), else_=0)).label("failing"),
            func.max(each.c.newest_name).label("newest_name"),
        )
        .select_from(joined)
        .group_by(*groups)
    )


def total(column: ColumnElement) -> ColumnElement[int]:
    """The sum of counts, as a whole number on any database."""
    return cast(func.sum(column), Integer)
