"""Descriptors for verification, apart from the embeddings of the outcome model."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signature_descriptors",
        sa.Column("specimen_id", sa.String(length=32), nullable=False),
        sa.Column("encoder_id", sa.String(length=120), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["specimen_id"],
            ["signature_specimens.specimen_id"],
            name=op.f("fk_signature_descriptors_specimen_id"),
        ),
        sa.PrimaryKeyConstraint("specimen_id", "encoder_id", name=op.f("pk_signature_descriptors")),
    )
    with op.batch_alter_table("signature_descriptors", schema=None) as batch_op:
        batch_op.create_index(
            "ix_signature_descriptors_encoder_id", ["encoder_id", "specimen_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("signature_descriptors", schema=None) as batch_op:
        batch_op.drop_index("ix_signature_descriptors_encoder_id")

    op.drop_table("signature_descriptors")
