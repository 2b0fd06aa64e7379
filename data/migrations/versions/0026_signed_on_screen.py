"""Specimens say what they were signed on, and those signed on a screen keep their strokes, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A column with its own check: SQLite takes it without writing a table anew that others refer to.
    op.execute(
        "ALTER TABLE signature_specimens ADD COLUMN medium VARCHAR(8) DEFAULT 'paper' NOT NULL "
        "CONSTRAINT ck_signature_specimens_medium CHECK (medium IS NULL OR medium IN ('paper', 'screen'))"
    )
    op.create_table(
        "specimen_strokes",
        sa.Column("specimen_id", sa.String(length=32), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["specimen_id"],
            ["signature_specimens.specimen_id"],
            name=op.f("fk_specimen_strokes_specimen_id"),
        ),
        sa.PrimaryKeyConstraint("specimen_id", name=op.f("pk_specimen_strokes")),
    )


def downgrade() -> None:
    """The older software would take what was drawn on a screen for a scan: it must not find any."""
    drawn = sa.text("SELECT count(*) FROM signature_specimens WHERE medium = 'screen'")
    if op.get_bind().scalar(drawn):
        raise RuntimeError("specimens signed on a screen must be erased before the older software is used")
    op.drop_table("specimen_strokes")
    op.execute("ALTER TABLE signature_specimens DROP COLUMN medium")
