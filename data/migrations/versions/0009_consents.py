"""Consents say yes, no, withdrawn or renewed, of which day, by which source and import."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PURPOSES = "purpose IS NULL OR purpose IN ('verification', 'outcome_model', 'research')"
DECISIONS = "decision IS NULL OR decision IN ('granted', 'refused', 'withdrawn', 'renewed')"
# Until now the newest row held, so a yes after a no was meant as a new one. Rows were written in the order of
# their times: one that was overtaken was never written.
FILLED = """
UPDATE consents SET decided_on = {day}, decision = CASE
  WHEN granted AND EXISTS (SELECT 1 FROM consents e WHERE e.student_key = consents.student_key
    AND e.purpose = consents.purpose AND e.consent_id < consents.consent_id AND NOT e.granted) THEN 'renewed'
  WHEN granted THEN 'granted'
  WHEN EXISTS (SELECT 1 FROM consents e WHERE e.student_key = consents.student_key
    AND e.purpose = consents.purpose AND e.consent_id < consents.consent_id AND e.granted) THEN 'withdrawn'
  ELSE 'refused' END
"""


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name in ("update", "delete") if sqlite else ():
        op.execute(f"DROP TRIGGER IF EXISTS tr_consents_no_{name}")  # they are installed anew at the end
    if not sqlite:
        op.execute("DROP TRIGGER IF EXISTS tr_consents_guard ON consents")
    op.add_column("consents", sa.Column("decision", sa.String(length=12), nullable=True))
    op.add_column("consents", sa.Column("decided_on", sa.Date(), nullable=True))
    op.add_column("consents", sa.Column("source", sa.String(length=200), nullable=True))
    op.add_column("consents", sa.Column("import_id", sa.String(length=32), nullable=True))
    op.execute(FILLED.format(day="date(recorded_at)" if sqlite else "recorded_at::date"))
    # SQLite rebuilds the table, and reflection sees neither its checks nor AUTOINCREMENT.
    checks = [sa.CheckConstraint(PURPOSES, name=op.f("ck_consents_purpose"))] if sqlite else []
    with op.batch_alter_table(
        "consents", table_args=tuple(checks), table_kwargs={"sqlite_autoincrement": True}
    ) as batch_op:
        batch_op.alter_column("decision", existing_type=sa.String(length=12), nullable=False)
        batch_op.alter_column("decided_on", existing_type=sa.Date(), nullable=False)
        batch_op.create_check_constraint(op.f("ck_consents_decision"), DECISIONS)
        batch_op.create_foreign_key(op.f("fk_consents_import_id"), "imports", ["import_id"], ["import_id"])


def downgrade() -> None:
    with op.batch_alter_table("consents", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_constraint(op.f("fk_consents_import_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("ck_consents_decision"), type_="check")
        for name in ("import_id", "source", "decided_on", "decision"):
            batch_op.drop_column(name)
