"""Append-only tables refuse REPLACE from every program, and the sealed secrets of trials are append-only too.

No table changes. The triggers are made anew after every upgrade (``data/migrations/env.py``); this revision
makes stores of before go through one.
"""

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The triggers follow."""


def downgrade() -> None:
    """The triggers stay: they refuse nothing that earlier versions do."""
