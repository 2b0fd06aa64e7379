"""The tables of the store; no queries.

Three families. *Records* hold the present state of what a register says, with every replaced row kept in
``row_history``. *Append-only* tables (scores, explanations, consents, events, audit) refuse UPDATE and,
except where erasure is a student's right, DELETE, by database triggers (see ``data/migrations``). *Derived*
tables (``risk_current``, ``risk_cube``) are rebuilt in the transaction that writes scores, so that a page
reads a few indexed rows whatever the size of the register.

Identity lives in ``identities`` alone, sealed; everything else joins on the opaque ``student_key``.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from data.columns import (
    CONSENT_DECISIONS,
    CONSENT_PURPOSES,
    COURSE_KINDS,
    DUPLICATE_KINDS,
    EXIT_TYPES,
    GRADE_RESULTS,
    JOB_STATUSES,
    SPECIMEN_CONTEXTS,
    SPECIMEN_MEDIA,
    TERM_STATUSES,
    TRIAL_ACTS,
    TRIAL_ARMS,
)
from data.engine.sealed_names import SealedText
from data.engine.sealed_numbers import SealedNumber

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)
Row = BigInteger().with_variant(Integer, "sqlite")  # SQLite only autoincrements INTEGER keys


def longest(column: Column) -> int:
    """Characters that a column of text with a limit takes."""
    kind = column.type
    if isinstance(kind, SealedText):
        return kind.characters
    if not isinstance(kind, String) or kind.length is None:
        raise TypeError(f"{column} has no limit of characters")
    return kind.length


def _one_of(column: str, values) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IS NULL OR {column} IN ({listed})", name=column)


def _student(**options) -> Column:
    return Column("student_key", String(32), ForeignKey("students.student_key"), nullable=False, **options)


# --- records ---------------------------------------------------------------------------------------------
store_facts = Table(  # what this store is: synthetic or real, institution, settings chosen on screen
    "store_facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)
imports = Table(
    "imports",
    metadata,
    Column("import_id", String(32), primary_key=True),
    Column("started_at", DateTime, nullable=False),
    Column("finished_at", DateTime),
    Column("actor", String(80), nullable=False),
    Column("source", Text, nullable=False),  # file names, never paths
    Column("files", JSON, nullable=False),  # name → {sha256, rows}
    Column("counts", JSON, nullable=False),  # table → {new, changed, same}
    Column("synthetic", Boolean, nullable=False, default=False),
    Column("replaced", LargeBinary),  # sealed: names and programmes that an undo needs; newest import only
    Column("undone_at", DateTime),
    Column("undone_by", String(80)),
)
programs = Table(
    "programs",
    metadata,
    Column("program_code", String(32), primary_key=True),
    Column("name", String(160), nullable=False),
    Column("degree_level", String(16), nullable=False),
    Column("normal_terms", Integer, nullable=False),
    Column("required_credits", Integer, nullable=False),
)
students = Table(
    "students",
    metadata,
    Column("student_key", String(32), primary_key=True),
    Column("program_code", String(32), ForeignKey("programs.program_code"), nullable=False),
    Column("cohort_term", Integer, nullable=False),
    Column("entry_type", String(32)),
    Column("admission_path", String(64)),
    Column("recognized_credits", Integer),
    Column("funding_at_entry", String(64)),
    Column("tuition_band", Integer),
    Column("sex", String(1)),
    Column("birth_year", SealedNumber("students.birth_year")),
    Column("region", String(64)),
    Column("parental_education", String(64)),
    Column("parental_income", String(64)),
    Column("special_needs", String(64)),
    Column("advisor", String(80)),  # account name of the advisor responsible
    Column("extra", JSON),  # further columns a loader keeps (never read by default features)
    Column("import_id", String(32), ForeignKey("imports.import_id"), nullable=False),
    Index("ix_students_program_code_cohort_term", "program_code", "cohort_term"),
    Index("ix_students_advisor", "advisor"),
)
STUDENT_NUMBER = SealedText("identities.student_number", 64)
STUDENT_NAME = SealedText("identities.name", 200)
identities = Table(
    "identities",
    metadata,
    _student(primary_key=True),
    Column("student_number", STUDENT_NUMBER, nullable=False),
    Column("number_hash", String(64), nullable=False, unique=True),  # keyed: who has this number?
    Column("name", STUDENT_NAME),
)
terms = Table(
    "terms",
    metadata,
    _student(primary_key=True),
    Column("term_id", Integer, primary_key=True),
    Column("term_index", Integer, nullable=False),
    Column("status", String(1), nullable=False),
    _one_of("status", TERM_STATUSES),
    Column("gpa_term", Float),
    Column("gpa_cum", Float),
    Column("credits_attempted", Integer),
    Column("credits_passed", Integer),
    Column("credits_cum", Integer),
    Column("courses_failed", Integer),
    Column("courses_repeated", Integer),
    Column("attendance_rate", Float),
    Column("tuition_arrears_days", Integer),
    Column("known_at", Date, nullable=False),
    Column("import_id", String(32), ForeignKey("imports.import_id"), nullable=False),
    CheckConstraint("gpa_term IS NULL OR gpa_term BETWEEN 0 AND 4", name="gpa_term"),
    CheckConstraint("gpa_cum IS NULL OR gpa_cum BETWEEN 0 AND 4", name="gpa_cum"),
    CheckConstraint("attendance_rate IS NULL OR attendance_rate BETWEEN 0 AND 1", name="attendance_rate"),
    Index("ix_terms_known_at", "known_at"),
)
course_attempts = Table(  # ``attempt`` tells apart attempts of one term; across terms the terms do
    "course_attempts",
    metadata,
    _student(primary_key=True),
    Column("course_code", String(32), primary_key=True),
    Column("term_id", Integer, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("credits", Integer, nullable=False),
    Column("grade_points", Float),
    Column("known_at", Date, nullable=False),
    Column("import_id", String(32), ForeignKey("imports.import_id"), nullable=False),
    Column("course_name", String(160)),
    Column("grade", String(16)),  # as the office writes it: A-, AB, T
    Column("result", String(12), nullable=False, server_default="graded"),
    _one_of("result", GRADE_RESULTS),
    Column("compulsory", String(8)),
    _one_of("compulsory", COURSE_KINDS),
)
outcomes = Table(
    "outcomes",
    metadata,
    _student(primary_key=True),
    Column("exit_type", String(16)),
    _one_of("exit_type", EXIT_TYPES),
    Column("exit_term", Integer),
    Column("exit_date", Date),
    Column("terms_to_exit", Integer),
    Column("gpa_final", Float),
    Column("observed_until", Date, nullable=False),
    Column("import_id", String(32), ForeignKey("imports.import_id"), nullable=False),
)
row_history = Table(  # append-only: what a changed row said before
    "row_history",
    metadata,
    Column("history_id", Row, primary_key=True, autoincrement=True),
    Column("table_name", String(32), nullable=False),
    Column("student_key", String(32)),
    Column("row_key", String(80), nullable=False),  # term_id for terms, program_code for programs
    Column("known_at", Date),
    Column("payload", JSON, nullable=False),
    Column("replaced_by", String(32), nullable=False),
    Column("replaced_at", DateTime, nullable=False),
    Index("ix_row_history_table_name_student_key", "table_name", "student_key"),
    sqlite_autoincrement=True,
)

# --- specimens -------------------------------------------------------------------------------------------
specimens = Table(
    "signature_specimens",
    metadata,
    Column("specimen_id", String(32), primary_key=True),
    _student(index=True),
    Column("captured_on", Date, nullable=False),
    Column("context", String(24), nullable=False),
    _one_of("context", SPECIMEN_CONTEXTS),
    Column("sha256", String(64), nullable=False, index=True),  # of the file as it came
    Column("file_format", String(8), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("dpi", Integer),
    Column("quality", JSON),  # list of {code, status, value, reason}, null until checked
    Column("retention_until", Date),
    Column("planted", String(40)),  # synthetic only: what the generator planted, e.g. "skilled_forgery"
    Column("import_id", String(32), ForeignKey("imports.import_id"), nullable=False),
    Column("medium", String(8), nullable=False, server_default="paper"),
    _one_of("medium", SPECIMEN_MEDIA),
    UniqueConstraint("student_key", "sha256"),
    Index("ix_signature_specimens_captured_on", "captured_on", "specimen_id"),
)
specimen_images = Table(  # AES-GCM ciphertext; apart, so that no listing ever drags pixels along
    "specimen_images",
    metadata,
    Column("specimen_id", String(32), ForeignKey("signature_specimens.specimen_id"), primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
)
specimen_strokes = Table(  # AES-GCM ciphertext of what data.signatures.strokes reads; of a screen only
    "specimen_strokes",
    metadata,
    Column("specimen_id", String(32), ForeignKey("signature_specimens.specimen_id"), primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
)
encoders = Table(
    "encoders",
    metadata,
    Column("encoder_id", String(120), primary_key=True),  # name@version
    Column("name", String(80), nullable=False),
    Column("version", String(40), nullable=False),
    Column("weights_sha256", String(64), nullable=False),
    Column("weights_source", Text, nullable=False),
    Column("dim", Integer, nullable=False),
)
embeddings = Table(
    "embeddings",
    metadata,
    Column("specimen_id", String(32), ForeignKey("signature_specimens.specimen_id"), primary_key=True),
    Column("encoder_id", String(120), ForeignKey("encoders.encoder_id"), primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),  # AES-GCM of little-endian float32
    Column("created_at", DateTime, nullable=False),
)

# --- models and scores -----------------------------------------------------------------------------------
models = Table(
    "models",
    metadata,
    Column("model_version", String(64), primary_key=True),
    Column("created_at", DateTime, nullable=False),
    Column("status", String(16), nullable=False),
    _one_of("status", ("candidate", "served", "retired")),
    Column("folder", Text, nullable=False),  # below the models folder of the settings
    Column("manifest", JSON, nullable=False),
)
scores = Table(  # append-only
    "scores",
    metadata,
    Column("score_id", Row, primary_key=True, autoincrement=True),
    _student(),
    Column("as_of_index", Integer, nullable=False),
    Column("as_of_term", Integer, nullable=False),  # the last completed term; the entry term at index 0
    Column("target", String(16), nullable=False),
    Column("model_version", String(64), ForeignKey("models.model_version"), nullable=False),
    Column("modality", String(16), nullable=False),  # fused or records
    Column("risk", Float, nullable=False),
    Column("risk_low", Float),  # null: nobody to count among past students
    Column("risk_high", Float),
    Column("margin", Float, nullable=False),  # log-odds before calibration = base value + sum of SHAP values
    Column("band", String(12), nullable=False),
    Column("scored_at", DateTime, nullable=False),
    UniqueConstraint("student_key", "as_of_index", "target", "model_version"),
    CheckConstraint("risk BETWEEN 0 AND 1", name="risk"),
    sqlite_autoincrement=True,
)
explanations = Table(  # append-only; one row per score
    "explanations",
    metadata,
    Column("score_id", Row, ForeignKey("scores.score_id"), primary_key=True),
    Column("base_value", Float, nullable=False),
    Column("phi", LargeBinary, nullable=False),  # float32 SHAP values in the order of the model's features
    Column(
        "inputs", LargeBinary, nullable=False
    ),  # float32 feature values (codes for categories), same order
)
risk_current = Table(  # derived: each enrolled student's newest score per target
    "risk_current",
    metadata,
    _student(primary_key=True),
    Column("target", String(16), primary_key=True),
    Column("score_id", Row, nullable=False),
    Column("program_code", String(32), nullable=False),
    Column("cohort_term", Integer, nullable=False),
    Column("advisor", String(80)),
    Column("as_of_index", Integer, nullable=False),
    Column("as_of_term", Integer, nullable=False),
    Column("model_version", String(64), nullable=False),
    Column("modality", String(16), nullable=False),
    Column("risk", Float, nullable=False),
    Column("risk_low", Float),  # null: nobody to count among past students
    Column("risk_high", Float),
    Column("previous_risk", Float),
    Column("band", String(12), nullable=False),
    Column("previous_band", String(12)),
    Index("ix_risk_current_target_risk", "target", "risk"),
    Index("ix_risk_current_target_advisor_risk", "target", "advisor", "risk"),
    Index("ix_risk_current_target_program_cohort_risk", "target", "program_code", "cohort_term", "risk"),
    Index("ix_risk_current_target_program_risk", "target", "program_code", "risk"),
    Index("ix_risk_current_target_cohort_risk", "target", "cohort_term", "risk"),
    Index("ix_risk_current_target_band_risk", "target", "band", "risk"),
)
risk_cube = Table(  # derived: counts and sums for leadership pages
    "risk_cube",
    metadata,
    Column("model_version", String(64), primary_key=True),
    Column("target", String(16), primary_key=True),
    Column("as_of_index", Integer, primary_key=True),  # -1: the newest score of each enrolled student
    Column("program_code", String(32), primary_key=True),
    Column("cohort_term", Integer, primary_key=True),
    Column("band", String(12), primary_key=True),
    Column("students", Integer, nullable=False),
    Column("risk_sum", Float, nullable=False),
)

flow_cube = Table(  # derived by every import: students by entry, state and time to exit
    "flow_cube",
    metadata,
    Column("program_code", String(32), primary_key=True),
    Column("cohort_term", Integer, primary_key=True),
    Column("entry_type", String(32), primary_key=True),  # "" when the register does not say
    Column("state", String(16), primary_key=True),  # an exit type, or "enrolled"
    Column("terms_to_exit", Integer, primary_key=True),  # -1 when enrolled or unknown
    Column("students", Integer, nullable=False),
)
term_cube = Table(  # derived by every import: term rows by status
    "term_cube",
    metadata,
    Column("program_code", String(32), primary_key=True),
    Column("cohort_term", Integer, primary_key=True),
    Column("term_index", Integer, primary_key=True),
    Column("status", String(1), primary_key=True),
    Column("students", Integer, nullable=False),
    Column("gpa_rows", Integer, nullable=False),  # rows with a cumulative GPA
    Column("gpa_sum", Float, nullable=False),
)
course_cube = Table(  # derived by every import: decided attempts by course and what became of who took it
    "course_cube",
    metadata,
    Column("program_code", String(32), primary_key=True),
    Column("cohort_term", Integer, primary_key=True),
    Column("course_code", String(32), primary_key=True),
    Column("state", String(16), primary_key=True),  # an exit type, or "enrolled"
    Column("terms", Integer, primary_key=True),  # of graduates, to their exit; else -1
    Column("attempts", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("students", Integer, nullable=False),
    Column("failing", Integer, nullable=False),  # who failed the course at least once
    Column("newest_name", String(165)),  # the newest term in which the course has a name, and that name
)

# --- people, consent, events -----------------------------------------------------------------------------
accounts = Table(
    "accounts",
    metadata,
    Column("account", String(80), primary_key=True),
    Column("display_name", String(160), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text),  # argon2id; null for demo and OIDC accounts
    Column("program_codes", JSON),  # null: every programme
    Column("active", Boolean, nullable=False, default=True),
    Column("password_once", Boolean, nullable=False, default=False, server_default=false()),  # set by others
)
sessions = Table(  # who is signed in; a session that was ended has no row
    "sessions",
    metadata,
    Column("session_id", String(32), primary_key=True),
    Column("account", String(80), nullable=False, index=True),
    Column("way", String(16), nullable=False),  # how it was entered
    Column("role", String(16), nullable=False),  # at sign-in; another one now ends the session
    Column("program_codes", JSON),  # likewise
    Column("started_at", DateTime, nullable=False),
    Column("seen_at", DateTime, nullable=False),
    Column("ticket_hash", String(64), unique=True),  # SHA-256; null once it was exchanged
    Column("ticket_until", DateTime, nullable=False),
    Column("cookie_hash", String(64), unique=True),  # SHA-256
)
sign_in_tries = Table(  # failed sign-ins by keyed hashes of account and address
    "sign_in_tries",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", DateTime, nullable=False, index=True),
    Column("until", DateTime),  # the next try waits until then
    Column("known_at", DateTime),  # when the account last signed in from the address
)
external_identities = Table(  # accounts that sign in through the institution's provider, and through it only
    "external_identities",
    metadata,
    Column("account", String(80), primary_key=True),
    Column(
        "subject", String(64), unique=True
    ),  # keyed hash of issuer and subject; null until the first sign-in
    Column("bound_at", DateTime, nullable=False),
    Column("lost_at", DateTime),  # when the provider last gave it no role: then it opens nothing
)
provider_answers = Table(  # keyed hashes of the provider's answers that were taken: each opens one session
    "provider_answers",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("at", DateTime, nullable=False, index=True),
)
api_tokens = Table(  # programs that may ask the JSON service; the token itself is nowhere
    "api_tokens",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256 of 256 random bits
    Column("scopes", JSON, nullable=False),  # of data.trust.tokens.SCOPES
    Column("program_codes", JSON),  # null: every programme
    Column("created_at", DateTime, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("expires_at", DateTime, nullable=False),
    Column("revoked_at", DateTime),
    Column("revoked_by", String(80)),
    Column("last_used_at", DateTime),
)
consents = Table(  # append-only; which row of a purpose holds says data.consents.consent.newest_consents
    "consents",
    metadata,
    Column("consent_id", Row, primary_key=True, autoincrement=True),
    _student(),
    Column("purpose", String(16), nullable=False),
    _one_of("purpose", CONSENT_PURPOSES),
    Column("granted", Boolean, nullable=False),
    Column("decision", String(12), nullable=False),
    _one_of("decision", CONSENT_DECISIONS),
    Column("decided_on", Date, nullable=False),  # as the paper says
    Column("source", String(200)),  # form, letter, conversation: where the decision can be looked up
    Column("text_version", String(16), nullable=False),
    Column("recorded_at", DateTime, nullable=False),
    Column("recorded_by", String(80), nullable=False),
    Column("import_id", String(32), ForeignKey("imports.import_id")),  # null: recorded by hand
    Index("ix_consents_student_key_purpose", "student_key", "purpose"),
    sqlite_autoincrement=True,
)
saved_views = Table(  # filters that an account gave a name; nothing of a person: a link may carry the id
    "saved_views",
    metadata,
    Column("view_id", String(16), primary_key=True),
    Column("account", String(80), nullable=False),
    Column("page", String(32), nullable=False),
    Column("name", String(80), nullable=False),
    Column("filters", JSON, nullable=False),
    Column("created_at", DateTime, nullable=False),
    UniqueConstraint("account", "page", "name"),
)
preferences = Table(  # what the app remembers for an account, such as a tour that it has closed
    "preferences",
    metadata,
    Column("account", String(80), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("value", JSON, nullable=False),
)
case_events = Table(  # append-only: notes, interventions, outcomes, snoozes, overrides
    "case_events",
    metadata,
    Column("event_id", Row, primary_key=True, autoincrement=True),
    _student(index=True),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("detail", JSON, nullable=False),  # what queries ask for: data.cases.events.OPEN_PARTS
    Column("sealed", LargeBinary),  # AES-GCM of the rest of the detail: data.engine.sealed_texts
    sqlite_autoincrement=True,
)
audit_log = Table(  # append-only, hash-chained
    "audit_log",
    metadata,
    Column("entry", Row, primary_key=True, autoincrement=True),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("role", String(16), nullable=False),
    Column("action", String(48), nullable=False),
    Column("object", String(120), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    sqlite_autoincrement=True,
)
erasures = Table(  # append-only: receipts; a row here is what lets the triggers pass a DELETE for its student
    "erasures",
    metadata,
    Column("erasure_id", String(32), primary_key=True),
    Column("student_key", String(32), nullable=False, index=True),  # no foreign key: it outlives the student
    Column("kind", String(16), nullable=False),
    _one_of("kind", ("signatures", "outcome_model", "identity", "student")),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("receipt", JSON, nullable=False),  # counts per table, SHA-256 of erased files; no content
)
reports = Table(  # prepared and approved accreditation reports; an approved row is frozen by trigger
    "reports",
    metadata,
    Column("report_id", String(32), primary_key=True),
    Column("profile", String(64), nullable=False),
    Column("profile_version", String(32), nullable=False),
    Column("program_code", String(32)),
    Column("ts_year", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    _one_of("status", ("prepared", "approved")),
    Column("prepared_by", String(80), nullable=False),
    Column("prepared_at", DateTime, nullable=False),
    Column("approved_by", String(80)),
    Column("approved_at", DateTime),
    Column("sha256", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    Column("provenance", JSON, nullable=False),
    Column("files", JSON),  # file name → sha256
)
report_disclosures = Table(  # tables of which a public file was made; later files are judged with them
    "report_disclosures",
    metadata,
    Column("disclosure", Integer, primary_key=True, autoincrement=True),
    Column("content_sha256", String(64), nullable=False, unique=True),
    Column("profile", String(64), nullable=False),
    Column("program_code", String(32), nullable=False, index=True),  # empty: every programme together
    Column("ts_year", Integer, nullable=False),
    Column("content", JSON, nullable=False),
    Column("hidden", JSON, nullable=False),  # rows and columns whose figures the file does not show
    Column("first_made_at", DateTime, nullable=False),
)
jobs = Table(  # long work: one row per request, held by the worker that runs it
    "jobs",
    metadata,
    Column("job_id", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    _one_of("status", JOB_STATUSES),
    Column("arguments", JSON, nullable=False),  # never identity
    Column("actor", String(80), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("started_at", DateTime),
    Column("finished_at", DateTime),
    Column("worker", String(32)),  # who holds it: a writer that is not this one is refused
    Column("attempts", Integer, nullable=False, default=0),
    Column("cancel_at", DateTime),  # when somebody asked to stop it
    Column("done", Integer),
    Column("total", Integer),
    Column("step", String(120)),
    Column("result", JSON),
    Column("problem", String(48)),  # a code; the wording file says what it means
    Column("retry_of", String(32)),
    Index("ix_jobs_status_created_at", "status", "created_at"),
    Index("ix_jobs_created_at", "created_at"),
)

# --- verification ----------------------------------------------------------------------------------------
specimen_findings = Table(  # derived from quality, so that a list of findings reads an index
    "specimen_findings",
    metadata,
    Column("code", String(8), primary_key=True),  # a check that found something, ANY_FINDING, CHECKED
    Column(
        "specimen_id", String(32), ForeignKey("signature_specimens.specimen_id"), primary_key=True, index=True
    ),
    Column("captured_on", Date, nullable=False),
    Index("ix_specimen_findings_code_captured_on", "code", "captured_on", "specimen_id"),
)
signature_descriptors = Table(  # for verification alone: no query of the outcome model reaches this table
    "signature_descriptors",
    metadata,
    Column("specimen_id", String(32), ForeignKey("signature_specimens.specimen_id"), primary_key=True),
    Column("descriptor_id", String(120), primary_key=True),  # name@version+hash of the descriptor
    Column("ciphertext", LargeBinary, nullable=False),  # AES-GCM of little-endian float16
    Column("created_at", DateTime, nullable=False),
    Index("ix_signature_descriptors_descriptor_id", "descriptor_id", "specimen_id"),
)
enrolments = Table(  # append-only: the newest row of a student holds; kind "retired" ends an enrolment
    "enrolments",
    metadata,
    Column("enrolment_id", Row, primary_key=True, autoincrement=True),
    _student(index=True),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("kind", String(16), nullable=False),
    _one_of("kind", ("enrolled", "retired")),
    Column("descriptor_id", String(120), nullable=False),  # what the references were compared by
    Column("descriptor_sha256", String(64), nullable=False),
    Column("classifier_version", String(40), nullable=False),
    Column("reference_ids", JSON, nullable=False),  # specimen ids, oldest first
    Column("left_out", JSON, nullable=False),  # specimen id → why: codes of findings, or "not_chosen"
    sqlite_autoincrement=True,
)
verification_calibrations = Table(  # append-only: what scores mean, learned from held-out writers
    "verification_calibrations",
    metadata,
    Column("calibration_id", Row, primary_key=True, autoincrement=True),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("descriptor_id", String(120), nullable=False),
    Column("descriptor_sha256", String(64), nullable=False),
    Column("classifier_version", String(40), nullable=False),
    Column(
        "content", JSON, nullable=False
    ),  # see vision.verification.ground: background specimens, lines, error rates
    sqlite_autoincrement=True,
)
verification_decisions = Table(  # append-only
    "verification_decisions",
    metadata,
    Column("decision_id", String(32), primary_key=True),
    _student(index=True),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("enrolment_id", Row, ForeignKey("enrolments.enrolment_id")),
    Column("questioned_sha256", String(64), nullable=False),
    Column("file_format", String(8), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("dpi", Integer),
    Column("descriptor_id", String(120), nullable=False),
    Column("descriptor_sha256", String(64), nullable=False),
    Column("classifier_version", String(40), nullable=False),
    Column("calibration_version", String(80), nullable=False),
    Column("outcome", String(16), nullable=False),
    _one_of("outcome", ("consistent", "inconclusive", "review")),
    Column("reason", String(32), nullable=False),  # a code; the words stand in the locales
    Column("score", Float),
    Column("log10_lr", Float),
    Column("thresholds", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("reference_ids", JSON, nullable=False),
    Column("nearest_specimen", String(32)),
    Index("ix_verification_decisions_outcome_at", "outcome", "at"),
)
questioned_images = Table(  # AES-GCM ciphertext; goes at the end of its retention, the decision stays
    "questioned_images",
    metadata,
    Column("decision_id", String(32), ForeignKey("verification_decisions.decision_id"), primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("retention_until", Date, nullable=False, index=True),
)
reviews = Table(  # append-only: opinions of people about a decision, and how it was settled
    "reviews",
    metadata,
    Column("review_id", Row, primary_key=True, autoincrement=True),
    Column("decision_id", String(32), ForeignKey("verification_decisions.decision_id"), nullable=False),
    _student(index=True),
    Column("at", DateTime, nullable=False),
    Column("reviewer", String(80), nullable=False),
    Column("kind", String(16), nullable=False),
    _one_of("kind", ("opinion", "withdrawal", "settlement")),
    Column(
        "opinion", String(24), nullable=False
    ),  # of data.verification.reviews.OPINIONS (also of a withdrawal), or ACTIONS of a settlement
    Column("reason_codes", JSON, nullable=False, server_default="[]"),  # of reviews.REASON_CODES
    Column("sealed", LargeBinary),  # AES-GCM of "reasons": what was typed beside them
    Column("blind", Boolean, nullable=False),  # whether the score was unknown to the reviewer
    # Which of this reviewer's opinions on this case, from 1; a withdrawal has the turn of what it takes back.
    Column("turn", Integer, nullable=False, server_default="1"),
    UniqueConstraint("decision_id", "kind", "reviewer", "turn"),
    sqlite_autoincrement=True,
)
duplicate_searches = Table(  # one row per search over the register; the findings are the newest one's
    "duplicate_searches",
    metadata,
    Column("search_id", Row, primary_key=True, autoincrement=True),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("descriptor_id", String(120), nullable=False),
    Column("content", JSON, nullable=False),  # counts, limits, expected false hits; nothing of a student
    sqlite_autoincrement=True,
)
duplicate_findings = Table(  # replaced by every search
    "duplicate_findings",
    metadata,
    Column("finding_id", Row, primary_key=True, autoincrement=True),
    Column("search_id", Row, ForeignKey("duplicate_searches.search_id"), nullable=False),
    Column("kind", String(16), nullable=False),
    _one_of("kind", DUPLICATE_KINDS),
    Column("first_student", String(32), ForeignKey("students.student_key"), nullable=False, index=True),
    Column("second_student", String(32), ForeignKey("students.student_key"), nullable=False, index=True),
    Column("first_specimen", String(32), nullable=False),
    Column("second_specimen", String(32), nullable=False),
    Column("measure", Float, nullable=False),  # correlation (same image) or score (one hand)
    Column("expected_false", Float, nullable=False),  # hits as strong as this one that chance would give
    sqlite_autoincrement=True,
)
duplicate_reviews = Table(  # append-only: what people found about a pair; survives the next search
    "duplicate_reviews",
    metadata,
    Column("review_id", Row, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    _student(index=True),  # the first of the pair
    Column("second_student", String(32), nullable=False, index=True),
    Column("at", DateTime, nullable=False),
    Column("reviewer", String(80), nullable=False),
    Column("opinion", String(24), nullable=False),
    Column("sealed", LargeBinary),  # AES-GCM of "reasons"
    sqlite_autoincrement=True,
)
signature_predictions = Table(  # append-only: what a recipe's network said of a signature, and to whom
    "signature_predictions",
    metadata,
    Column("prediction_id", String(32), primary_key=True),
    _student(index=True),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("role", String(16), nullable=False),
    Column("recipe", String(32), nullable=False),
    Column("model_sha256", String(64), nullable=False),
    Column("labels", JSON, nullable=False),  # the two labels
    Column("share", Float, nullable=False),  # of the second label, as the network gave it
    Column("image_sha256", String(64), nullable=False),
    Column("findings", JSON, nullable=False),
    CheckConstraint("share BETWEEN 0 AND 1", name="share"),
)
prediction_images = Table(  # AES-GCM ciphertext; only where that was asked for and the student agreed
    "prediction_images",
    metadata,
    Column("prediction_id", String(32), ForeignKey("signature_predictions.prediction_id"), primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("retention_until", Date, nullable=False, index=True),
)
# --- trials ----------------------------------------------------------------------------------------------
trials = Table(  # append-only: a protocol as it was registered, before anybody was drawn
    "trials",
    metadata,
    Column("trial_id", String(32), primary_key=True),
    Column("registered_at", DateTime, nullable=False),
    Column("registered_by", String(80), nullable=False),
    Column("program_code", String(32), index=True),  # null: every programme
    Column("protocol", JSON, nullable=False),  # see data.cases.trial_protocol; nothing of a student
    Column("protocol_sha256", String(64), nullable=False),
)
# Append-only but for a change of the store's key: AES-GCM ciphertext of what the lots are made with; the
# protocol holds its SHA-256.
trial_seeds = Table(
    "trial_seeds",
    metadata,
    Column("trial_id", String(32), ForeignKey("trials.trial_id"), primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
)
trial_acts = Table(  # append-only: what became of a protocol; counts only
    "trial_acts",
    metadata,
    Column("act_id", Row, primary_key=True, autoincrement=True),
    Column("trial_id", String(32), ForeignKey("trials.trial_id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    _one_of("kind", TRIAL_ACTS),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("detail", JSON, nullable=False),
    sqlite_autoincrement=True,
)
trial_students = Table(  # append-only: who was drawn, and which lot
    "trial_students",
    metadata,
    Column("trial_id", String(32), ForeignKey("trials.trial_id"), primary_key=True),
    _student(primary_key=True, index=True),
    Column("draw", Integer, nullable=False),  # 1, 2, …: one for each time that lots were drawn
    Column("drawn_on", Date, nullable=False),
    Column("as_of_term", Integer, nullable=False),  # of the score; the outcome is counted from here
    Column("list_name", String(80), nullable=False),  # whose list: an advisor's account, or a programme
    Column("place", Integer, nullable=False),  # on that list, from 1
    Column("block", Integer, nullable=False),  # neighbours of whom half are offered help
    Column("arm", String(8), nullable=False),
    _one_of("arm", TRIAL_ARMS),
)
CHECKED, ANY_FINDING = "checked", "any"  # codes in specimen_findings beside those of the checks that found

APPEND_ONLY = (  # no UPDATE ever; DELETE only where a student's erasure must reach it
    scores,
    explanations,
    consents,
    case_events,
    row_history,
    audit_log,
    erasures,
    enrolments,
    verification_calibrations,
    verification_decisions,
    reviews,
    duplicate_reviews,
    signature_predictions,
    trials,
    trial_seeds,
    trial_acts,
    trial_students,
)
