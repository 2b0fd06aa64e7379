"""Prepare, approve, freeze, prove: the seals of a stored report. No store is touched here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from dashboard.reports.model import ReportTable
from dashboard.reports.provenance import ReportProvenance, content_hash, file_hash, from_content, to_content
from data.trust.reports_store import STEPS, LoggedStep, StoredReport


@dataclass(frozen=True)
class Verification:
    """Whether a stored report, and a file that claims to be it, are what was sealed.

    Parameters
    ----------
    problems : tuple of str
        Codes: ``content_changed``, ``seal_broken``, ``labels_changed`` (profile, version, programme, TS or
        status), ``log_disagrees``, ``log_broken``, ``people_changed``, ``files_changed``, ``file_unknown``,
        ``row_deleted``.
    withdrawn : str
        Reason for which the approval was withdrawn; empty where it stands.
    """

    problems: tuple[str, ...]
    withdrawn: str = ""

    @property
    def intact(self) -> bool:
        """Whether no problem was found."""
        return not self.problems


@dataclass(frozen=True)
class Signer:
    """Who prepares or approves a version, as its files print it.

    Parameters
    ----------
    account : str
    name : str
        What the account is called on that day; empty: it has no name.
    role : str
    """

    account: str
    name: str
    role: str


def prepared_report(
    table: ReportTable,
    provenance: ReportProvenance,
    signer: Signer,
    *,
    report_id: str,
    version: int,
    at: datetime,
) -> StoredReport:
    """A table sealed as prepared by somebody.

    Raises
    ------
    ValueError
        When the table was suppressed (the full one is frozen; suppression happens on the way out) or when the
        preparer is not named.
    """
    if table.external:
        raise ValueError("table must be the full one: small cells are hidden when a file is made")
    if not signer.account:
        raise ValueError("signer must name the account that prepares the report")
    content = to_content(table)
    proof = replace(
        provenance,
        report_id=report_id,
        report_version=version,
        status="prepared",
        prepared_by=signer.account,
        prepared_name=signer.name,
        prepared_role=signer.role,
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
        prepared_by=signer.account,
        prepared_at=at,
        approved_by="",
        approved_at=None,
        sha256=seal(content, proof.to_json()),
        content=content,
        provenance=proof.to_json(),
        files={},
    )


def approved_report(report: StoredReport, signer: Signer, *, at: datetime) -> StoredReport:
    """A prepared report sealed as approved by somebody; its files have no hashes yet."""
    proof = replace(
        ReportProvenance.from_json(report.provenance),
        status="approved",
        approved_by=signer.account,
        approved_name=signer.name,
        approved_role=signer.role,
        approved_at=at.isoformat(),
    )
    return replace(
        report,
        status="approved",
        approved_by=signer.account,
        approved_at=at,
        provenance=proof.to_json(),
        sha256=seal(report.content, proof.to_json()),
    )


def successor(
    report: StoredReport,
    signer: Signer,
    *,
    report_id: str,
    version: int,
    at: datetime,
    reason: str,
) -> StoredReport:
    """A new prepared version of a report whose approval is withdrawn: the same figures, and the reason."""
    table, proof = reopened(report)
    fresh = replace(
        proof,
        approved_by="",
        approved_name="",
        approved_role="",
        approved_at="",
        replaces=f"v{report.version} ({report.report_id}): {reason.strip()}",
    )
    return prepared_report(table, fresh, signer, report_id=report_id, version=version, at=at)


def seal(content: dict, provenance: dict) -> str:
    """SHA-256 over content and provenance."""
    return content_hash({"content": content, "provenance": provenance})


def reopened(report: StoredReport) -> tuple[ReportTable, ReportProvenance]:
    """The table and the provenance that a stored report froze."""
    proof = replace(ReportProvenance.from_json(report.provenance), seal=report.sha256)
    return from_content(report.content), proof


def verify(report: StoredReport, logged: LoggedStep | None, file: bytes | None = None) -> Verification:
    """Recompute every seal of a stored report, and compare its row with what it froze and with the log.

    Parameters
    ----------
    report : StoredReport
    logged : LoggedStep or None
        What the audit log says (:func:`data.trust.reports_store.logged_step`).
    file : bytes, optional
        A file to be recognised as one of those that were approved.
    """
    proof, detail = report.provenance, logged.detail if logged else {}
    people = (report.prepared_by, report.approved_by)
    at_work = logged is None or logged.actor == (report.approved_by or report.prepared_by)
    checks = {
        "content_changed": content_hash(report.content) == proof.get("content_sha256"),
        "seal_broken": seal(report.content, proof) == report.sha256,
        "labels_changed": _labels(report) == _frozen_labels(report),
        "log_disagrees": detail.get("sha256") == report.sha256
        and logged.action == STEPS.get(report.status)
        and all(detail.get(name) == getattr(report, name) for name in IN_LOG),
        "people_changed": people == (proof.get("prepared_by"), proof.get("approved_by")) and at_work,
        "files_changed": detail.get("files", report.files) == report.files,
        "file_unknown": file is None or file_hash(file) in report.files.values(),
    }
    found = tuple(code for code, right in checks.items() if not right)
    return Verification(found, logged.withdrawn if logged else "")


IN_LOG = ("profile", "version", "program_code", "ts_year")


def _labels(report: StoredReport) -> tuple:
    return (
        *(getattr(report, name) for name in IN_LOG),
        report.report_id,
        report.profile_version,
        report.status,
    )


def _frozen_labels(report: StoredReport) -> tuple:
    profile, chosen = report.content["profile"], report.content["selection"]
    proof = report.provenance
    labels = (profile["id"], proof.get("report_version"), chosen["program_code"], chosen["ts"])
    return (*labels, proof.get("report_id"), profile["version"], proof.get("status"))
