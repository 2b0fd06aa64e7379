"""An index for the newest specimens first."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("signature_specimens", schema=None) as batch_op:
        batch_op.create_index(
            "ix_signature_specimens_captured_on", ["captured_on", "specimen_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("signature_specimens", schema=None) as batch_op:
        batch_op.drop_index("ix_signature_specimens_captured_on")
