"""Which figures of a report left the institution, and which were hidden: later files are judged with them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_disclosures",
        sa.Column("disclosure", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("profile", sa.String(64), nullable=False),
        sa.Column("program_code", sa.String(32), nullable=False),
        sa.Column("ts_year", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("hidden", sa.JSON(), nullable=False),
        sa.Column("first_made_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("disclosure"),
        sa.UniqueConstraint("content_sha256"),
    )
    op.create_index("ix_report_disclosures_program_code", "report_disclosures", ["program_code"])


def downgrade() -> None:
    op.drop_table("report_disclosures")
