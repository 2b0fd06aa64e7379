"""Writing specimens, their quality findings and their embeddings; all encrypted, all safe to repeat."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

import numpy as np
import pandas as pd
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from data import schema
from data.columns import PAPER, SCREEN, SPECIMEN_CONTEXTS
from data.engine.bulk import fetch, fetch_by_keys, insert_frame
from data.engine.database import Store, cipher_of
from data.engine.progress import Progress
from data.keeping.rule import date_signatures
from data.records.imports import finish_import, keep_for_undo, new_import
from data.signatures.encoder_info import EncoderInfo
from data.signatures.findings import found_codes, read_findings
from data.signatures.sealed_vectors import add_vectors
from data.trust.audit import Entry, note_in

CHUNK = 200  # specimens in a transaction: what a kill can cost is embedded or encrypted again


@dataclass(frozen=True)
class NewSpecimen:
    """One signature file, inspected and matched to a student.

    Parameters
    ----------
    student_number : str
        Whose it is.
    data : bytes
        The picture that is kept (:func:`data.signatures.bare.bare`).
    captured_on : datetime.date
        Day of signing.
    context : str
        One of :data:`data.columns.SPECIMEN_CONTEXTS`.
    file_format : str
        "png", "jpeg", …
    width, height : int
        Pixels.
    dpi : int or None
        Resolution, where the file says.
    planted : str or None
        What a generator planted; synthetic data only.
    retention_until : datetime.date or None
        Last day on which it may be kept.
    medium : str
        One of :data:`data.columns.SPECIMEN_MEDIA`.
    sha256 : str
        Of the file as it came; empty: of ``data``.
    strokes : bytes or None
        Of a specimen signed on a screen, and of no other: what was drawn
        (:meth:`data.signatures.strokes.Strokes.to_bytes`); ``data`` is the picture of it.
    """

    student_number: str
    data: bytes = field(repr=False)
    captured_on: date
    context: str
    file_format: str
    width: int
    height: int
    dpi: int | None = None
    planted: str | None = None
    retention_until: date | None = None
    medium: str = PAPER
    sha256: str = ""
    strokes: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SpecimenResult:
    """What :func:`write_specimens` did.

    Parameters
    ----------
    import_id : str
        The import that the new specimens belong to.
    new, same : int
        Specimens written, and specimens that were there.
    erased : int
        Files left out because their student had them erased.
    unmatched : tuple of str
        Student numbers that no student has, each once.
    """

    import_id: str
    new: int
    same: int
    erased: int
    unmatched: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """As in :class:`data.records.frames.ImportResult`."""
        return {"new": self.new, "changed": 0, "same": self.same}


def specimen_id_of(student_key: str, sha256: str) -> str:
    """The id of a specimen: the same file of the same student always has the same."""
    return hashlib.sha256(f"{student_key}:{sha256}".encode()).hexdigest()[:32]


def write_specimens(
    store: Store,
    specimens: Iterable[NewSpecimen],
    *,
    actor: str,
    import_id: str | None = None,
    source: str | None = None,
    synthetic: bool = False,
    progress: Progress | None = None,
    total: int = 0,
    entry: Entry | None = None,
) -> SpecimenResult:
    """Encrypt and store signature files; a file that a student already has is left alone.

    Written in transactions of :data:`CHUNK` files: killed at any moment and started again, nothing is lost
    or doubled.

    Parameters
    ----------
    specimens : iterable of NewSpecimen
        Read as a stream, never held as a whole.
    import_id, source : str
        The import they belong to, or the source of a new import; one of them.
    progress : Progress, optional
    entry : Entry, optional
        What the audit log says of it: written in the transaction of the first specimens that are new.

    Raises
    ------
    ValueError
        When neither ``import_id`` nor ``source`` is given, or a specimen has an unknown context, no data, or
        strokes without a screen or the other way round.
    """
    if import_id is None and source is not None:
        import_id = new_import(store, source=source, files={}, actor=actor, synthetic=synthetic)
    elif import_id is None or source is not None:
        raise ValueError("one of import_id and source must be given")
    new = same = erased = done = 0
    unmatched: dict[str, None] = {}
    for chunk in _chunks(specimens):
        frame = pd.DataFrame([_described(specimen) for specimen in chunk])
        with store.writing() as connection:
            keys = _student_keys(connection, frame["student_number"])
            unmatched |= dict.fromkeys(frame.loc[keys.isna(), "student_number"])
            frame = frame.assign(student_key=keys)[keys.notna()]
            frame, known, gone = _not_stored(connection, frame)
            _insert_specimens(store, connection, frame, import_id)
            if len(frame):
                date_signatures(connection, list(frame["student_key"].unique()), undated=True)
                keep_for_undo(connection, store.cipher, import_id)
                note_in(connection, entry)
                entry = None
        new, same, erased, done = new + len(frame), same + known, erased + gone, done + len(chunk)
        if progress:
            progress(done, total, "writing signatures")
    result = SpecimenResult(import_id, new, same, erased, tuple(unmatched))
    with store.writing() as connection:
        finish_import(connection, import_id, {schema.specimens.name: result.counts})
    return result


def write_embeddings(
    store: Store, encoder: EncoderInfo, specimen_ids: Sequence[str], vectors: np.ndarray
) -> int:
    """Store embeddings, encrypted; those that are there are left alone. Returns how many are new.

    Parameters
    ----------
    encoder : EncoderInfo
        Which network made them.
    specimen_ids : sequence of str
        One per row of ``vectors``.
    vectors : ndarray, (n, encoder.dim), float32
        Finite.

    Raises
    ------
    ValueError
        When shapes disagree, a value is not finite, or the encoder's id is known with other weights.
    """
    vectors = np.ascontiguousarray(vectors, dtype="<f4")
    if vectors.shape != (len(specimen_ids), encoder.dim):
        raise ValueError(f"vectors must be ({len(specimen_ids)}, {encoder.dim}), got {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors must be finite, got NaN or infinity")
    written = 0
    for start in range(0, len(specimen_ids), CHUNK):
        ids = specimen_ids[start : start + CHUNK]
        with store.writing() as connection:
            _register_encoder(connection, encoder)
            made_by = (schema.embeddings.c.encoder_id, encoder.encoder_id)
            part = vectors[start : start + CHUNK]
            written += add_vectors(connection, store.cipher, made_by, ids, part, "embedding")
    return written


def write_quality(store: Store, findings: Mapping[str, list[dict]]) -> None:
    """Replace the quality findings of specimens.

    Parameters
    ----------
    findings : mapping
        specimen_id → list of {"code", "title", "status", "value", "reason"}.
    """
    if not findings:
        return
    specimens = schema.specimens
    statement = (
        update(specimens)
        .where(specimens.c.specimen_id == bindparam("of_specimen"))
        .values(quality=bindparam("found"))
    )
    rows = [{"of_specimen": key, "found": value} for key, value in findings.items()]
    with store.writing() as connection:
        connection.execute(statement, rows)
        _list_findings(connection, findings)


def _list_findings(connection: Connection, findings: Mapping[str, list[dict]]) -> None:
    """Replace what filters look up about the given specimens."""
    specimens, listed = schema.specimens, schema.specimen_findings
    columns = (specimens.c.specimen_id, specimens.c.captured_on)
    known = fetch_by_keys(connection, select(*columns), specimens.c.specimen_id, list(findings))
    connection.execute(
        delete(listed).where(listed.c.specimen_id == bindparam("of_specimen")),
        [{"of_specimen": key} for key in findings],
    )
    rows = [
        (code, specimen_id, captured_on)
        for specimen_id, captured_on in zip(known["specimen_id"], known["captured_on"], strict=True)
        for code in _codes(findings[specimen_id])
    ]
    insert_frame(connection, listed, pd.DataFrame(rows, columns=["code", "specimen_id", "captured_on"]))


def _codes(answers: list[dict]) -> list[str]:
    found = found_codes(read_findings(answers))
    return [*found, *([schema.ANY_FINDING] if found else []), schema.CHECKED]


def _chunks(specimens: Iterable[NewSpecimen]) -> Iterator[list[NewSpecimen]]:
    stream = iter(specimens)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def _described(specimen: NewSpecimen) -> dict:
    if specimen.context not in SPECIMEN_CONTEXTS:
        raise ValueError(f"context must be one of {', '.join(SPECIMEN_CONTEXTS)}, got {specimen.context!r}")
    if not specimen.data:
        raise ValueError("data must be the bytes of a file, got none")
    if (specimen.medium, specimen.strokes is None) not in ((PAPER, True), (SCREEN, False)):
        raise ValueError(f"a specimen of a screen, and no other, has strokes, got medium {specimen.medium!r}")
    return {**vars(specimen), "sha256": specimen.sha256 or hashlib.sha256(specimen.data).hexdigest()}


def _student_keys(connection: Connection, numbers: pd.Series) -> pd.Series:
    identities = schema.identities
    hashes = {number: cipher_of(connection).number_hash(number) for number in numbers.unique()}
    statement = select(identities.c.number_hash, identities.c.student_key)
    found = fetch_by_keys(connection, statement, identities.c.number_hash, list(hashes.values()))
    return numbers.map(hashes).map(dict(zip(found["number_hash"], found["student_key"], strict=True)))


def _not_stored(connection: Connection, frame: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """The rows to insert, how many are stored already, and how many their student had erased."""
    frame = frame.assign(specimen_id=list(map(specimen_id_of, frame["student_key"], frame["sha256"])))
    specimens, erasures = schema.specimens, schema.erasures
    ids, students = list(frame["specimen_id"].unique()), list(frame["student_key"].unique())
    stored = fetch_by_keys(connection, select(specimens.c.specimen_id), specimens.c.specimen_id, ids)
    receipts = fetch_by_keys(connection, select(erasures.c.receipt), erasures.c.student_key, students)
    erased = {specimen_id for receipt in receipts["receipt"] for specimen_id in receipt["specimens"]}
    is_erased = frame["specimen_id"].isin(erased)
    is_same = ~is_erased & (
        frame["specimen_id"].isin(set(stored["specimen_id"])) | frame.duplicated("specimen_id")
    )
    return frame[~is_erased & ~is_same], int(is_same.sum()), int(is_erased.sum())


def _insert_specimens(store: Store, connection: Connection, frame: pd.DataFrame, import_id: str) -> None:
    if frame.empty:
        return
    sealed = [
        store.cipher.encrypt(data, f"image:{specimen_id}")
        for data, specimen_id in zip(frame["data"], frame["specimen_id"], strict=True)
    ]
    rows = frame.drop(columns=["student_number", "data", "strokes"]).assign(import_id=import_id)
    insert_frame(connection, schema.specimens, rows)
    images = pd.DataFrame({"specimen_id": frame["specimen_id"].to_numpy(), "ciphertext": sealed})
    insert_frame(connection, schema.specimen_images, images)
    drawn = [
        (one, store.cipher.encrypt(strokes, f"strokes:{one}"))
        for one, strokes in zip(frame["specimen_id"], frame["strokes"], strict=True)
        if strokes is not None
    ]
    strokes = pd.DataFrame(drawn, columns=["specimen_id", "ciphertext"])
    insert_frame(connection, schema.specimen_strokes, strokes)


def _register_encoder(connection: Connection, encoder: EncoderInfo) -> None:
    encoders = schema.encoders
    known = fetch(connection, select(encoders).where(encoders.c.encoder_id == encoder.encoder_id))
    if known.empty:
        connection.execute(insert(encoders).values(encoder_id=encoder.encoder_id, **vars(encoder)))
    elif known["weights_sha256"].iloc[0] != encoder.weights_sha256:
        raise ValueError(
            f"encoder {encoder.encoder_id!r} is known with other weights "
            f"({known['weights_sha256'].iloc[0][:12]}…, got {encoder.weights_sha256[:12]}…): give it a new "
            "version"
        )
