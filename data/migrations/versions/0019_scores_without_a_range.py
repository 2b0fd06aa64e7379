"""A score may have no range: where no past students can be counted there is none to tell.

Until here a range was drawn on beyond the outermost past students. Scores are never rewritten, so those of
older models keep what they were given; a model that is trained again makes its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ENDS = ("risk_low", "risk_high")


def upgrade() -> None:
    _without_guard()
    for table in ("scores", "risk_current"):
        _ends(table, nullable=True)


def downgrade() -> None:
    """The older software needs two ends: where there was no range it is told the widest."""
    connection = op.get_bind()
    _without_guard()
    for table in ("scores", "risk_current"):
        for column, end in zip(ENDS, (0.0, 1.0), strict=True):
            place = sa.table(table, sa.column(column))
            empty = place.c[column].is_(None)
            connection.execute(sa.update(place).where(empty).values({column: end}))
        _ends(table, nullable=False)


def _ends(table: str, *, nullable: bool) -> None:
    options = {"sqlite_autoincrement": True} if table == "scores" else {}
    with op.batch_alter_table(table, table_kwargs=options) as batch_op:
        for column in ENDS:
            batch_op.alter_column(
                column, existing_type=sa.Float(), nullable=nullable, existing_nullable=not nullable
            )


def _without_guard() -> None:
    """Scores refuse changes, and triggers of explanations look into them; the end installs all anew."""
    for table in ("scores", "explanations"):
        if op.get_bind().dialect.name == "sqlite":
            for name in ("update", "delete"):
                op.execute(f"DROP TRIGGER IF EXISTS tr_{table}_no_{name}")
        else:
            op.execute(f"DROP TRIGGER IF EXISTS tr_{table}_guard ON {table}")
