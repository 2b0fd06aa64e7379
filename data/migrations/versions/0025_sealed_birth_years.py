"""Years of birth are sealed with the store's key; the history of students no longer holds them.

All in the one transaction of an upgrade. What an undo of the newest import needs goes to what is kept for it.
"""

import json

import pandas as pd
import sqlalchemy as sa
from alembic import op

from data.engine.sealed_numbers import open_numbers, seal_numbers

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ABOUT, YEAR, BEFORE = "students.birth_year", "birth_year", "birth_year_before"
ROWS = 5_000  # read at a time
STUDENTS = sa.table(
    "students",
    sa.column("student_key", sa.String()),
    sa.column(YEAR),
    sa.column(BEFORE),
)
IMPORTS = sa.table("imports", sa.column("import_id"), sa.column("replaced", sa.LargeBinary()))
HISTORY = sa.table(
    "row_history",
    sa.column("history_id", sa.Integer()),
    sa.column("table_name"),
    sa.column("student_key"),
    sa.column("payload", sa.JSON()),
    sa.column("replaced_by"),
)


def upgrade() -> None:
    op.execute(f"ALTER TABLE students RENAME COLUMN {YEAR} TO {BEFORE}")
    op.add_column("students", sa.Column(YEAR, sa.LargeBinary()))
    _each(lambda keys, years: seal_numbers(_cipher(), ABOUT, keys, pd.Series(years)))
    op.drop_column("students", BEFORE)
    _without_guard()
    if _out_of_the_history():
        _rewrite("row_history", "row_key", 80)
    _rewrite("students", "sex", 1)


def downgrade() -> None:
    """The older software reads plain numbers. It cannot undo the newest import, whose history lacks them."""
    op.execute(f"ALTER TABLE students RENAME COLUMN {YEAR} TO {BEFORE}")
    op.add_column("students", sa.Column(YEAR, sa.Integer()))
    _each(lambda keys, sealed: [int(one) for one in open_numbers(_cipher(), ABOUT, keys, sealed)])
    op.drop_column("students", BEFORE)
    op.get_bind().execute(sa.update(IMPORTS).values(replaced=None))


def _each(changed) -> None:
    """Fill the new column from the one of before, some students at a time."""
    connection, key, last = op.get_bind(), STUDENTS.c.student_key, ""
    there = sa.select(key, STUDENTS.c[BEFORE]).where(STUDENTS.c[BEFORE].is_not(None)).order_by(key)
    change = sa.update(STUDENTS).where(key == sa.bindparam("key")).values({YEAR: sa.bindparam("new")})
    while rows := connection.execute(there.where(key > last).limit(ROWS)).all():
        keys = [row[0] for row in rows]
        new = changed(keys, [row[1] for row in rows])
        connection.execute(change, [{"key": one, "new": made} for one, made in zip(keys, new, strict=True)])
        last = keys[-1]


def _out_of_the_history() -> bool:
    """Take the years out of what changed rows said before. Returns whether there were any."""
    connection, last, found = op.get_bind(), 0, False
    undone = connection.execute(sa.select(IMPORTS).where(IMPORTS.c.replaced.is_not(None))).one_or_none()
    years: dict[str, int | None] = {}
    number = HISTORY.c.history_id
    theirs = sa.select(HISTORY).where(HISTORY.c.table_name == "students").order_by(number)
    change = sa.update(HISTORY).where(number == sa.bindparam("number"))
    change = change.values(payload=sa.bindparam("said", type_=sa.JSON()))
    while rows := connection.execute(theirs.where(number > last).limit(ROWS)).mappings().all():
        last, fresh = rows[-1]["history_id"], []
        for row in rows:
            if YEAR not in row["payload"]:
                continue
            said = {name: value for name, value in row["payload"].items() if name != YEAR}
            fresh.append({"number": row["history_id"], "said": said})
            if undone is not None and row["replaced_by"] == undone.import_id:
                years[row["student_key"]] = row["payload"][YEAR]
        if fresh:
            connection.execute(change, fresh)
            found = True
    if undone is not None and years:
        name = f"import:{undone.import_id}"
        kept = json.loads(_cipher().decrypt(bytes(undone.replaced), name)) | {"birth_years": years}
        mine = IMPORTS.c.import_id == undone.import_id
        sealed = _cipher().encrypt(json.dumps(kept).encode(), name)
        connection.execute(sa.update(IMPORTS).where(mine).values(replaced=sealed))
    return found


def _rewrite(table: str, column: str, length: int) -> None:
    """Have PostgreSQL write the table's file anew: no row of before stays in it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({length}) USING {column} || ''")


def _cipher():
    config = op.get_context().config
    seal = None if config is None else config.attributes.get("seal")
    if seal is None:
        raise RuntimeError("years of birth can only be sealed or opened with the store's key")
    return seal.cipher


def _without_guard() -> None:
    """The triggers are installed anew at the end."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER IF EXISTS tr_row_history_no_update")
    else:
        op.execute("DROP TRIGGER IF EXISTS tr_row_history_guard ON row_history")
