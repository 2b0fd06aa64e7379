"""Every level, status and kind of exit that PDDikti names."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATUSES = ("A", "C", "N", "G", "M")
EXITS = ("graduated", "transferred", "expelled", "resigned", "discontinued", "deceased")
MORE_STATUSES = ("U",)
MORE_EXITS = ("non_degree", "other")


def upgrade() -> None:
    _allow("terms", "status", (*STATUSES, *MORE_STATUSES))
    _allow("outcomes", "exit_type", (*EXITS, *MORE_EXITS))
    _widen(2, 16)


def downgrade() -> None:
    _allow("terms", "status", STATUSES)
    _allow("outcomes", "exit_type", EXITS)
    _widen(16, 2)


def _allow(table: str, column: str, values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    name = op.f(f"ck_{table}_{column}")
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(name, type_="check")
        batch_op.create_check_constraint(name, f"{column} IS NULL OR {column} IN ({listed})")


def _widen(before: int, after: int) -> None:
    with op.batch_alter_table("programs") as batch_op:
        batch_op.alter_column(
            "degree_level",
            existing_type=sa.String(length=before),
            type_=sa.String(length=after),
            existing_nullable=False,
        )
