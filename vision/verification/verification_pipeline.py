"""Verification through the store: one questioned signature, or a folder of them.

A questioned signature is compared with the references of the student's enrolment; the outcome is advice to
look again, never a verdict, and the file stays encrypted until its retention ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import pandas as pd

from data import queries
from data.engine.database import Store
from data.engine.progress import Progress
from data.signatures.bare import bare
from data.signatures.files import SignatureFile, iter_signature_files
from data.signatures.findings import COPY, Finding, as_rows, fingerprint_of, found_codes, read_findings
from data.signatures.names import AmbiguousName, NumberIndex
from data.signatures.specimens import ImageFacts, RefusedFile
from data.trust.scope import Scope
from data.verification import queries as reads
from data.verification.duplicates import same_file_of
from data.verification.write import NewDecision, NoConsent, write_decision
from vision.descriptor.describe_specimens import describe_pending
from vision.descriptor.descriptors import Descriptor
from vision.scans.form_finder import Place
from vision.scans.images import Piece, as_crop
from vision.verification.comparing import Found, compare
from vision.verification.conditions import Reading
from vision.verification.enrolling import Enrolment, enrol, enrol_all, need_consent, re_enrol
from vision.verification.likelihood import verbal_key
from vision.verification.threshold_report import ThresholdReport, threshold_report
from vision.verification.verification_tools import Tools, tools_for
from vision.verification.verify import decisive_limit

__all__ = [
    "Decision",
    "Enrolment",
    "describe_pending",
    "enrol",
    "enrol_all",
    "re_enrol",
    "thresholds",
    "verify",
    "verify_folder",
]

_ALL = Scope.system()


@dataclass(frozen=True)
class Decision:
    """What one verification found, as it was stored.

    Attributes
    ----------
    decision_id, student_key : str
    outcome : {"consistent", "inconclusive", "review"}
    reason : str
        Key: ``agrees, differs, unclear, weak_calibration, few_references, not_enrolled, enrolment_outdated,
        no_ink, copy_of_specimen, screen_references``, or why the scan cannot be compared
        (:data:`vision.verification.conditions.REASON_OF`).
    score, log10_lr : float or None
        None where nothing was compared.
    words : str
        Key on the verbal scale, see :func:`vision.verification.likelihood.verbal_key`.
    reference_ids : tuple of str
    nearest_specimen : str or None
        The most similar reference.
    findings : tuple of dict
        Answers of the checks, the pen's among them.
    versions : dict
        ``descriptor_id, descriptor_sha256, classifier_version, calibration_version``.
    thresholds : dict
        ``decisive`` and ``cap`` (|log10 LR|), ``consistent_at`` and ``review_at`` (scores, or None).
    crop : Place or None
        What was cut out of a page.
    """

    decision_id: str
    student_key: str
    outcome: str
    reason: str
    score: float | None
    log10_lr: float | None
    words: str
    reference_ids: tuple[str, ...]
    nearest_specimen: str | None
    findings: tuple[dict, ...]
    versions: dict[str, str]
    thresholds: dict[str, float | None]
    crop: Place | None = None


def verify(
    store: Store,
    student_key: str,
    data: bytes,
    *,
    actor: str,
    role: str = "system",
    descriptor: Descriptor | None = None,
    crop: Place | None = None,
    turn: float = 0.0,
    of_page: Sequence[Finding] = (),
    go_on: Callable[[], object] = lambda: None,
) -> Decision:
    """Compare a questioned signature with a student's references, and store what was found.

    Parameters
    ----------
    data : bytes
        The file. Of a page only the piece with the signature is compared and kept.
    crop : Place, optional
        Where a person says that the signature stands; looked for on a page by default.
    turn : float
        Degrees clockwise by which the piece is turned.
    of_page : sequence of Finding
        What was found on the page that `data` was cut from already.
    go_on : callable
        Called between the steps; what it raises ends the work, and nothing was stored.

    Raises
    ------
    data.signatures.specimens.RefusedFile
        When the file is no image that is taken.
    data.verification.write.NoConsent
        When the student has not agreed to verification.
    LookupError
        When there is no such student.
    """
    piece = as_crop(data, crop, turn)
    given = {"actor": actor, "role": role, "descriptor": descriptor, "go_on": go_on}
    return _verify_piece(store, student_key, piece, (*of_page, *piece.of_page), **given)


def _verify_piece(
    store: Store,
    student_key: str,
    piece: Piece,
    of_page: Sequence[Finding],
    *,
    actor: str,
    role: str,
    descriptor: Descriptor | None,
    go_on: Callable[[], object] = lambda: None,
) -> Decision:
    data, facts = piece.data, piece.facts
    need_consent(store, student_key)
    go_on()
    tools = tools_for(store, descriptor)
    go_on()
    own = queries.student_specimens(store, _ALL, student_key)
    reading = Reading.of(piece.pixels, _fingerprints(own), of_page)
    found = compare(store, tools, own, student_key, piece.pixels, reading)
    if same_file_of(store, facts.sha256) or _is_copy(reading.findings):
        found = replace(found, outcome="review", reason="copy_of_specimen")
    stored = _to_store(tools, found)
    versions = tools.versions | {"calibration_version": found.verification.calibration_version}
    go_on()
    new = NewDecision(student_key, bare(data), _facts(facts), versions, stored)
    decision_id = write_decision(store, new, actor=actor, role=role)
    return Decision(
        decision_id=decision_id,
        student_key=student_key,
        words=verbal_key(stored["log10_lr"] or 0.0),
        versions=versions,
        **{
            name: stored[name]
            for name in ("outcome", "reason", "score", "log10_lr", "nearest_specimen", "thresholds")
        },
        reference_ids=tuple(stored["reference_ids"]),
        findings=tuple(stored["findings"]),
        crop=piece.place,
    )


def verify_folder(
    store: Store,
    source,
    scope: Scope,
    *,
    actor: str,
    role: str = "system",
    since: datetime | None = None,
    progress: Progress | None = None,
    descriptor: Descriptor | None = None,
) -> pd.DataFrame:
    """Verify every signature file of a folder or zip; the student's number stands in its name or folder.

    A bad file never stops the others.

    Parameters
    ----------
    source : path, bytes, or list of (str, bytes)
        See :func:`data.signatures.files.iter_signature_files`.
    scope : Scope
        Whose students are known; the number of anybody else is a number that no student has.
    since : datetime, optional
        When this work began (UTC), if it may have been broken off: what ``actor`` has compared since then is
        taken over, not compared and stored again.

    Returns
    -------
    DataFrame
        ``file, student_key, decision_id, outcome, reason, log10_lr`` (null where the file was not compared),
        ``problem`` (null, or a code: of a refused file, ``no_student``, ``ambiguous`` or ``no_consent``) and
        ``message``; one row per file, in the order of their names.

    Raises
    ------
    data.signatures.specimens.RefusedFile
        When the source as a whole is refused.
    """
    keys = reads.student_keys(store, scope)
    numbers, rows = NumberIndex(keys), []
    decided = {} if since is None else reads.decided_since(store, actor, since)
    for file in iter_signature_files(source):
        row = dict.fromkeys(FOLDER_COLUMNS) | {"file": file.name}
        try:
            key = keys[_number_in(file, numbers)]
            data = file.read()
            piece = as_crop(data)
            found = decided.get((key, hashlib.sha256(piece.data).hexdigest()))
            if found is not None:
                need_consent(store, key)  # it may have been withdrawn since
            else:
                given = {"actor": actor, "role": role, "descriptor": descriptor}
                made = _verify_piece(store, key, piece, piece.of_page, **given)
                found = {name: getattr(made, name) for name in FOLDER_COLUMNS[2:6]}
            row |= {"student_key": key} | found
        except RefusedFile as refusal:
            row |= {"problem": refusal.code, "message": refusal.reason}
        except NoConsent as problem:
            row |= {"problem": "no_consent", "message": str(problem)}
        rows.append(row)
        if progress:
            progress(file.position + 1, file.total, "comparing signatures")
    return pd.DataFrame(rows, columns=FOLDER_COLUMNS)


def thresholds(store: Store, *, descriptor: Descriptor | None = None) -> ThresholdReport:
    """Error rates of the calibration in force: from held-out writers of this register, or from synthetic
    signers, as its ``source`` says."""
    return threshold_report(tools_for(store, descriptor).ground)


FOLDER_COLUMNS = ["file", "student_key", "decision_id", "outcome", "reason", "log10_lr", "problem", "message"]


def _number_in(file: SignatureFile, numbers: NumberIndex) -> str:
    if file.refused is not None:
        raise file.refused
    try:
        number = numbers.read_name(file.name).student_number
    except AmbiguousName as error:
        raise RefusedFile("ambiguous", f"the name {error}; rename the file") from error
    if number is None:
        raise RefusedFile("no_student", "no student number in the name of the file or its folders")
    return number


def _is_copy(findings: Sequence[Finding]) -> bool:
    return COPY in found_codes(findings)


def _to_store(tools: Tools, found: Found) -> dict:
    judged, limit = found.verification, decisive_limit(found.calibration)
    able = limit > 0 and found.calibration.slope > 0
    return {
        "enrolment_id": found.enrolment_id,
        "outcome": found.outcome,
        "reason": found.reason,
        "score": judged.score,
        "log10_lr": judged.log10_lr,
        "thresholds": {
            "decisive": limit,
            "cap": min(found.calibration.cap_same, found.calibration.cap_other),
            "consistent_at": found.calibration.score_at(limit) if able else None,
            "review_at": found.calibration.score_at(-limit) if able else None,
            "source": tools.ground.source,
        },
        "findings": as_rows(found.findings),
        "reference_ids": found.reference_ids,
        "nearest_specimen": None if judged.nearest is None else found.reference_ids[judged.nearest],
    }


def _facts(facts: ImageFacts) -> dict:
    kept = asdict(facts)
    return {"questioned_sha256": kept["sha256"]} | {
        name: kept[name] for name in ("file_format", "width", "height", "dpi")
    }


def _fingerprints(specimens: pd.DataFrame) -> dict[str, str]:
    """Fingerprints of a student's checked specimens by their id."""
    prints = {
        row["specimen_id"]: fingerprint_of(read_findings(row["quality"]))
        for row in specimens.to_dict("records")
    }
    return {specimen: value for specimen, value in prints.items() if value}
