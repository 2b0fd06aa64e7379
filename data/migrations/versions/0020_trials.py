"""Trials of whether help helps: a registered protocol, what became of it, and who was drawn."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS, ARMS = "'approved', 'drawn', 'stopped', 'read'", "'offered', 'usual'"


def upgrade() -> None:
    op.create_table(
        "trials",
        sa.Column("trial_id", sa.String(length=32), nullable=False),
        sa.Column("registered_at", sa.DateTime(), nullable=False),
        sa.Column("registered_by", sa.String(length=80), nullable=False),
        sa.Column("program_code", sa.String(length=32), nullable=True),
        sa.Column("protocol", sa.JSON(), nullable=False),
        sa.Column("protocol_sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("trial_id", name=op.f("pk_trials")),
    )
    op.create_index(op.f("ix_trials_program_code"), "trials", ["program_code"])
    op.create_table(
        "trial_seeds",
        sa.Column("trial_id", sa.String(length=32), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.trial_id"], name=op.f("fk_trial_seeds_trial_id")),
        sa.PrimaryKeyConstraint("trial_id", name=op.f("pk_trial_seeds")),
    )
    op.create_table(
        "trial_acts",
        sa.Column("act_id", ROW, autoincrement=True, nullable=False),
        sa.Column("trial_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.CheckConstraint(f"kind IS NULL OR kind IN ({KINDS})", name=op.f("ck_trial_acts_kind")),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.trial_id"], name=op.f("fk_trial_acts_trial_id")),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_trial_acts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_trial_acts_trial_id"), "trial_acts", ["trial_id"])
    op.create_table(
        "trial_students",
        sa.Column("trial_id", sa.String(length=32), nullable=False),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("draw", sa.Integer(), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("as_of_term", sa.Integer(), nullable=False),
        sa.Column("list_name", sa.String(length=80), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("arm", sa.String(length=8), nullable=False),
        sa.CheckConstraint(f"arm IS NULL OR arm IN ({ARMS})", name=op.f("ck_trial_students_arm")),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_trial_students_student_key")
        ),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.trial_id"], name=op.f("fk_trial_students_trial_id")),
        sa.PrimaryKeyConstraint("trial_id", "student_key", name=op.f("pk_trial_students")),
    )
    op.create_index(op.f("ix_trial_students_student_key"), "trial_students", ["student_key"])


def downgrade() -> None:
    for name in ("trial_students", "trial_acts", "trial_seeds", "trials"):
        op.drop_table(name)
