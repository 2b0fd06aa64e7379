"""The vocabulary: allowed values, ranges and null rules, in the field's standard terms.

Everything that reads or writes a column takes its name, unit and allowed values from here, so that an
import check, a database constraint and a page can never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

# Levels as PDDikti names them. Credits are the least that the national standards (SN-Dikti 2015, article 16)
# ask for; terms are the length that goes with them. A specialist or a professional programme is often longer:
# a file may give a programme's own ``normal_terms`` and ``required_credits``.
NORMAL_TERMS = {
    **{"D1": 2, "D2": 4, "D3": 6, "D4": 8, "S1": 8, "S2": 4, "S3": 6},
    **{"Profesi": 2, "Sp-1": 4, "Sp-2": 6, "S2 Terapan": 4, "S3 Terapan": 6},
}
REQUIRED_CREDITS = {
    **{"D1": 36, "D2": 72, "D3": 108, "D4": 144, "S1": 144, "S2": 36, "S3": 42},
    **{"Profesi": 24, "Sp-1": 36, "Sp-2": 42, "S2 Terapan": 36, "S3 Terapan": 42},
}
DEGREE_LEVELS = tuple(NORMAL_TERMS)

ENTRY_TYPES = ("new", "transfer", "recognised_prior_learning")
TERM_STATUSES = {
    "A": "active",
    "C": "leave",
    "N": "inactive",
    "G": "double degree",
    "M": "Kampus Merdeka",
    "U": "waiting for the competency examination",
}
REGISTERED = ("A", "G", "M", "U")  # statuses of a student who studies
EXIT_TYPES = (
    *("graduated", "transferred", "expelled", "resigned", "discontinued", "deceased"),
    *("non_degree", "other"),  # a course without a degree completed; whatever else ends a registration
)
DROPOUT_EXITS = ("expelled", "resigned", "discontinued")
OTHER_EXITS = ("non_degree", "other")  # neither a degree nor a drop-out: outside every rate, as a transfer is
LABELS = ("on_time", "delayed", "dropout", "censored")
SEXES = ("L", "P")  # laki-laki (male), perempuan (female), as PDDikti writes them
SPECIMEN_CONTEXTS = ("enrollment", "course_registration", "exam", "thesis", "other")
PAPER, SCREEN = "paper", "screen"
SPECIMEN_MEDIA = (PAPER, SCREEN)  # what a specimen was signed on: a scan or photograph of paper, or a screen
SCREEN_POINTERS = ("pen", "touch", "mouse", "other")  # what draws on a screen
CONSENT_PURPOSES = ("verification", "outcome_model", "research")
CONSENT_DECISIONS = ("granted", "refused", "withdrawn", "renewed")  # renewed: a yes in spite of an earlier no
YES = ("granted", "renewed")  # the decisions that agree
ALL_PURPOSES = "all"  # a word of files for every purpose; never stored
DUPLICATE_KINDS = ("same_image", "same_hand", "foreign_specimen", "other_name")
ROLES = ("leadership", "advisor", "registry", "accreditation", "auditor", "administrator")
JOB_STATUSES = ("waiting", "running", "done", "failed", "cancelled")
TRIAL_ACTS = ("approved", "drawn", "stopped", "read")
TRIAL_ARMS = ("offered", "usual")  # whom the lot offers help, and who gets what anybody gets
TARGETS = ("late", "dropout")  # late: not graduated within the normal terms (delayed or dropped out)
POSITIVE = {"late": ("delayed", "dropout"), "dropout": ("dropout",)}  # labels that are the target's event
LEAST_TERMS_LEFT = {"late": 1, "dropout": 0}  # past the normal time, lateness is a fact and not a risk
BANDS = ("low", "moderate", "high", "very_high")
MAX_TERM_INDEX = 14
MOST_STUDENTS = 100_000  # of known outcome, that one training takes: its memory grows with them
AS_OF_INDEXES = tuple(range(0, 9))  # number of terms completed since entry


@dataclass(frozen=True)
class Column:
    """One column of the common layout.

    Parameters
    ----------
    name : str
        Name in the store and in every frame.
    kind : {"text", "integer", "number", "date", "term"}
        How a cell is parsed; "term" is a ``YYYYT`` integer, T 1 odd, 2 even, 3 short.
    required : bool
        Whether the file must have the column at all.
    nullable : bool
        Whether a cell may be empty.
    low, high : float or None
        Allowed range, both ends included.
    allowed : tuple of str
        Allowed values; empty when any value is.
    unit : str
        Unit in words, empty for categories.
    listed : bool
        Whether a cell may name several of the allowed values.
    words : str
        The column of the consents table whose words in the mappings it shares.
    by_hand : tuple of str
        What a cell that nobody knows may be said to mean, of a column without a list of allowed values.
    """

    name: str
    kind: str
    required: bool = False
    nullable: bool = True
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    unit: str = ""
    listed: bool = False
    words: str = ""
    by_hand: tuple[str, ...] = ()


def _consent_columns(prefix: str) -> tuple[Column, ...]:
    """Columns about consent: one answer for the purposes that the row names, or an answer per purpose."""
    answer = {"allowed": CONSENT_DECISIONS, "words": "decision"}
    return (
        Column(f"{prefix}purpose", "text", allowed=CONSENT_PURPOSES, listed=True, words="purpose"),
        Column(f"{prefix}decision", "text", **answer),
        Column(f"{prefix}decided_on", "date", unit="date of the answer"),
        Column(f"{prefix}granted_on", "date", unit="date of the yes"),
        Column(f"{prefix}withdrawn_on", "date", unit="date of the withdrawal"),
        *(Column(f"{prefix}{purpose}", "text", **answer) for purpose in CONSENT_PURPOSES),
        *(Column(f"{prefix}{purpose}_on", "date", unit="date of the yes") for purpose in CONSENT_PURPOSES),
        Column(f"{prefix}source", "text"),
        Column(f"{prefix}text_version", "text"),
    )


OF_CONSENT = "consent_"  # how the columns about consent begin in a students file
STUDENT_COLUMNS = (
    Column("student_number", "text", required=True, nullable=False),
    Column("name", "text"),
    Column("program_code", "text", required=True, nullable=False),
    Column("program_name", "text"),
    Column("degree_level", "text", allowed=DEGREE_LEVELS),
    Column("normal_terms", "integer", low=1, high=MAX_TERM_INDEX, unit="terms"),
    Column("required_credits", "integer", low=1, high=300, unit="credits"),
    Column("cohort_term", "term", required=True, nullable=False),
    Column("entry_type", "text", allowed=ENTRY_TYPES),
    Column("admission_path", "text"),
    Column("recognized_credits", "integer", low=0, high=200, unit="credits"),
    Column("funding_at_entry", "text"),
    Column("tuition_band", "integer", low=1, high=8),
    Column("sex", "text", allowed=SEXES),
    Column("birth_year", "integer", low=1930, high=2020, unit="year"),
    Column("region", "text"),
    Column("parental_education", "text"),
    Column("parental_income", "text"),
    Column("special_needs", "text"),
    Column("advisor", "text"),
    *_consent_columns(OF_CONSENT),
)

TERM_COLUMNS = (
    Column("student_number", "text", required=True, nullable=False),
    Column("term_id", "term", required=True, nullable=False),
    Column("term_index", "integer", low=1, high=MAX_TERM_INDEX),
    Column("status", "text", required=True, nullable=False, allowed=tuple(TERM_STATUSES)),
    Column("gpa_term", "number", low=0, high=4, unit="grade points"),
    Column("gpa_cum", "number", low=0, high=4, unit="grade points"),
    Column("credits_attempted", "integer", low=0, high=40, unit="credits"),
    Column("credits_passed", "integer", low=0, high=40, unit="credits"),
    Column("credits_cum", "integer", low=0, high=250, unit="credits"),
    Column("courses_failed", "integer", low=0, high=20, unit="courses"),
    Column("courses_repeated", "integer", low=0, high=20, unit="courses"),
    Column("attendance_rate", "number", low=0, high=1, unit="share of meetings"),
    Column("tuition_arrears_days", "integer", low=0, high=2000, unit="days"),
    Column("known_at", "date", unit="date on which the row was known"),
)

# What a mark says beside its points: graded (the points count), passed or failed without points, open (none
# yet, incomplete, deferred), transferred (credits taken over without a mark), withdrawn (as if never taken).
GRADE_RESULTS = ("graded", "passed", "failed", "open", "transferred", "withdrawn")
COURSE_KINDS = ("required", "elective")
_QUARTERS = tuple(f"{quarter / 4:g}" for quarter in range(16, -1, -1))  # grade points from 4 to 0
GRADE_COLUMNS = (
    Column("student_number", "text", required=True, nullable=False),
    Column("course_code", "text", required=True, nullable=False),
    Column("course_name", "text"),
    Column("term_id", "term", required=True, nullable=False),
    Column("term_index", "integer", low=1, high=MAX_TERM_INDEX),
    Column("credits", "integer", required=True, nullable=False, low=0, high=40, unit="credits"),
    Column("grade", "text", by_hand=(*GRADE_RESULTS[1:], *_QUARTERS)),
    Column("grade_points", "number", low=0, high=4, unit="grade points"),
    Column("score", "number", low=0, high=100, unit="marks of 100; not stored"),
    Column("origin", "text", allowed=("regular", "transferred")),
    Column("compulsory", "text", allowed=COURSE_KINDS),
    Column("class_name", "text"),
    Column("known_at", "date", unit="date on which the grade was known"),
)

OUTCOME_COLUMNS = (
    Column("student_number", "text", required=True, nullable=False),
    Column("exit_type", "text", required=True, allowed=EXIT_TYPES),
    Column("exit_term", "term"),
    Column("exit_date", "date"),
    Column("terms_to_exit", "integer", low=0, high=40, unit="terms"),
    Column("gpa_final", "number", low=0, high=4, unit="grade points"),
    Column("observed_until", "date", unit="date"),
)

CONSENT_COLUMNS = (
    Column("student_number", "text", required=True, nullable=False),
    *_consent_columns(""),
)

# Never a feature, whatever table it arrives in: exit facts and anything known only afterwards.
DENIED_FEATURES = frozenset(
    {
        "exit_type",
        "exit_term",
        "exit_date",
        "terms_to_exit",
        "gpa_final",
        "honours",
        "observed_until",
        "label",
        "current_age",
        "employment_status",
        "marital_status",
        "student_number",
        "name",
        "student_key",
    }
)
# Audited for fairness, off as predictors unless an administrator switches them on.
PROTECTED = ("sex", "birth_year", "region", "parental_education", "parental_income", "special_needs")
