"""An erasure may reach who a student was, and nothing else; every signature of a real store has a date."""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KINDS = ("signatures", "outcome_model", "student")
YEARS = 10  # the proposal's limit; the first run of the rule sets each date anew
SPECIMENS = sa.table(
    "signature_specimens",
    sa.column("specimen_id"),
    sa.column("captured_on", sa.Date),
    sa.column("retention_until", sa.Date),
)
FACTS = sa.table("store_facts", sa.column("name"), sa.column("value", sa.JSON))


def upgrade() -> None:
    _allow((*KINDS, "identity"))
    date_signatures(op.get_bind())


def downgrade() -> None:
    """The database refuses when somebody's identity was erased by itself: no older version knows that."""
    _allow(KINDS)


def date_signatures(connection) -> None:
    """Give a date to the signatures of a real store that have none."""
    if connection.scalar(sa.select(FACTS.c.value).where(FACTS.c.name == "synthetic")):
        return
    without = sa.select(SPECIMENS.c.captured_on).where(SPECIMENS.c.retention_until.is_(None)).distinct()
    for captured in connection.scalars(without).all():
        change = sa.update(SPECIMENS).where(
            SPECIMENS.c.captured_on == captured, SPECIMENS.c.retention_until.is_(None)
        )
        connection.execute(change.values(retention_until=_later(captured)))


def _later(day: date) -> date:
    leap = day.month == 2 and day.day == 29
    return day.replace(year=day.year + YEARS, day=28 if leap else day.day)


def _allow(kinds: tuple[str, ...]) -> None:
    listed, name = ", ".join(f"'{kind}'" for kind in kinds), op.f("ck_erasures_kind")
    if op.get_bind().dialect.name == "sqlite":  # their conditions name the table; installed anew at the end
        triggers = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for trigger in op.get_bind().scalars(triggers).all():
            op.execute(f"DROP TRIGGER {trigger}")
    with op.batch_alter_table("erasures") as batch_op:
        batch_op.drop_constraint(name, type_="check")
        batch_op.create_check_constraint(name, f"kind IS NULL OR kind IN ({listed})")
