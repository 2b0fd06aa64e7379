"""An opinion on a signature may be taken back and given anew: the withdrawal is a row of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BEFORE, NOW = "'opinion', 'settlement'", "'opinion', 'withdrawal', 'settlement'"
KEY = "uq_reviews_decision_id_kind_reviewer"


def upgrade() -> None:
    _without_guard()
    with _reviews() as batch_op:
        batch_op.add_column(sa.Column("turn", sa.Integer(), server_default="1", nullable=False))
        _kinds(batch_op, NOW)
        batch_op.drop_constraint(op.f(KEY), type_="unique")
        batch_op.create_unique_constraint(op.f(f"{KEY}_turn"), ["decision_id", "kind", "reviewer", "turn"])


def downgrade() -> None:
    """The older software knows no withdrawal: what was taken back goes, with the row that says so."""
    _without_guard()
    columns = ("decision_id", "reviewer", "turn", "kind")
    table = sa.table("reviews", *(sa.column(name) for name in columns))
    other = table.alias()
    same = (other.c[name] == table.c[name] for name in columns[:3])
    taken_back = sa.exists().where(*same, other.c.kind == "withdrawal").correlate(table)
    connection = op.get_bind()
    connection.execute(sa.delete(table).where(table.c.kind == "opinion", taken_back))
    connection.execute(sa.delete(table).where(table.c.kind == "withdrawal"))
    with _reviews() as batch_op:
        batch_op.drop_constraint(op.f(f"{KEY}_turn"), type_="unique")
        batch_op.create_unique_constraint(op.f(KEY), ["decision_id", "kind", "reviewer"])
        _kinds(batch_op, BEFORE)
        batch_op.drop_column("turn")


def _reviews():
    return op.batch_alter_table("reviews", table_kwargs={"sqlite_autoincrement": True})


def _kinds(batch_op, listed: str) -> None:
    batch_op.drop_constraint(op.f("ck_reviews_kind"), type_="check")
    batch_op.create_check_constraint(op.f("ck_reviews_kind"), f"kind IS NULL OR kind IN ({listed})")


def _without_guard() -> None:
    """The triggers are installed anew at the end."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("update", "delete"):
            op.execute(f"DROP TRIGGER IF EXISTS tr_reviews_no_{name}")
    else:
        op.execute("DROP TRIGGER IF EXISTS tr_reviews_guard ON reviews")
