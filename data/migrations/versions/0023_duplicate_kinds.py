"""Duplicates of two more kinds: single specimens of another's hand, and one hand under another name."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BEFORE = "'same_image', 'same_hand'"
NOW = f"{BEFORE}, 'foreign_specimen', 'other_name'"


def upgrade() -> None:
    _kinds(NOW)


def downgrade() -> None:
    """The older software knows two kinds; findings are made anew by every search."""
    table = sa.table("duplicate_findings", sa.column("kind"))
    op.execute(sa.delete(table).where(table.c.kind.in_(("foreign_specimen", "other_name"))))
    _kinds(BEFORE)


def _kinds(listed: str) -> None:
    with op.batch_alter_table("duplicate_findings", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_constraint(op.f("ck_duplicate_findings_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_duplicate_findings_kind"), f"kind IS NULL OR kind IN ({listed})"
        )
