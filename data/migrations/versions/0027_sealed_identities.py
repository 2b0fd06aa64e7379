"""Names and student numbers are sealed with the store's key; the words they were searched by go.

All in the one transaction of an upgrade: cut off, the store is as it was, and the next start begins again.
"""

import re

import pandas as pd
import sqlalchemy as sa
from alembic import op

from data.engine.sealed_names import open_names, seal_names

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

NUMBER, NAME, BEFORE = "identities.student_number", "identities.name", "identities_before"
ROWS = 5_000  # read at a time


def upgrade() -> None:
    op.drop_table("identity_words")
    _set_aside(unique="student_number")
    op.create_table(
        "identities",
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("student_number", sa.LargeBinary(), nullable=False),
        sa.Column("number_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.LargeBinary()),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_identities_student_key")
        ),
        sa.PrimaryKeyConstraint("student_key", name=op.f("pk_identities")),
        sa.UniqueConstraint("number_hash", name=op.f("uq_identities_number_hash")),
    )
    sealed = _table("identities", "number_hash")
    for keys, numbers, names in _pages():
        cipher = _cipher()
        made = zip(
            keys,
            seal_names(cipher, NUMBER, keys, pd.Series(numbers)),
            map(cipher.number_hash, numbers),
            seal_names(cipher, NAME, keys, pd.Series(names, dtype=object)),
            strict=True,
        )
        parts = ("student_key", "student_number", "number_hash", "name")
        op.get_bind().execute(sa.insert(sealed), [dict(zip(parts, row, strict=True)) for row in made])
    op.drop_table(BEFORE)


def downgrade() -> None:
    """The older software reads plain text and searches a table of words: both are made again."""
    _set_aside(unique="number_hash")
    op.create_table(
        "identities",
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("student_number", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200)),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_identities_student_key")
        ),
        sa.PrimaryKeyConstraint("student_key", name=op.f("pk_identities")),
        sa.UniqueConstraint("student_number", name=op.f("uq_identities_student_number")),
    )
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
    plain = _table("identities")
    for keys, numbers, names in _pages():
        told = open_names(_cipher(), NUMBER, keys, numbers), open_names(_cipher(), NAME, keys, names)
        rows = [
            {"student_key": key, "student_number": number, "name": name}
            for key, number, name in zip(keys, *told, strict=True)
        ]
        op.get_bind().execute(sa.insert(plain), rows)
        found = [{"student_key": row["student_key"], "word": word} for row in rows for word in _words(row)]
        if found:
            op.get_bind().execute(sa.insert(words), found)
    op.drop_table(BEFORE)


def _set_aside(unique: str) -> None:
    """Give the present table another name; on PostgreSQL its keys too, whose names are the schema's."""
    op.rename_table("identities", BEFORE)
    if op.get_bind().dialect.name == "postgresql":
        for name in ("pk_identities", f"uq_identities_{unique}"):
            op.execute(f"ALTER TABLE {BEFORE} RENAME CONSTRAINT {name} TO {name}_before")


def _pages():
    """Keys, numbers and names of the table set aside, some students at a time."""
    connection, table, last = op.get_bind(), _table(BEFORE), ""
    there = sa.select(table).order_by(table.c.student_key).limit(ROWS)
    while rows := connection.execute(there.where(table.c.student_key > last)).all():
        yield tuple(map(list, zip(*rows, strict=True)))
        last = rows[-1][0]


def _table(name: str, *also: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, ("student_key", "student_number", "name", *also)))


def _words(row: dict) -> set[str]:
    told = f"{row['student_number']} {row['name'] or ''}"
    return {word[:80] for word in re.findall(r"\w+", told.casefold())}


def _cipher():
    config = op.get_context().config
    seal = None if config is None else config.attributes.get("seal")
    if seal is None:
        raise RuntimeError("names and student numbers can only be sealed or opened with the store's key")
    return seal.cipher
