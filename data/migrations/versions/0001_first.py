"""The first revision: every table of the store."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("display_name", sa.String(length=160), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("program_codes", sa.JSON(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
    )
    op.create_table(
        "audit_log",
        sa.Column(
            "entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("object", sa.String(length=120), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_audit_log")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "encoders",
        sa.Column("encoder_id", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("weights_sha256", sa.String(length=64), nullable=False),
        sa.Column("weights_source", sa.Text(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("encoder_id", name=op.f("pk_encoders")),
    )
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.String(length=32), nullable=False),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("receipt", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "kind IS NULL OR kind IN ('signatures', 'outcome_model', 'student')",
            name=op.f("ck_erasures_kind"),
        ),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasures")),
    )
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasures_student_key"), ["student_key"], unique=False)

    op.create_table(
        "flow_cube",
        sa.Column("program_code", sa.String(length=32), nullable=False),
        sa.Column("cohort_term", sa.Integer(), nullable=False),
        sa.Column("entry_type", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("terms_to_exit", sa.Integer(), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "program_code", "cohort_term", "entry_type", "state", "terms_to_exit", name=op.f("pk_flow_cube")
        ),
    )
    op.create_table(
        "imports",
        sa.Column("import_id", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_imports")),
    )
    op.create_table(
        "models",
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "status IS NULL OR status IN ('candidate', 'served', 'retired')", name=op.f("ck_models_status")
        ),
        sa.PrimaryKeyConstraint("model_version", name=op.f("pk_models")),
    )
    op.create_table(
        "programs",
        sa.Column("program_code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("degree_level", sa.String(length=2), nullable=False),
        sa.Column("normal_terms", sa.Integer(), nullable=False),
        sa.Column("required_credits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("program_code", name=op.f("pk_programs")),
    )
    op.create_table(
        "reports",
        sa.Column("report_id", sa.String(length=32), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("profile_version", sa.String(length=32), nullable=False),
        sa.Column("program_code", sa.String(length=32), nullable=True),
        sa.Column("ts_year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("prepared_by", sa.String(length=80), nullable=False),
        sa.Column("prepared_at", sa.DateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=True),
        sa.Column("approved_at", sa.DateTime(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("provenance", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "status IS NULL OR status IN ('prepared', 'approved')", name=op.f("ck_reports_status")
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_reports")),
    )
    op.create_table(
        "risk_cube",
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("as_of_index", sa.Integer(), nullable=False),
        sa.Column("program_code", sa.String(length=32), nullable=False),
        sa.Column("cohort_term", sa.Integer(), nullable=False),
        sa.Column("band", sa.String(length=12), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("risk_sum", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "model_version",
            "target",
            "as_of_index",
            "program_code",
            "cohort_term",
            "band",
            name=op.f("pk_risk_cube"),
        ),
    )
    op.create_table(
        "row_history",
        sa.Column(
            "history_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("table_name", sa.String(length=32), nullable=False),
        sa.Column("student_key", sa.String(length=32), nullable=True),
        sa.Column("row_key", sa.String(length=80), nullable=False),
        sa.Column("known_at", sa.Date(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("replaced_by", sa.String(length=32), nullable=False),
        sa.Column("replaced_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("history_id", name=op.f("pk_row_history")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("row_history", schema=None) as batch_op:
        batch_op.create_index(
            "ix_row_history_table_name_student_key", ["table_name", "student_key"], unique=False
        )

    op.create_table(
        "store_facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_facts")),
    )
    op.create_table(
        "term_cube",
        sa.Column("program_code", sa.String(length=32), nullable=False),
        sa.Column("cohort_term", sa.Integer(), nullable=False),
        sa.Column("term_index", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=1), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("gpa_rows", sa.Integer(), nullable=False),
        sa.Column("gpa_sum", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "program_code", "cohort_term", "term_index", "status", name=op.f("pk_term_cube")
        ),
    )
    op.create_table(
        "students",
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("program_code", sa.String(length=32), nullable=False),
        sa.Column("cohort_term", sa.Integer(), nullable=False),
        sa.Column("entry_type", sa.String(length=32), nullable=True),
        sa.Column("admission_path", sa.String(length=64), nullable=True),
        sa.Column("recognized_credits", sa.Integer(), nullable=True),
        sa.Column("funding_at_entry", sa.String(length=64), nullable=True),
        sa.Column("tuition_band", sa.Integer(), nullable=True),
        sa.Column("sex", sa.String(length=1), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("region", sa.String(length=64), nullable=True),
        sa.Column("parental_education", sa.String(length=64), nullable=True),
        sa.Column("parental_income", sa.String(length=64), nullable=True),
        sa.Column("special_needs", sa.String(length=64), nullable=True),
        sa.Column("advisor", sa.String(length=80), nullable=True),
        sa.Column("extra", sa.JSON(), nullable=True),
        sa.Column("import_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.import_id"], name=op.f("fk_students_import_id")),
        sa.ForeignKeyConstraint(
            ["program_code"], ["programs.program_code"], name=op.f("fk_students_program_code")
        ),
        sa.PrimaryKeyConstraint("student_key", name=op.f("pk_students")),
    )
    with op.batch_alter_table("students", schema=None) as batch_op:
        batch_op.create_index("ix_students_advisor", ["advisor"], unique=False)
        batch_op.create_index(
            "ix_students_program_code_cohort_term", ["program_code", "cohort_term"], unique=False
        )

    op.create_table(
        "case_events",
        sa.Column(
            "event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_case_events_student_key")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_case_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("case_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_events_student_key"), ["student_key"], unique=False)

    op.create_table(
        "consents",
        sa.Column(
            "consent_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text_version", sa.String(length=16), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.CheckConstraint(
            "purpose IS NULL OR purpose IN ('verification', 'outcome_model', 'research')",
            name=op.f("ck_consents_purpose"),
        ),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_consents_student_key")
        ),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consents")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index("ix_consents_student_key_purpose", ["student_key", "purpose"], unique=False)

    op.create_table(
        "course_attempts",
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("course_code", sa.String(length=32), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("grade_points", sa.Float(), nullable=True),
        sa.Column("known_at", sa.Date(), nullable=False),
        sa.Column("import_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.import_id"], name=op.f("fk_course_attempts_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_course_attempts_student_key")
        ),
        sa.PrimaryKeyConstraint(
            "student_key", "course_code", "term_id", "attempt", name=op.f("pk_course_attempts")
        ),
    )
    op.create_table(
        "identities",
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("student_number", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_identities_student_key")
        ),
        sa.PrimaryKeyConstraint("student_key", name=op.f("pk_identities")),
        sa.UniqueConstraint("student_number", name=op.f("uq_identities_student_number")),
    )
    op.create_table(
        "outcomes",
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("exit_type", sa.String(length=16), nullable=True),
        sa.Column("exit_term", sa.Integer(), nullable=True),
        sa.Column("exit_date", sa.Date(), nullable=True),
        sa.Column("terms_to_exit", sa.Integer(), nullable=True),
        sa.Column("gpa_final", sa.Float(), nullable=True),
        sa.Column("observed_until", sa.Date(), nullable=False),
        sa.Column("import_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "exit_type IS NULL OR exit_type IN ('graduated', 'transferred', 'expelled', 'resigned',"
            " 'discontinued', 'deceased')",
            name=op.f("ck_outcomes_exit_type"),
        ),
        sa.ForeignKeyConstraint(["import_id"], ["imports.import_id"], name=op.f("fk_outcomes_import_id")),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_outcomes_student_key")
        ),
        sa.PrimaryKeyConstraint("student_key", name=op.f("pk_outcomes")),
    )
    op.create_table(
        "risk_current",
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("score_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("program_code", sa.String(length=32), nullable=False),
        sa.Column("cohort_term", sa.Integer(), nullable=False),
        sa.Column("advisor", sa.String(length=80), nullable=True),
        sa.Column("as_of_index", sa.Integer(), nullable=False),
        sa.Column("as_of_term", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("risk", sa.Float(), nullable=False),
        sa.Column("risk_low", sa.Float(), nullable=False),
        sa.Column("risk_high", sa.Float(), nullable=False),
        sa.Column("previous_risk", sa.Float(), nullable=True),
        sa.Column("band", sa.String(length=12), nullable=False),
        sa.Column("previous_band", sa.String(length=12), nullable=True),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_risk_current_student_key")
        ),
        sa.PrimaryKeyConstraint("student_key", "target", name=op.f("pk_risk_current")),
    )
    with op.batch_alter_table("risk_current", schema=None) as batch_op:
        batch_op.create_index(
            "ix_risk_current_target_advisor_risk", ["target", "advisor", "risk"], unique=False
        )
        batch_op.create_index("ix_risk_current_target_band_risk", ["target", "band", "risk"], unique=False)
        batch_op.create_index(
            "ix_risk_current_target_cohort_risk", ["target", "cohort_term", "risk"], unique=False
        )
        batch_op.create_index(
            "ix_risk_current_target_program_cohort_risk",
            ["target", "program_code", "cohort_term", "risk"],
            unique=False,
        )
        batch_op.create_index(
            "ix_risk_current_target_program_risk", ["target", "program_code", "risk"], unique=False
        )
        batch_op.create_index("ix_risk_current_target_risk", ["target", "risk"], unique=False)

    op.create_table(
        "scores",
        sa.Column(
            "score_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("as_of_index", sa.Integer(), nullable=False),
        sa.Column("as_of_term", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("risk", sa.Float(), nullable=False),
        sa.Column("risk_low", sa.Float(), nullable=False),
        sa.Column("risk_high", sa.Float(), nullable=False),
        sa.Column("margin", sa.Float(), nullable=False),
        sa.Column("band", sa.String(length=12), nullable=False),
        sa.Column("scored_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("risk BETWEEN 0 AND 1", name=op.f("ck_scores_risk")),
        sa.ForeignKeyConstraint(
            ["model_version"], ["models.model_version"], name=op.f("fk_scores_model_version")
        ),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_scores_student_key")
        ),
        sa.PrimaryKeyConstraint("score_id", name=op.f("pk_scores")),
        sa.UniqueConstraint(
            "student_key",
            "as_of_index",
            "target",
            "model_version",
            name=op.f("uq_scores_student_key_as_of_index_target_model_version"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "signature_specimens",
        sa.Column("specimen_id", sa.String(length=32), nullable=False),
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("captured_on", sa.Date(), nullable=False),
        sa.Column("context", sa.String(length=24), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_format", sa.String(length=8), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("dpi", sa.Integer(), nullable=True),
        sa.Column("quality", sa.JSON(), nullable=True),
        sa.Column("retention_until", sa.Date(), nullable=True),
        sa.Column("planted", sa.String(length=40), nullable=True),
        sa.Column("import_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "context IS NULL OR context IN ('enrollment', 'course_registration', 'exam', 'thesis', 'other')",
            name=op.f("ck_signature_specimens_context"),
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.import_id"], name=op.f("fk_signature_specimens_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["student_key"], ["students.student_key"], name=op.f("fk_signature_specimens_student_key")
        ),
        sa.PrimaryKeyConstraint("specimen_id", name=op.f("pk_signature_specimens")),
        sa.UniqueConstraint("student_key", "sha256", name=op.f("uq_signature_specimens_student_key_sha256")),
    )
    with op.batch_alter_table("signature_specimens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signature_specimens_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_signature_specimens_student_key"), ["student_key"], unique=False)

    op.create_table(
        "terms",
        sa.Column("student_key", sa.String(length=32), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("term_index", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=1), nullable=False),
        sa.Column("gpa_term", sa.Float(), nullable=True),
        sa.Column("gpa_cum", sa.Float(), nullable=True),
        sa.Column("credits_attempted", sa.Integer(), nullable=True),
        sa.Column("credits_passed", sa.Integer(), nullable=True),
        sa.Column("credits_cum", sa.Integer(), nullable=True),
        sa.Column("courses_failed", sa.Integer(), nullable=True),
        sa.Column("courses_repeated", sa.Integer(), nullable=True),
        sa.Column("attendance_rate", sa.Float(), nullable=True),
        sa.Column("tuition_arrears_days", sa.Integer(), nullable=True),
        sa.Column("known_at", sa.Date(), nullable=False),
        sa.Column("import_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "status IS NULL OR status IN ('A', 'C', 'N', 'G', 'M')", name=op.f("ck_terms_status")
        ),
        sa.CheckConstraint(
            "attendance_rate IS NULL OR attendance_rate BETWEEN 0 AND 1",
            name=op.f("ck_terms_attendance_rate"),
        ),
        sa.CheckConstraint("gpa_cum IS NULL OR gpa_cum BETWEEN 0 AND 4", name=op.f("ck_terms_gpa_cum")),
        sa.CheckConstraint("gpa_term IS NULL OR gpa_term BETWEEN 0 AND 4", name=op.f("ck_terms_gpa_term")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.import_id"], name=op.f("fk_terms_import_id")),
        sa.ForeignKeyConstraint(["student_key"], ["students.student_key"], name=op.f("fk_terms_student_key")),
        sa.PrimaryKeyConstraint("student_key", "term_id", name=op.f("pk_terms")),
    )
    with op.batch_alter_table("terms", schema=None) as batch_op:
        batch_op.create_index("ix_terms_known_at", ["known_at"], unique=False)

    op.create_table(
        "embeddings",
        sa.Column("specimen_id", sa.String(length=32), nullable=False),
        sa.Column("encoder_id", sa.String(length=120), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["encoder_id"], ["encoders.encoder_id"], name=op.f("fk_embeddings_encoder_id")
        ),
        sa.ForeignKeyConstraint(
            ["specimen_id"], ["signature_specimens.specimen_id"], name=op.f("fk_embeddings_specimen_id")
        ),
        sa.PrimaryKeyConstraint("specimen_id", "encoder_id", name=op.f("pk_embeddings")),
    )
    op.create_table(
        "explanations",
        sa.Column("score_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("base_value", sa.Float(), nullable=False),
        sa.Column("phi", sa.LargeBinary(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["score_id"], ["scores.score_id"], name=op.f("fk_explanations_score_id")),
        sa.PrimaryKeyConstraint("score_id", name=op.f("pk_explanations")),
    )
    op.create_table(
        "specimen_images",
        sa.Column("specimen_id", sa.String(length=32), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["specimen_id"], ["signature_specimens.specimen_id"], name=op.f("fk_specimen_images_specimen_id")
        ),
        sa.PrimaryKeyConstraint("specimen_id", name=op.f("pk_specimen_images")),
    )


def downgrade() -> None:
    op.drop_table("specimen_images")
    op.drop_table("explanations")
    op.drop_table("embeddings")
    with op.batch_alter_table("terms", schema=None) as batch_op:
        batch_op.drop_index("ix_terms_known_at")

    op.drop_table("terms")
    with op.batch_alter_table("signature_specimens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signature_specimens_student_key"))
        batch_op.drop_index(batch_op.f("ix_signature_specimens_sha256"))

    op.drop_table("signature_specimens")
    op.drop_table("scores")
    with op.batch_alter_table("risk_current", schema=None) as batch_op:
        batch_op.drop_index("ix_risk_current_target_risk")
        batch_op.drop_index("ix_risk_current_target_program_risk")
        batch_op.drop_index("ix_risk_current_target_program_cohort_risk")
        batch_op.drop_index("ix_risk_current_target_cohort_risk")
        batch_op.drop_index("ix_risk_current_target_band_risk")
        batch_op.drop_index("ix_risk_current_target_advisor_risk")

    op.drop_table("risk_current")
    op.drop_table("outcomes")
    op.drop_table("identities")
    op.drop_table("course_attempts")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index("ix_consents_student_key_purpose")

    op.drop_table("consents")
    with op.batch_alter_table("case_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_events_student_key"))

    op.drop_table("case_events")
    with op.batch_alter_table("students", schema=None) as batch_op:
        batch_op.drop_index("ix_students_program_code_cohort_term")
        batch_op.drop_index("ix_students_advisor")

    op.drop_table("students")
    op.drop_table("term_cube")
    op.drop_table("store_facts")
    with op.batch_alter_table("row_history", schema=None) as batch_op:
        batch_op.drop_index("ix_row_history_table_name_student_key")

    op.drop_table("row_history")
    op.drop_table("risk_cube")
    op.drop_table("reports")
    op.drop_table("programs")
    op.drop_table("models")
    op.drop_table("imports")
    op.drop_table("flow_cube")
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasures_student_key"))

    op.drop_table("erasures")
    op.drop_table("encoders")
    op.drop_table("audit_log")
    op.drop_table("accounts")
