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
RANGES = {
    "gpa_term": "gpa_term IS NULL OR gpa_term BETWEEN 0 AND 4",
    "gpa_cum": "gpa_cum IS NULL OR gpa_cum BETWEEN 0 AND 4",
    "attendance_rate": "attendance_rate IS NULL OR attendance_rate BETWEEN 0 AND 1",
}


def upgrade() -> None:
    _allow("terms", "status", (*STATUSES, *MORE_STATUSES), RANGES)
    _allow("outcomes", "exit_type", (*EXITS, *MORE_EXITS), {})
    _widen(2, 16)


def downgrade() -> None:
    _allow("terms", "status", STATUSES, RANGES)
    _allow("outcomes", "exit_type", EXITS, {})
    _widen(16, 2)


def _allow(table: str, column: str, values: tuple[str, ...], others: dict[str, str]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    rule, name = f"{column} IS NULL OR {column} IN ({listed})", f"ck_{table}_{column}"
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, rule)
        return
    # SQLite rebuilds the table, and reflection sees none of its checks: the old one goes.
    checks = [sa.CheckConstraint(text, name=op.f(f"ck_{table}_{other}")) for other, text in others.items()]
    checks.append(sa.CheckConstraint(rule, name=op.f(name)))
    with op.batch_alter_table(table, table_args=checks, recreate="always"):
        pass


def _widen(before: int, after: int) -> None:
    with op.batch_alter_table("programs") as batch_op:
        batch_op.alter_column(
            "degree_level",
            existing_type=sa.String(length=before),
            type_=sa.String(length=after),
            existing_nullable=False,
        )
