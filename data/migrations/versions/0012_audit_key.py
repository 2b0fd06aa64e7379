"""The audit log is chained with the store's key from here on; one entry seals what was written without it."""

import sqlalchemy as sa
from alembic import op

from data.trust.audit import seal_earlier

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if not connection.scalar(sa.text("SELECT count(*) FROM audit_log")):
        return
    config = op.get_context().config
    seal = None if config is None else config.attributes.get("seal")
    if seal is None:
        raise RuntimeError("the store's audit log can only be upgraded with the store's key")
    seal_earlier(connection, seal)


def downgrade() -> None:
    """Nothing is taken back: the log is append-only. Earlier versions call the seal an alteration."""
