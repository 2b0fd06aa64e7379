"""What a reviewer looked at as codes beside the text; the id of a descriptor is called so.

Until here chosen reasons stood at the head of the text, as in "[shape+slant] slow line", and the tables of
verification called the descriptor that made their vectors an encoder.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CODES = {"shape", "proportions", "slant", "joins", "line_quality", "pressure", "flourish", "image"}
PACKED = re.compile(r"\[([a-z_+]+)\] ?(.*)", re.DOTALL)
NOTED = sa.table(
    "reviews",
    sa.column("review_id", sa.Integer()),
    sa.column("reasons"),
    sa.column("reason_codes", sa.JSON()),
)
BY_DESCRIPTOR = (
    "signature_descriptors",
    "enrolments",
    "verification_calibrations",
    "verification_decisions",
    "duplicate_searches",
)
INDEX = "ix_signature_descriptors_{}"


def upgrade() -> None:
    _without_guard()
    op.add_column("reviews", sa.Column("reason_codes", sa.JSON(), server_default="[]", nullable=False))
    unpack(op.get_bind())
    _rename("encoder_id", "descriptor_id")


def unpack(connection) -> None:
    """Move the codes at the head of a text into their own column; any other bracket was typed and stays."""
    written = sa.select(NOTED.c.review_id, NOTED.c.reasons).where(NOTED.c.reasons.startswith("["))
    changed = []
    for number, text in connection.execute(written).all():
        packed = PACKED.fullmatch(text)
        codes = packed[1].split("+") if packed else []
        if packed and set(codes) <= CODES:
            changed.append({"number": number, "codes": codes, "text": packed[2]})
    if changed:
        change = sa.update(NOTED).where(NOTED.c.review_id == sa.bindparam("number"))
        connection.execute(
            change.values(reasons=sa.bindparam("text"), reason_codes=sa.bindparam("codes", type_=sa.JSON())),
            changed,
        )


def downgrade() -> None:
    _rename("descriptor_id", "encoder_id")
    _without_guard()
    connection = op.get_bind()
    noted = sa.select(NOTED.c.review_id, NOTED.c.reasons, NOTED.c.reason_codes)
    for number, text, codes in connection.execute(noted).all():
        if codes:
            packed = f"[{'+'.join(codes)}] {text}".strip()
            connection.execute(sa.update(NOTED).where(NOTED.c.review_id == number).values(reasons=packed))
    op.drop_column("reviews", "reason_codes")


def _without_guard() -> None:
    """The triggers are installed anew at the end."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("update", "delete"):
            op.execute(f"DROP TRIGGER IF EXISTS tr_reviews_no_{name}")
    else:
        op.execute("DROP TRIGGER IF EXISTS tr_reviews_guard ON reviews")


def _rename(old: str, new: str) -> None:
    for table in BY_DESCRIPTOR:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    op.drop_index(INDEX.format(old), table_name="signature_descriptors")
    op.create_index(INDEX.format(new), "signature_descriptors", [new, "specimen_id"])
