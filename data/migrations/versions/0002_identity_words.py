"""Words of names and numbers, so that a search reads an index."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = op.create_table(
        "identity_words",
        sa.Column(
            "word",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_identity_words_student_key")
        ),
        sa.PrimaryKeyConstraint("word", "student_key", name=op.f("pk_identity_words")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_identity_words_student_key"), "identity_words", ["student_key"])
    _fill(op.get_bind(), words)


def downgrade() -> None:
    op.drop_table("identity_words")


def _fill(connection: sa.Connection, words: sa.Table) -> None:
    """Words of the identities that are stored already."""
    identities = sa.table(
        "identities", *(sa.column(name) for name in ("student_key", "student_number", "name"))
    )
    rows = [
        {"word": word, "student_key": key}
        for key, number, name in connection.execute(sa.select(identities)).all()
        for word in {found[:80] for found in re.findall(r"\w+", f"{number} {name or ''}".casefold())}
    ]
    for start in range(0, len(rows), 10_000):
        connection.execute(words.insert(), rows[start : start + 10_000])
