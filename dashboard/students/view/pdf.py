"""The one-page summary of a student as a PDF: a copy for the talk, and a milder one for the student."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.cases import standing
from dashboard.cases.followups import said
from dashboard.reports.provenance import local_time, provenance_of
from dashboard.reports.student_summary import StudentSummary, student_summary
from dashboard.shell import auditing, current_session, exports, stores
from dashboard.shell.view.account_names import name_of
from dashboard.shell.wording import Words
from dashboard.students.reasons import WEIGHTY, not_recorded, reasons_frame
from dashboard.students.telling import told
from dashboard.students.view.parts import place_of, point_of
from data.engine.clock import now
from fusion.explanation.explain import Explanation

LISTED = 4


def student_pdf(
    student: dict,
    terms: pd.DataFrame,
    events: pd.DataFrame,
    score: dict | None,
    reasons: Explanation | None,
    past: dict | None = None,
) -> None:
    """Offer both copies of the summary; one is made when its button is pressed, and the press is audited.

    Parameters
    ----------
    student : dict
        The row of :func:`data.queries.student`; names only where the reader may see them.
    terms, events : DataFrame
        Of :func:`data.queries.term_rows`, by :func:`data.records.told_terms.averaged`, and
        :func:`data.queries.case_events`.
    score, reasons : or None
        The newest score under the model in service and its explanation.
    past : dict or None
        The row of ``queries.standing`` of a student whose normal time is over: said instead of a risk.
    """
    words = current_session.words()
    said = student.get("student_number") or student["student_key"][:8]  # never the name
    student = student | {"advisor": name_of(student.get("advisor"))}
    events, zone = events.assign(at=current_session.here(events["at"])), current_session.zone_name()
    for for_student, key in ((False, "student-pdf"), (True, "student-copy-pdf")):
        made = partial(_file, words, student, terms, events, (score, reasons, past), for_student, zone)
        kind = "copy" if for_student else "talk"
        st.download_button(
            words(f"reports.student_pdf_{kind}"),
            data=auditing.handed_out(made, "export", student["student_key"], kind="pdf", copy=kind),
            file_name=exports.file_name(
                f"student-{said}-{kind}", "pdf", synthetic=stores.is_synthetic(), on=current_session.today()
            ),
            mime="application/pdf",
            icon=":material/picture_as_pdf:",
            help=words(f"reports.student_pdf_{kind}_help"),
            key=key,
            on_click="ignore",
        )


def _file(words: Words, student, terms, events, about, for_student: bool = False, zone: str = "") -> bytes:
    """The file; asked for when no session is at hand, so it is told the reader's language and clock, by which
    the moments of ``events`` are told already."""
    (score, _, _), provenance = about, provenance_of(stores.store(), zone)
    model = stores.served_version()
    footer = f"{words('export.model_version')} {model}" if score and model and not for_student else ""
    made_on = words.day(local_time(now().isoformat(), zone))
    summary = _summary(words, student, terms, events, made_on, *about)
    if for_student:
        summary = _for_the_student(words, summary, about)
    return student_summary(summary, provenance, words.language, footer)


def _for_the_student(words: Words, summary: StudentSummary, about) -> StudentSummary:
    """The milder copy: no risk, no factor that nobody can change, none of the advisor's notes."""
    _, reasons, past = about
    model = stores.model()
    if model is None or not model.keeps_directions:
        reasons = None
    frame = None if reasons is None else reasons_frame(reasons, stores.programs(), words)
    return replace(
        summary,
        sentence=_past(words, past),
        reasons=_plain(frame, raising=True),
        helping=_plain(frame, raising=False),
        fixed_reasons=(),
        contacts=(),
        for_student=True,
    )


def _summary(words: Words, student, terms, events, made_on: str, score, reasons, past) -> StudentSummary:
    model = stores.model()
    if model is None or not model.keeps_directions:
        reasons = None  # they may run against common sense: nothing to hand to a student
    frame = None if reasons is None else reasons_frame(reasons, stores.programs(), words)
    return StudentSummary(
        name=student.get("name") or "",
        student_number=student.get("student_number") or "",
        program=f"{student['program_name']} ({student['degree_level']})",
        cohort=words.term(student["cohort_term"]),
        advisor=student.get("advisor") or "",
        made_on=made_on,
        as_of=point_of(score, words) if score else "",
        sentence=" ".join(filter(None, [_past(words, past), _sentence(words, score)])),
        reasons=_told(words, frame, changeable=True),
        fixed_reasons=_told(words, frame, changeable=False),
        missing=() if reasons is None else tuple(not_recorded(reasons, words)),
        contacts=tuple(
            _event(words, event) for event in events.sort_values("at", ascending=False).to_dict("records")
        ),
        terms=terms.assign(
            term=[words.term(term) for term in terms["term_id"]],
            status=[words.named("status", status) for status in terms["status"]],
        ),
        signature_used=frame is not None and bool((frame["modality"] == "signature").any()),
    )


def _past(words: Words, past: dict | None) -> str:
    return standing.sentence(past, words).replace("**", "") if past else ""


def _sentence(words: Words, score: dict | None) -> str:
    if not score:
        return ""
    footing = stores.footing(score["target"])
    place = place_of(score) if footing.ranks else None
    return told(score, place, footing, words).replace("**", "")


def _told(words: Words, frame: pd.DataFrame | None, *, changeable: bool) -> tuple[str, ...]:
    """The strongest reasons of a kind that raise or lower the risk, with the student's value."""
    rows = _weighty(frame, changeable=changeable)
    return tuple(
        words(
            "reports.reason_up" if row.phi > 0 else "reports.reason_down",
            label=row.label,
            value=f"{row.shown} ({words('reasons.usual', value=row.usual)})" if row.usual else row.shown,
        )
        for row in rows.itertuples()
    )


def _weighty(frame: pd.DataFrame | None, *, changeable: bool) -> pd.DataFrame:
    if frame is None:
        return pd.DataFrame(columns=["label", "shown", "phi", "usual"])
    rows = frame[(frame["modality"] == "records") & (frame["changeable"] == changeable) & frame["told"]]
    rows = rows[rows["phi"].abs() >= WEIGHTY]
    return rows.reindex(rows["phi"].abs().sort_values(ascending=False).index).head(LISTED)


def _plain(frame: pd.DataFrame | None, *, raising: bool) -> tuple[str, ...]:
    """What the student can change, with its value and without a word on risk."""
    rows = _weighty(frame, changeable=True)
    return tuple(f"{row.label}: {row.shown}" for row in rows.itertuples() if (row.phi > 0) == raising)


def _event(words: Words, event: dict) -> str:
    detail = event["detail"] or {}
    parts = [words.day(event["at"]), words.named("event", event["kind"]), said(detail)]
    if detail.get("due_on"):
        parts.append(f"{words('event.due')} {words.day(detail['due_on'])}")
    return " · ".join(filter(None, parts))
