"""One page about one student: a copy for the talk, and a milder one to hand to the student.

The student's copy holds no risk and no figure of how many people like them graduate, none of the factors that
nobody can change, and none of the advisor's notes: their own record, what is worth talking about, and rights.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dashboard.reports import documents
from dashboard.reports.charts import grouped_bars
from dashboard.reports.provenance import Provenance
from dashboard.reports.words import figure, say

LONGEST = 8  # entries of a list on one page


@dataclass(frozen=True)
class StudentSummary:
    """What the page says, in the reader's words; nothing is computed here.

    Parameters
    ----------
    name, student_number : str
        Empty where the reader may not identify the student.
    program, cohort, as_of : str
        As printed.
    sentence : str
        The risk in plain words with its range; empty where no model is in service.
    reasons, fixed_reasons, missing, contacts : tuple of str
        Reasons one can act on, fixed factors, missing data, notes.
    terms : DataFrame
        ``term`` (as printed), ``status, gpa_term, gpa_cum, credits_passed``, oldest first; with
        ``gpa_cum_is_mean``: whether the cumulative average is the mean of the terms.
    signature_used : bool
        Whether a signature took part, so that the standing notice is printed.
    helping : tuple of str
        What speaks for the student, of the student's copy.
    advisor, made_on : str
        As printed; who is responsible for the student, and the day of the page.
    for_student : bool
        Whether it is the copy to hand over.
    """

    name: str
    student_number: str
    program: str
    cohort: str
    as_of: str
    sentence: str
    reasons: tuple[str, ...]
    fixed_reasons: tuple[str, ...]
    missing: tuple[str, ...]
    contacts: tuple[str, ...]
    terms: pd.DataFrame
    signature_used: bool = False
    helping: tuple[str, ...] = ()
    advisor: str = ""
    made_on: str = ""
    for_student: bool = False

    def __post_init__(self):
        if self.for_student and (self.fixed_reasons or self.contacts):
            raise ValueError("the student's copy must hold neither fixed reasons nor notes of the advisor")


def student_summary(
    summary: StudentSummary, provenance: Provenance, language: str, footer: str = ""
) -> bytes:
    """The page as a PDF.

    Parameters
    ----------
    summary : StudentSummary
    provenance : Provenance
    language : {"id", "en"}
    footer : str
        Model and data version, as printed.
    """
    pairs = [(say(language, "name"), summary.name), (say(language, "student_number"), summary.student_number)]
    pairs += [(say(language, "program"), summary.program), (say(language, "cohort"), summary.cohort)]
    pairs += [(say(language, "as_of"), summary.as_of), (say(language, "advisor"), summary.advisor)]
    pairs.append((say(language, "made_on"), summary.made_on))
    blocks = [documents.facts([pair for pair in pairs if pair[1]])]
    if summary.for_student:
        blocks.append(documents.note(say(language, "student_copy_lead")))
    if summary.sentence:
        blocks.append(documents.note(summary.sentence))
    about = "to_talk_about" if summary.for_student else "reasons"
    lists = {about: summary.reasons, "helping": summary.helping, "fixed_reasons": summary.fixed_reasons}
    lists |= {"missing_data": summary.missing, "contacts": summary.contacts}
    for title, lines in lists.items():
        if lines:
            blocks += [documents.heading(say(language, title)), documents.items(lines[:LONGEST])]
    if len(summary.terms):
        blocks += _terms(summary.terms, language)
    blocks.append(documents.heading(say(language, "contest")))
    if summary.signature_used:
        blocks.append(documents.text(say(language, "signature_caveat")))
    blocks.append(documents.text(say(language, "contest_text")))
    kind = "copy_student" if summary.for_student else "copy_talk"
    foot = " · ".join(filter(None, (say(language, kind), footer)))
    return documents.document(say(language, "student_title"), blocks, provenance, language, footer=foot)


def _terms(terms: pd.DataFrame, language: str) -> list[dict]:
    names = terms["term"].tolist()
    mean = "gpa_cum_is_mean" in terms and bool(terms["gpa_cum_is_mean"].any())
    cumulative = "gpa_cum_mean" if mean else "gpa_cum"
    head = [say(language, key) for key in ("term", "status", "gpa_term", cumulative, "credits")]
    rows = [
        [
            name,
            row.status,
            *(_shown(value, language) for value in (row.gpa_term, row.gpa_cum)),
            _shown(row.credits_passed, language, "0"),
        ]
        for name, row in zip(names, terms.itertuples(), strict=True)
    ]
    marks = [None if pd.isna(value) else float(value) for value in terms["gpa_term"]]
    drawn = grouped_bars(
        say(language, "gpa_chart"), names, {say(language, "gpa_term"): marks}, language, form="0.00"
    )
    table = documents.table(head, rows, right=[False, False, True, True, True], size=8)
    return [documents.heading(say(language, "term")), table, documents.chart(drawn)]


def _shown(value, language: str, form: str = "0.00") -> str:
    return "—" if pd.isna(value) else figure(value, form, language)
