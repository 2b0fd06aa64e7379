"""A password that somebody else has set is good for one sign-in: its owner then chooses another."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("password_once", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("accounts", column)


def downgrade() -> None:
    op.drop_column("accounts", "password_once")
