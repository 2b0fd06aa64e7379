"""A stored decision with its images and opinions → the case file that an officer prints and signs."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime

import pandas as pd
from PIL import Image

from dashboard.reports.case_file import CaseFile, Specimen
from dashboard.reports.provenance import local_time
from dashboard.reports.words import moment_words
from dashboard.shell.wording import Words
from dashboard.verification import findings
from dashboard.verification.comparison import support_words
from dashboard.verification.reviews import told_act, told_reasons
from data.columns import SCREEN
from data.signatures.findings import Finding, read_findings
from data.signatures.specimens import read_pixels

COPIED = "copy_of_specimen"  # the reason of a decision that needs no references
VERSIONS = ("calibration_version", "descriptor_id", "classifier_version")


def as_png(data: bytes) -> bytes:
    """An accepted image of any kind as PNG, upright, for print."""
    buffer = io.BytesIO()
    Image.fromarray(read_pixels(data)).save(buffer, "PNG")
    return buffer.getvalue()


def case_of(
    decision: Mapping,
    subject: str,
    questioned: bytes,
    references: pd.DataFrame,
    images: Mapping[str, bytes],
    reviews: pd.DataFrame,
    words: Words,
    custody: pd.DataFrame,
    people: Mapping[str, str] | None = None,
    zone: str = "",
) -> CaseFile:
    """The case file of a decision, in the reader's language.

    Parameters
    ----------
    decision : mapping
        The row of ``verification_decisions``.
    subject : str
        The student as the reader may see them.
    questioned : bytes
        The image in question.
    references : DataFrame
        ``specimen_id, captured_on, context, medium, sha256`` of the references that were compared.
    images : mapping of str to bytes
        Their files by specimen.
    reviews : DataFrame
        ``at, reviewer, kind, opinion, reason_codes, reasons``; the opinions that the reader may see.
    words : Words
    custody : DataFrame
        From :func:`data.verification.custody.custody`.
    people : mapping of str to str, optional
        Account → the name that is printed.
    zone : str
        Whose clock is told, as an IANA name; empty: UTC.
    """
    people = people or {}

    def when(moment: datetime) -> str:
        return moment_words(local_time(moment.isoformat(), zone), words.language)

    day = words.day(local_time(decision["at"].isoformat(), zone))
    questioned_scan = Specimen(
        decision["decision_id"][:8],
        day,
        words("verification.questioned"),
        decision["questioned_sha256"],
        as_png(questioned),
    )
    ratio = decision["log10_lr"]
    known = ratio is not None and ratio == ratio
    return CaseFile(
        case_number=decision["decision_id"],
        subject=subject,
        questioned=questioned_scan,
        references=tuple(_specimen(row, images, words) for row in references.to_dict("records")),
        outcome=decision["outcome"],
        copied=decision["reason"] == COPIED,
        score=words.signed(decision["score"], 2) if known else "",
        likelihood=support_words(ratio, words) if known else "",
        thresholds=" · ".join(decision[name] for name in VERSIONS),
        findings=tuple(_finding(one, words) for one in read_findings(decision["findings"]) or ()),
        custody=tuple(
            (
                when(row["at"]),
                people.get(row["actor"], row["actor"]),
                words(f"verification.custody_{row['act']}"),
                row["sha256"],
            )
            for row in custody.to_dict("records")
        ),
        decisions=tuple(
            (
                when(row["at"]),
                people.get(row["reviewer"], row["reviewer"]),
                told_act(row["kind"], row["opinion"], words),
                told_reasons(row["reason_codes"], row["reasons"], words),
            )
            for row in reviews.to_dict("records")
        ),
    )


def _specimen(row: Mapping, images: Mapping[str, bytes], words: Words) -> Specimen:
    return Specimen(
        row["specimen_id"][:8],
        words.day(row["captured_on"]),
        _occasion(row, words),
        row["sha256"],
        as_png(images[row["specimen_id"]]),
    )


def _occasion(row: Mapping, words: Words) -> str:
    said = words.named("context", row["context"])
    return f"{said} · {words('signature.on_screen')}" if row["medium"] == SCREEN else said


def _finding(one: Finding, words: Words) -> tuple[str, str, str, str]:
    status = words.named("finding", one.status)
    return one.code, words.named("check", one.code), status, findings.sentence(one, words)
