"""Enrolments, verification decisions, reviews, duplicates; findings where a filter can look them up."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duplicate_searches",
        sa.Column(
            "search_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("encoder_id", sa.String(length=120), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("search_id", name=op.f("pk_duplicate_searches")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "verification_calibrations",
        sa.Column(
            "calibration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("encoder_id", sa.String(length=120), nullable=False),
        sa.Column("descriptor_sha256", sa.String(length=64), nullable=False),
        sa.Column("classifier_version", sa.String(length=40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("calibration_id", name=op.f("pk_verification_calibrations")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "duplicate_findings",
        sa.Column(
            "finding_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("search_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("first_student", sa.String(length=32), nullable=False),
        sa.Column("second_student", sa.String(length=32), nullable=False),
        sa.Column("first_specimen", sa.String(length=32), nullable=False),
        sa.Column("second_specimen", sa.String(length=32), nullable=False),
        sa.Column("measure", sa.Float(), nullable=False),
        sa.Column("expected_false", sa.Float(), nullable=False),
        sa.CheckConstraint(
            "kind IS NULL OR kind IN ('same_image', 'same_hand')", name=op.f("ck_duplicate_findings_kind")
        ),
        sa.ForeignKeyConstraint(
            ["first_student"], ["students.student_key"], name=op.f("fk_duplicate_findings_first_student")
        ),
        sa.ForeignKeyConstraint(
            ["search_id"], ["duplicate_searches.search_id"], name=op.f("fk_duplicate_findings_search_id")
        ),
        sa.ForeignKeyConstraint(
            ["second_student"], ["students.student_key"], name=op.f("fk_duplicate_findings_second_student")
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_duplicate_findings")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("duplicate_findings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_duplicate_findings_first_student"), ["first_student"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_duplicate_findings_second_student"), ["second_student"], unique=False
        )

    op.create_table(
        "duplicate_reviews",
        sa.Column(
            "review_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("second_student", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("reviewer", sa.String(length=80), nullable=False),
        sa.Column("opinion", sa.String(length=24), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_duplicate_reviews_student_key")
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_duplicate_reviews")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("duplicate_reviews", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_duplicate_reviews_second_student"), ["second_student"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_duplicate_reviews_student_key"), ["student_key"], unique=False)

    op.create_table(
        "enrolments",
        sa.Column(
            "enrolment_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("encoder_id", sa.String(length=120), nullable=False),
        sa.Column("descriptor_sha256", sa.String(length=64), nullable=False),
        sa.Column("classifier_version", sa.String(length=40), nullable=False),
        sa.Column("reference_ids", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "kind IS NULL OR kind IN ('enrolled', 'retired')", name=op.f("ck_enrolments_kind")
        ),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_enrolments_student_key")
        ),
        sa.PrimaryKeyConstraint("enrolment_id", name=op.f("pk_enrolments")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("enrolments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolments_student_key"), ["student_key"], unique=False)

    findings = op.create_table(
        "specimen_findings",
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("specimen_id", sa.String(length=32), nullable=False),
        sa.Column("captured_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["specimen_id"],
            ["signature_specimens.specimen_id"],
            name=op.f("fk_specimen_findings_specimen_id"),
        ),
        sa.PrimaryKeyConstraint("code", "specimen_id", name=op.f("pk_specimen_findings")),
    )
    with op.batch_alter_table("specimen_findings", schema=None) as batch_op:
        batch_op.create_index(
            "ix_specimen_findings_code_captured_on", ["code", "captured_on", "specimen_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_specimen_findings_specimen_id"), ["specimen_id"], unique=False)

    op.create_table(
        "verification_decisions",
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("questioned_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_format", sa.String(length=8), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("dpi", sa.Integer(), nullable=True),
        sa.Column("encoder_id", sa.String(length=120), nullable=False),
        sa.Column("descriptor_sha256", sa.String(length=64), nullable=False),
        sa.Column("classifier_version", sa.String(length=40), nullable=False),
        sa.Column("calibration_version", sa.String(length=80), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("log10_lr", sa.Float(), nullable=True),
        sa.Column("thresholds", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("reference_ids", sa.JSON(), nullable=False),
        sa.Column("nearest_specimen", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('consistent', 'inconclusive', 'review')",
            name=op.f("ck_verification_decisions_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolments.enrolment_id"], name=op.f("fk_verification_decisions_enrolment_id")
        ),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_verification_decisions_student_key")
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_verification_decisions")),
    )
    with op.batch_alter_table("verification_decisions", schema=None) as batch_op:
        batch_op.create_index("ix_verification_decisions_outcome_at", ["outcome", "at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_verification_decisions_student_key"), ["student_key"], unique=False
        )

    op.create_table(
        "questioned_images",
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("retention_until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["verification_decisions.decision_id"],
            name=op.f("fk_questioned_images_decision_id"),
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_questioned_images")),
    )
    with op.batch_alter_table("questioned_images", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_questioned_images_retention_until"), ["retention_until"], unique=False
        )

    op.create_table(
        "reviews",
        sa.Column(
            "review_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("reviewer", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("opinion", sa.String(length=24), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IS NULL OR kind IN ('opinion', 'settlement')", name=op.f("ck_reviews_kind")),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["verification_decisions.decision_id"], name=op.f("fk_reviews_decision_id")
        ),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_reviews_student_key")
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_reviews")),
        sa.UniqueConstraint(
            "decision_id", "kind", "reviewer", name=op.f("uq_reviews_decision_id_kind_reviewer")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reviews_student_key"), ["student_key"], unique=False)

    _fill(op.get_bind(), findings)


def downgrade() -> None:
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reviews_student_key"))

    op.drop_table("reviews")
    with op.batch_alter_table("questioned_images", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_questioned_images_retention_until"))

    op.drop_table("questioned_images")
    with op.batch_alter_table("verification_decisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verification_decisions_student_key"))
        batch_op.drop_index("ix_verification_decisions_outcome_at")

    op.drop_table("verification_decisions")
    with op.batch_alter_table("specimen_findings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_specimen_findings_specimen_id"))
        batch_op.drop_index("ix_specimen_findings_code_captured_on")

    op.drop_table("specimen_findings")
    with op.batch_alter_table("enrolments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolments_student_key"))

    op.drop_table("enrolments")
    with op.batch_alter_table("duplicate_reviews", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_duplicate_reviews_student_key"))
        batch_op.drop_index(batch_op.f("ix_duplicate_reviews_second_student"))

    op.drop_table("duplicate_reviews")
    with op.batch_alter_table("duplicate_findings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_duplicate_findings_second_student"))
        batch_op.drop_index(batch_op.f("ix_duplicate_findings_first_student"))

    op.drop_table("duplicate_findings")
    op.drop_table("verification_calibrations")
    op.drop_table("duplicate_searches")


def _fill(connection: sa.Connection, findings: sa.Table) -> None:
    """Findings of the specimens that were checked before."""
    columns = {"specimen_id": sa.String, "captured_on": sa.Date, "quality": sa.JSON}
    specimens = sa.table("signature_specimens", *(sa.column(name, kind) for name, kind in columns.items()))
    last = ""
    while True:
        page = (
            sa.select(specimens.c.specimen_id, specimens.c.captured_on, specimens.c.quality)
            .where(specimens.c.quality.is_not(None), specimens.c.specimen_id > last)
            .order_by(specimens.c.specimen_id)
            .limit(5_000)
        )
        found = connection.execute(page).all()
        if not found:
            return
        last = found[-1][0]
        rows = []
        for specimen_id, captured_on, quality in found:
            if quality is None:  # JSON null
                continue
            codes = [one["code"] for one in quality if one["status"] == "found"]
            codes += ["any"] if codes else []
            rows += [
                {"code": code, "specimen_id": specimen_id, "captured_on": captured_on}
                for code in [*codes, "checked"]
            ]
        if rows:
            connection.execute(findings.insert(), rows)
