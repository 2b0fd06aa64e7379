"""Tokens of the JSON service, what it predicted, and accounts of the institution's own sign-in."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "external_identities",
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("bound_at", sa.DateTime(), nullable=False),
        sa.Column("lost_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_external_identities")),
        sa.UniqueConstraint("subject", name=op.f("uq_external_identities_subject")),
    )
    op.create_table(
        "provider_answers",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_provider_answers")),
    )
    op.create_index(op.f("ix_provider_answers_at"), "provider_answers", ["at"])
    op.create_table(
        "api_tokens",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("program_codes", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=80), nullable=True),
        sa.Column("last_used_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_table(
        "signature_predictions",
        sa.Column("prediction_id", sa.String(length=32), nullable=False),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("recipe", sa.String(length=32), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("image_sha256", sa.String(length=64), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.CheckConstraint("share BETWEEN 0 AND 1", name=op.f("ck_signature_predictions_share")),
        sa.ForeignKeyConstraint(
            ["student_key"],
            ["students.student_key"],
            name=op.f("fk_signature_predictions_student_key"),
        ),
        sa.PrimaryKeyConstraint("prediction_id", name=op.f("pk_signature_predictions")),
    )
    op.create_index(op.f("ix_signature_predictions_student_key"), "signature_predictions", ["student_key"])
    op.create_table(
        "prediction_images",
        sa.Column("prediction_id", sa.String(length=32), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("retention_until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prediction_id"],
            ["signature_predictions.prediction_id"],
            name=op.f("fk_prediction_images_prediction_id"),
        ),
        sa.PrimaryKeyConstraint("prediction_id", name=op.f("pk_prediction_images")),
    )
    op.create_index(op.f("ix_prediction_images_retention_until"), "prediction_images", ["retention_until"])


def downgrade() -> None:
    op.drop_table("prediction_images")
    op.drop_table("signature_predictions")
    op.drop_table("api_tokens")
    op.drop_table("provider_answers")
    op.drop_table("external_identities")
