"""Course attempts counted once, when they change: a page that counted them itself took half a minute.

The overview's card on courses read every attempt of every student at its first look. The counts stand in a
table of their own now; here they are made for what the store holds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

COLUMNS = ("program_code", "cohort_term", "course_code", "state", "terms")
COUNTS = ("attempts", "failed", "students", "failing")


def upgrade() -> None:
    op.create_table(
        "course_cube",
        sa.Column("program_code", sa.String(length=32), nullable=False),
        sa.Column("cohort_term", sa.Integer(), nullable=False),
        sa.Column("course_code", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("terms", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("failing", sa.Integer(), nullable=False),
        sa.Column("newest_name", sa.String(length=165), nullable=True),
        sa.PrimaryKeyConstraint(*COLUMNS, name=op.f("pk_course_cube")),
    )
    _count(op.get_bind())


def downgrade() -> None:
    op.drop_table("course_cube")


def _count(connection) -> None:
    taken = _table("course_attempts", "student_key", "course_code", "term_id", "result", "course_name")
    points = sa.column("grade_points", sa.Float())
    students = _table("students", "student_key", "program_code", "cohort_term")
    outcomes = _table("outcomes", "student_key", "exit_type", "terms_to_exit")
    facts = sa.table("store_facts", sa.column("name"), sa.column("value", sa.JSON()))
    rules = connection.scalar(sa.select(facts.c.value).where(facts.c.name == "grade_rules")) or {}
    short = sa.func.coalesce(points, -1.0) < rules.get("pass_points", 1.0) - 1e-9
    failed = sa.or_(taken.c.result == "failed", sa.and_(taken.c.result == "graded", short))
    decided = taken.c.result.in_(("graded", "passed", "failed"))
    named = sa.cast(taken.c.term_id, sa.String(5)) + sa.cast(taken.c.course_name, sa.String(160))
    each = (
        sa.select(
            taken.c.student_key,
            taken.c.course_code,
            sa.func.sum(sa.case((decided, 1), else_=0)).label("attempts"),
            sa.func.sum(sa.case((failed, 1), else_=0)).label("failed"),
            sa.func.max(named).label("newest_name"),
        )
        .group_by(taken.c.student_key, taken.c.course_code)
        .having(sa.func.sum(sa.case((decided, 1), else_=0)) > 0)
        .subquery()
    )
    left, graduated_after = outcomes.c.exit_type, sa.func.coalesce(outcomes.c.terms_to_exit, -1)
    groups = (
        students.c.program_code,
        students.c.cohort_term,
        each.c.course_code,
        sa.func.coalesce(left, "enrolled").label("state"),
        sa.case((left == "graduated", graduated_after), else_=-1).label("terms"),
    )
    joined = each.join(students, students.c.student_key == each.c.student_key)
    joined = joined.outerjoin(outcomes, outcomes.c.student_key == each.c.student_key)
    counted = sa.select(
        *groups,
        sa.cast(sa.func.sum(each.c.attempts), sa.Integer()),
        sa.cast(sa.func.sum(each.c.failed), sa.Integer()),
        sa.func.count(),
        sa.cast(sa.func.sum(sa.case((each.c.failed > 0, 1), else_=0)), sa.Integer()),
        sa.func.max(each.c.newest_name),
    )
    counted = counted.select_from(joined).group_by(*groups)
    names = [*COLUMNS, *COUNTS, "newest_name"]
    connection.execute(sa.insert(_table("course_cube", *names)).from_select(names, counted))


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns))
