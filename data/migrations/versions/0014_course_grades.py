"""Course attempts say what their mark means: the mark as written, its result, the course's name and kind.

Until here an attempt was points alone, so that a pass without points, a mark that is still open and credits
taken over from elsewhere looked alike.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

RESULTS = "'graded', 'passed', 'failed', 'open', 'transferred', 'withdrawn'"


def upgrade() -> None:
    with op.batch_alter_table("course_attempts") as batch:
        batch.add_column(sa.Column("course_name", sa.String(length=160)))
        batch.add_column(sa.Column("grade", sa.String(length=16)))
        batch.add_column(sa.Column("result", sa.String(length=12), nullable=False, server_default="graded"))
        batch.add_column(sa.Column("compulsory", sa.String(length=8)))
        batch.create_check_constraint(
            op.f("ck_course_attempts_result"), f"result IS NULL OR result IN ({RESULTS})"
        )
        batch.create_check_constraint(
            op.f("ck_course_attempts_compulsory"),
            "compulsory IS NULL OR compulsory IN ('required', 'elective')",
        )
    # Points without a mark stay graded; an attempt without points never had a mark.
    op.execute("UPDATE course_attempts SET result = 'open' WHERE grade_points IS NULL")


def downgrade() -> None:
    with op.batch_alter_table("course_attempts") as batch:
        batch.drop_constraint(op.f("ck_course_attempts_compulsory"), type_="check")
        batch.drop_constraint(op.f("ck_course_attempts_result"), type_="check")
        for name in ("compulsory", "result", "grade", "course_name"):
            batch.drop_column(name)
