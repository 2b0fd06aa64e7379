"""What a feature is called, what it means, and whether anyone can still change it."""

from __future__ import annotations

from dataclasses import dataclass

from data.columns import DENIED_FEATURES, PROTECTED


class LeakageError(ValueError):
    """Something known only after the as-of date was about to become a feature."""


@dataclass(frozen=True)
class Feature:
    """One original feature, before its categories are spread over columns.

    Parameters
    ----------
    name : str
        Column of the feature table.
    group : str
        Heading under which a page lists it: entry, progress, grades, credits, failures, courses, attendance,
        money, status, records, protected or signature.
    kind : {"number", "category"}
        How it is encoded.
    unit : str
        Unit in words; empty for categories and counts without one.
    label : str
        English name for a chart axis or a sentence.
    changeable : bool
        Whether a student and an advisor can still influence its value in the coming terms.
    modality : {"records", "signature"}
        The source it comes from.
    predictor : bool
        Whether models look at it; one that does not is kept for the models that did.
    optional : bool
        Whether registers without the rows it is made of have no such column; it is missing then, never 0.
    """

    name: str
    group: str
    label: str
    unit: str = ""
    kind: str = "number"
    changeable: bool = False
    modality: str = "records"
    predictor: bool = True
    optional: bool = False

    @property
    def label_key(self) -> str:
        """Key of the label in a catalogue of translations."""
        return f"feature.{self.name}"


def _category(name: str, group: str, label: str, *, changeable: bool = False) -> Feature:
    return Feature(name, group, label, kind="category", changeable=changeable)


RECORD_FEATURES = (
    _category("program_code", "entry", "programme"),
    _category("degree_level", "entry", "degree level"),
    _category("entry_type", "entry", "way of entry"),
    _category("admission_path", "entry", "admission path"),
    _category("funding_at_entry", "entry", "funding at entry"),
    Feature("recognized_credits", "entry", "credits recognised at entry", "credits"),
    Feature("tuition_band", "entry", "tuition band"),
    Feature("even_intake", "entry", "entered in an even term"),
    Feature("as_of_index", "progress", "terms completed", "terms"),
    Feature("terms_left", "progress", "terms left in normal time", "terms"),
    Feature("gpa_cum", "grades", "cumulative GPA", "grade points", changeable=True),
    Feature("gpa_last", "grades", "GPA of the last term", "grade points", changeable=True),
    Feature("gpa_first", "grades", "GPA of the first term", "grade points"),
    Feature("gpa_lowest", "grades", "lowest term GPA", "grade points"),
    Feature("gpa_trend", "grades", "trend of term GPA", "grade points per term", changeable=True),
    Feature("gpa_change", "grades", "change of GPA since the term before", "grade points", changeable=True),
    Feature("gpa_spread", "grades", "spread of term GPA", "grade points", predictor=False),
    Feature("credits_cum", "credits", "credits earned", "credits", changeable=True),
    Feature("credit_pace", "credits", "credits earned against the plan", "share of plan", changeable=True),
    Feature("credits_needed", "credits", "credits needed per remaining term", "credits", changeable=True),
    Feature("credits_last", "credits", "credits passed last term", "credits", changeable=True),
    Feature("load_mean", "credits", "credits taken per term", "credits", changeable=True),
    Feature("pass_ratio", "credits", "credits passed of those taken", "share", changeable=True),
    Feature(
        "pass_ratio_last", "credits", "credits passed of those taken last term", "share", changeable=True
    ),
    Feature("failed_total", "failures", "courses failed so far", "courses"),
    Feature("failed_last", "failures", "courses failed last term", "courses", changeable=True),
    Feature("repeated_total", "failures", "courses repeated so far", "courses"),
    Feature("attendance_mean", "attendance", "attendance so far", "share of meetings", changeable=True),
    Feature("attendance_last", "attendance", "attendance last term", "share of meetings", changeable=True),
    Feature("attendance_change", "attendance", "change of attendance", "share of meetings", changeable=True),
    Feature("arrears_last", "money", "tuition arrears last term", "days", changeable=True),
    Feature("arrears_longest", "money", "longest tuition arrears", "days"),
    Feature("arrears_terms", "money", "terms with tuition arrears", "terms"),
    _category("status_last", "status", "status of the last term", changeable=True),
    Feature("leave_terms", "status", "terms on leave", "terms"),
    Feature("inactive_terms", "status", "inactive terms", "terms"),
    Feature("terms_missing", "records", "terms without a record", "terms"),
    Feature("gpa_missing", "records", "recorded terms without a GPA", "terms"),
)
COURSE_FEATURES = (  # of registers with course grades (:mod:`fusion.features.course_features`)
    Feature(
        *("plan_passed", "courses", "courses of the plan so far that are passed", "share"),
        changeable=True,
        optional=True,
    ),
    Feature(
        *("bottlenecks_repeated", "courses", "bottleneck courses repeated so far", "courses"), optional=True
    ),
)
PROTECTED_FEATURES = (
    _category("sex", "protected", "sex"),
    Feature("age_at_entry", "protected", "age at entry", "years"),
    _category("region", "protected", "region"),
    _category("parental_education", "protected", "parents' education"),
    _category("parental_income", "protected", "parents' income"),
    _category("special_needs", "protected", "special needs"),
)
FEATURES: dict[str, Feature] = {f.name: f for f in RECORD_FEATURES + COURSE_FEATURES + PROTECTED_FEATURES}
ROW_KEYS = ("student_key", "as_of_index")


def signature_feature(number: int) -> Feature:
    """The ``number``-th component (from 0) of the reduced signature embedding."""
    return Feature(
        f"signature_{number:02d}", "signature", "signature", "standard deviations", modality="signature"
    )


def check_names(names, *, allow_protected: bool = False) -> None:
    """Refuse feature names that are exit facts, later knowledge or protected attributes.

    Parameters
    ----------
    names : iterable of str
        Names about to be used as predictors.
    allow_protected : bool
        Whether an administrator has switched protected attributes on.

    Raises
    ------
    LeakageError
        When a name is on :data:`data.columns.DENIED_FEATURES`.
    ValueError
        When a name is protected and ``allow_protected`` is false.
    """
    names = list(names)
    denied = sorted(set(names) & DENIED_FEATURES)
    if denied:
        raise LeakageError(f"features must be known at the as-of date; the deny-list forbids {denied}")
    protected = {*PROTECTED, *(feature.name for feature in PROTECTED_FEATURES)}
    found = sorted(set(names) & protected)
    if found and not allow_protected:
        raise ValueError(f"features must not be protected attributes unless switched on, got {found}")
