"""The case file of a signature verification: scans, references, hashes, chain of custody, opinions."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.reports import documents
from dashboard.reports.provenance import Provenance, file_hash
from dashboard.reports.words import say

OUTCOMES = ("consistent", "inconclusive", "review")
FEWEST_REFERENCES = 3


@dataclass(frozen=True)
class Specimen:
    """A scan as it is printed.

    Parameters
    ----------
    specimen_id, captured_on, context : str
    sha256 : str
        Of the file as it came.
    png : bytes
        For print; its own hash is printed beside that of the file.
    """

    specimen_id: str
    captured_on: str
    context: str
    sha256: str
    png: bytes


@dataclass(frozen=True)
class CaseFile:
    """One verification.

    Parameters
    ----------
    case_number, subject : str
        ``subject`` is the student as the reader may see them.
    questioned : Specimen
    references : tuple of Specimen
    outcome : {"consistent", "inconclusive", "review"}
        Never "genuine" or "forged".
    score, likelihood : str
        As printed, with the verbal scale; empty where there is none.
    thresholds : str
        Versions of the thresholds, the descriptor and the classifier.
    findings : tuple of (code, title, status, reason)
    custody : tuple of (time, person, act, SHA-256)
    decisions : tuple of (time, person, decision, reason)
    copied : bool
        The questioned image is a copy of a specimen on file, which is seen without any comparison.
    """

    case_number: str
    subject: str
    questioned: Specimen
    references: tuple[Specimen, ...]
    outcome: str
    score: str
    likelihood: str
    thresholds: str
    findings: tuple[tuple[str, str, str, str], ...] = ()
    custody: tuple[tuple[str, str, str, str], ...] = ()
    decisions: tuple[tuple[str, str, str, str], ...] = ()
    copied: bool = False

    def __post_init__(self):
        if self.outcome not in OUTCOMES:
            raise ValueError(f"outcome must be one of {', '.join(OUTCOMES)}, got {self.outcome!r}")
        compared = self.outcome != "inconclusive" and not self.copied
        if compared and len(self.references) < FEWEST_REFERENCES:
            few = f"with fewer than {FEWEST_REFERENCES} references"
            raise ValueError(f"outcome must be inconclusive {few}, got {self.outcome!r}")


def case_file(case: CaseFile, provenance: Provenance, language: str) -> bytes:
    """The case file as a PDF whose every page says that it is no forensic opinion."""
    blocks = [
        documents.note(say(language, "case_footer")),
        documents.facts(
            [
                (say(language, "case_number"), case.case_number),
                (say(language, "name"), case.subject),
                (say(language, "outcome"), say(language, f"outcome_{case.outcome}")),
                (say(language, "similarity"), case.score or "—"),
                (say(language, "likelihood"), case.likelihood or "—"),
                (say(language, "thresholds"), case.thresholds),
            ]
        ),
        documents.heading(say(language, "questioned")),
        documents.pictures([_picture(case.questioned, language)], columns=1),
        documents.heading(say(language, "references")),
    ]
    if len(case.references) < FEWEST_REFERENCES:
        told = "copied" if case.copied else "few_references"
        blocks.append(documents.note(say(language, told)))
    if case.references:
        blocks.append(documents.pictures([_picture(each, language) for each in case.references]))
    blocks += _listings(case, language)
    said = (say(language, "confidential_people"), say(language, "case_footer"), case.case_number)
    footer = " · ".join(said)
    title = say(language, "case_title")
    people = [(say(language, role), "") for role in ("first_reviewer", "second_reviewer", "officer")]
    return documents.document(title, blocks, provenance, language, footer=footer, signed_by=people)


def _picture(specimen: Specimen, language: str) -> tuple[bytes, str, str]:
    captured = f"{say(language, 'captured_on')} {specimen.captured_on}"
    caption = f"{specimen.specimen_id} · {specimen.context} · {captured} · SHA-256 {grouped(specimen.sha256)}"
    return specimen.png, f"{say(language, 'specimen')} {specimen.specimen_id}", caption


def _listings(case: CaseFile, language: str) -> list[dict]:
    def listing(title: str, heads: tuple[str, ...], rows, widths) -> list[dict]:
        words = [say(language, key) for key in heads]
        flags = [False] * len(words)
        return [
            documents.heading(say(language, title)),
            documents.table(words, rows, right=flags, widths=widths, size=8),
        ]

    blocks = []
    if case.findings:
        blocks += listing(
            "findings", ("code", "meaning", "status", "reason"), case.findings, (0.7, 1.6, 1, 2.4)
        )
    custody = case.custody or ()
    printed = ("—", "—", say(language, "printed"), file_hash(case.questioned.png))
    steps = [(*step[:3], grouped(step[3])) for step in (*custody, printed)]
    blocks += listing("custody", ("time", "by", "act", "sha256"), steps, (1.1, 1, 1.6, 3.2))
    if case.decisions:
        blocks += listing(
            "decisions", ("time", "by", "outcome", "reason"), case.decisions, (1.1, 1, 1.2, 2.6)
        )
    return blocks


def grouped(sha256: str) -> str:
    """A hash in groups of eight characters, so that it can break across lines and be read out."""
    return " ".join(sha256[at : at + 8] for at in range(0, len(sha256), 8))
