"""What people wrote about students is sealed with the store's key: notes on a case, reasons of opinions.

All in the one transaction of an upgrade: cut off, the store is as it was, and the next start begins again.
"""

import sqlalchemy as sa
from alembic import op

from data.engine.sealed_texts import opened, seal

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

OPEN_PARTS = ("due_on", "owner", "stays", "reached", "event", "by", "batch")
NUMBERED = {"case_events": "event_id", "reviews": "review_id", "duplicate_reviews": "review_id"}
REWRITTEN = {"case_events": "actor", "reviews": "reviewer", "duplicate_reviews": "reviewer"}
ROWS = 2_000  # read at a time


def upgrade() -> None:
    _without_guards()
    for name in NUMBERED:
        op.add_column(name, sa.Column("sealed", sa.LargeBinary()))
        _each(name, _seal)
    for name in ("reviews", "duplicate_reviews"):
        op.drop_column(name, "reasons")
    if op.get_bind().dialect.name == "postgresql":
        for (
            name,
            column,
        ) in REWRITTEN.items():  # the table's file is written anew: no row of before stays in it
            op.execute(f"ALTER TABLE {name} ALTER COLUMN {column} TYPE varchar(80) USING {column} || ''")


def downgrade() -> None:
    """The older software reads plain text: it is opened again, with the store's key."""
    _without_guards()
    for name in ("reviews", "duplicate_reviews"):
        op.add_column(name, sa.Column("reasons", sa.Text(), server_default="", nullable=False))
    for name in NUMBERED:
        _each(name, _open)
        op.drop_column(name, "sealed")


def _each(name: str, changed) -> None:
    """Change every row of a table: ``changed`` gives its new columns, or None where it stays."""
    connection, table = op.get_bind(), _table(name)
    text, number = _text_of(name), table.c[NUMBERED[name]]
    parts = {
        one.name: sa.bindparam(f"new_{one.name}", type_=one.type) for one in (table.c[text], table.c.sealed)
    }
    change = sa.update(table).where(number == sa.bindparam("number")).values(parts)
    last = 0
    while True:
        page = sa.select(number, table.c[text], table.c.sealed).where(number > last).order_by(number)
        rows = connection.execute(page.limit(ROWS)).all()
        if not rows:
            return
        made = [(row[0], changed(name, *row)) for row in rows]
        fresh = [{"number": one, f"new_{text}": new[0], "new_sealed": new[1]} for one, new in made if new]
        if fresh:
            connection.execute(change, fresh)
        last = rows[-1][0]


def _seal(name: str, number: int, text, _sealed) -> tuple | None:
    if name != "case_events":
        return ("", seal(_cipher(), name, number, {"reasons": text})) if text else None
    told = {part: value for part, value in (text or {}).items() if part not in OPEN_PARTS}
    if not told:
        return None
    asked = {part: value for part, value in text.items() if part in OPEN_PARTS}
    return asked, seal(_cipher(), name, number, told)


def _open(name: str, number: int, text, sealed) -> tuple | None:
    if sealed is None:
        return None
    told = opened(_cipher(), name, number, sealed)
    return (told["reasons"] if name != "case_events" else {**text, **told}), None


def _cipher():
    config = op.get_context().config
    seal = None if config is None else config.attributes.get("seal")
    if seal is None:
        raise RuntimeError(
            "what was written about students can only be sealed or opened with the store's key"
        )
    return seal.cipher


def _table(name: str) -> sa.TableClause:
    kind = sa.JSON() if name == "case_events" else sa.Text()
    columns = (sa.column(NUMBERED[name], sa.Integer()), sa.column(_text_of(name), kind))
    return sa.table(name, *columns, sa.column("sealed", sa.LargeBinary()))


def _text_of(name: str) -> str:
    return "detail" if name == "case_events" else "reasons"


def _without_guards() -> None:
    """The triggers are installed anew at the end."""
    for name in NUMBERED:
        if op.get_bind().dialect.name == "sqlite":
            for act in ("update", "delete", "replace"):
                op.execute(f"DROP TRIGGER IF EXISTS tr_{name}_no_{act}")
        else:
            op.execute(f"DROP TRIGGER IF EXISTS tr_{name}_guard ON {name}")
