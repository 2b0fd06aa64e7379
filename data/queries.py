"""Every SELECT, by one name: ``from data import queries``.

Each function returns a documented frame whose columns keep their types when there is no row (see
:mod:`data.engine.bulk`). Those on single students take a :class:`data.trust.scope.Scope` and enforce it in
SQL.
"""

from __future__ import annotations

from data.cases.queries import case_events, followups_due, last_events, quiet_students
from data.cases.trial_outcomes import help_since_scores
from data.cases.trial_queries import count_near_the_line, offers, trials
from data.records.course_queries import attempt_rows, course_results, grade_rules
from data.records.name_search import named_among, prepare_search
from data.records.queries import (
    Records,
    WholeRegister,
    find_student,
    identities,
    outcomes,
    programs,
    records_until,
    student,
    students,
    term_rows,
)
from data.scores.alike import counted_alike
from data.scores.overview import (
    StoredModel,
    counts,
    exits_by_type,
    flow_counts,
    imports,
    kpi_counts,
    last_closed_term,
    leave_terms,
    models,
    retention,
    served_model,
    student_flow,
)
from data.scores.page_state import (
    StoreState,
    advisor_load,
    data_version,
    explanations,
    previous_cube,
    risk_lines,
    same_file_twice,
    scored_at,
    specimen_counts,
    specimen_list,
    store_state,
)
from data.scores.places import places
from data.scores.prospects import expected_late, first_scored, flow_by_group, last_scored
from data.scores.queries import (
    StoredExplanation,
    caseload,
    caseload_size,
    cohort_cube,
    explanation,
    score_history,
    scores,
    search_students,
)
from data.scores.reasons_cube import reasons_of_risk
from data.scores.standing_queries import (
    MAX_STANDING,
    newest_term,
    own_cohorts,
    own_students,
    past_normal_counts,
    standing,
)
from data.signatures.queries import (
    any_specimen_waits,
    consent_history,
    consents_now,
    embeddings,
    encoders,
    specimen_image,
    specimen_strokes,
    specimen_table,
    specimens_unchecked,
    specimens_without_embedding,
    student_specimens,
)

__all__ = [
    "MAX_STANDING",
    "Records",
    "StoredExplanation",
    "StoredModel",
    "StoreState",
    "advisor_load",
    "case_events",
    "caseload",
    "caseload_size",
    "cohort_cube",
    "consent_history",
    "consents_now",
    "count_near_the_line",
    "counted_alike",
    "counts",
    "course_results",
    "data_version",
    "embeddings",
    "encoders",
    "exits_by_type",
    "expected_late",
    "any_specimen_waits",
    "explanation",
    "explanations",
    "find_student",
    "first_scored",
    "flow_by_group",
    "flow_counts",
    "grade_rules",
    "help_since_scores",
    "followups_due",
    "identities",
    "imports",
    "kpi_counts",
    "last_closed_term",
    "last_events",
    "last_scored",
    "leave_terms",
    "models",
    "named_among",
    "newest_term",
    "offers",
    "outcomes",
    "own_cohorts",
    "own_students",
    "past_normal_counts",
    "places",
    "prepare_search",
    "previous_cube",
    "programs",
    "quiet_students",
    "attempt_rows",
    "WholeRegister",
    "records_until",
    "reasons_of_risk",
    "retention",
    "risk_lines",
    "same_file_twice",
    "score_history",
    "scored_at",
    "scores",
    "search_students",
    "served_model",
    "specimen_counts",
    "specimen_image",
    "specimen_strokes",
    "specimen_list",
    "specimen_table",
    "specimens_unchecked",
    "specimens_without_embedding",
    "student",
    "standing",
    "store_state",
    "student_flow",
    "student_specimens",
    "students",
    "term_rows",
    "trials",
]
