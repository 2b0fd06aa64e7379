"""Prepare, approve, freeze, prove: the seals of a stored report. No store is touched here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from dashboard.reports.model import ReportTable
from dashboard.reports.provenance import ReportProvenance, content_hash, file_hash, from_content, to_content
from data.reports_store import StoredReport


@dataclass(frozen=True)
class Verification:
    """Whether a stored report, and a file that claims to be it, are what was sealed.

    Parameters
    ----------
    problems : tuple of str
        Codes: ``content_changed``, ``seal_broken``, ``log_disagrees``, ``file_unknown``.
    """

    problems: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether no problem was found."""
        return not self.problems


def prepared_report(
    table: ReportTable,
    provenance: ReportProvenance,
    *,
    report_id: str,
    version: int,
    actor: str,
    at: datetime,
) -> StoredReport:
    """A table sealed as prepared by ``actor``.

    Raises
    ------
    ValueError
        When the table was suppressed (the full one is frozen; suppression happens on the way out) or when the
        preparer is not named.
    """
    if table.external:
        raise ValueError("table must be the full one: small cells are hidden when a file is made")
    if not actor:
        raise ValueError("actor must name the account that prepares the report")
    content = to_content(table)
    proof = replace(
        provenance,
        report_id=report_id,
        report_version=version,
        status="prepared",
        prepared_by=actor,
        prepared_at=at.isoformat(),
        content_sha256=content_hash(content),
    )
    return StoredReport(
        report_id=report_id,
        profile=table.profile.id,
        profile_version=table.profile.version,
        program_code=table.selection.program_code,
        ts_year=table.selection.ts,
        version=version,
        status="prepared",
        prepared_by=actor,
        prepared_at=at,
        approved_by="",
        approved_at=None,
        sha256=seal(content, proof.to_json()),
        content=content,
        provenance=proof.to_json(),
        files={},
    )


def approved_report(report: StoredReport, *, actor: str, at: datetime) -> StoredReport:
    """A prepared report sealed as approved by ``actor``; its files are still to be hashed."""
    proof = replace(
        ReportProvenance.from_json(report.provenance),
        status="approved",
        approved_by=actor,
        approved_at=at.isoformat(),
    )
    return replace(
        report,
        status="approved",
        approved_by=actor,
        approved_at=at,
        provenance=proof.to_json(),
        sha256=seal(report.content, proof.to_json()),
    )


def seal(content: dict, provenance: dict) -> str:
    """SHA-256 over content and provenance."""
    return content_hash({"content": content, "provenance": provenance})


def reopened(report: StoredReport) -> tuple[ReportTable, ReportProvenance]:
    """The table and the provenance that a stored report froze."""
    return from_content(report.content), ReportProvenance.from_json(report.provenance)


def verify(report: StoredReport, logged_seal: str, file: bytes | None = None) -> Verification:
    """Recompute every seal of a stored report.

    Parameters
    ----------
    report : StoredReport
    logged_seal : str
        What the audit log says (:func:`data.reports_store.sealed_in_log`).
    file : bytes, optional
        A file to be recognised as one of those that were approved.
    """
    problems = []
    if content_hash(report.content) != report.provenance.get("content_sha256"):
        problems.append("content_changed")
    if seal(report.content, report.provenance) != report.sha256:
        problems.append("seal_broken")
    if logged_seal != report.sha256:
        problems.append("log_disagrees")
    if file is not None and file_hash(file) not in report.files.values():
        problems.append("file_unknown")
    return Verification(tuple(problems))
