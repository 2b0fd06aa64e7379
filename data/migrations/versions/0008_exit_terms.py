"""Exit terms that were derived from dates in August or after the odd term, by the rule of study time.

Until here a date in August, or in February, led to the term that begins; now it leads to the term that ended,
until the academic year starts. A stored exit term that says what the old rule says of its date is derived
again; any other was told by the register and stays. Where exits moved, the last import can no longer be
undone: its undo would bring back the old terms.
"""

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

DEFAULT_MONTH = 9  # the academic year starts on 1 September

OUTCOMES = sa.table(
    "outcomes",
    *(sa.column(name) for name in ("student_key", "exit_type")),
    sa.column("exit_date", sa.Date()),
    *(sa.column(name, sa.Integer()) for name in ("exit_term", "terms_to_exit")),
)
STUDENTS = sa.table(
    "students",
    *(sa.column(name) for name in ("student_key", "program_code", "entry_type")),
    sa.column("cohort_term", sa.Integer()),
)
FACTS = sa.table("store_facts", sa.column("name"), sa.column("value", sa.JSON()))
IMPORTS = sa.table("imports", sa.column("replaced"))
CUBE = sa.table(
    "flow_cube",
    *(sa.column(name) for name in ("program_code", "cohort_term", "entry_type", "state")),
    *(sa.column(name) for name in ("terms_to_exit", "students")),
)


def upgrade() -> None:
    derive_again(op.get_bind())


def derive_again(connection) -> None:
    """Give exits the term that ended before their date, where the stored term was derived from it."""
    closing = _closing_days(connection)
    moved = [] if closing == 0 else _moved(connection, timedelta(days=closing))
    if not moved:
        return
    change = sa.update(OUTCOMES).where(OUTCOMES.c.student_key == sa.bindparam("key"))
    change = change.values(exit_term=sa.bindparam("term"), terms_to_exit=sa.bindparam("count"))
    connection.execute(change, moved)
    connection.execute(sa.update(IMPORTS).values(replaced=None))
    _recount(connection)


def downgrade() -> None:
    """The terms stay: the older software reads them as told by the register."""


def _closing_days(connection) -> int:
    """Days from the end of the even term to the start of the academic year.

    A month that would cut through a term is no longer a setting: it is kept beside, and the default holds.
    """
    mine = FACTS.c.name == "report_settings"
    settings = connection.scalar(sa.select(FACTS.c.value).where(mine)) or {}
    month = settings.get("start_month", DEFAULT_MONTH)
    if not 8 <= month <= 12:
        kept = {name: value for name, value in settings.items() if name != "start_month"}
        connection.execute(sa.update(FACTS).where(mine).values(value=kept | {"start_month_before": month}))
        month = DEFAULT_MONTH
    return (date(2001, month, 1) - date(2001, 8, 1)).days


def _moved(connection, closing: timedelta) -> list[dict]:
    """Key, term and number of terms of every exit that belongs to another term than stored."""
    names = (OUTCOMES.c.student_key, OUTCOMES.c.exit_date, OUTCOMES.c.exit_term, STUDENTS.c.cohort_term)
    rows = connection.execute(
        sa.select(*names)
        .join_from(OUTCOMES, STUDENTS, STUDENTS.c.student_key == OUTCOMES.c.student_key)
        .where(OUTCOMES.c.exit_type.is_not(None), OUTCOMES.c.exit_date.is_not(None))
        .where(OUTCOMES.c.exit_term.is_not(None))
    )
    moved = []
    for key, day, stored, entry in rows:
        old, first = _place_of(day), _place(entry)
        new = max(_place_of(day - closing), first)
        if _place(stored) == old and new < old:
            moved.append({"key": key, "term": new // 2 * 10 + new % 2 + 1, "count": new - first + 1})
    return moved


def _place_of(day: date) -> int:
    """The regular term of a day, counted from year 0: August–January is odd, February–July even."""
    return 2 * day.year if day.month >= 8 else 2 * (day.year - 1) + (day.month > 1)


def _place(term: int) -> int:
    return 2 * (term // 10) + min(term % 10, 2) - 1


def _recount(connection) -> None:
    """The cube of the student flow, which counts by number of terms."""
    exited = OUTCOMES.c.exit_type.is_not(None)
    each = (
        sa.select(
            STUDENTS.c.program_code,
            STUDENTS.c.cohort_term,
            sa.func.coalesce(STUDENTS.c.entry_type, "").label("entry_type"),
            sa.func.coalesce(OUTCOMES.c.exit_type, "enrolled").label("state"),
            sa.func.coalesce(sa.case((exited, OUTCOMES.c.terms_to_exit)), -1).label("terms_to_exit"),
        )
        .select_from(STUDENTS.outerjoin(OUTCOMES, OUTCOMES.c.student_key == STUDENTS.c.student_key))
        .subquery()
    )
    connection.execute(sa.delete(CUBE))
    counted = sa.select(*each.c, sa.func.count()).group_by(*each.c)
    connection.execute(sa.insert(CUBE).from_select([column.name for column in CUBE.c], counted))
