"""SELECTs of specimens, embeddings and consents. Pixels and vectors leave only through two functions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import Select, Table, and_, exists, select

from data import schema
from data.columns import CONSENT_PURPOSES, PAPER
from data.consents.consent import holds, newest_consents
from data.engine.bulk import all_columns, fetch
from data.engine.database import Store
from data.records.spans import EVERYBODY, Span
from data.signatures.strokes import Strokes, read_strokes
from data.trust.scope import Scope
from data.trust.scoping import visible

LISTED = ("specimen_id", "student_key", "captured_on", "context")


def consents_now(store: Store, purpose: str) -> pd.DataFrame:
    """``student_key, granted``: what holds for every student who ever decided about ``purpose``."""
    newest = newest_consents()
    statement = select(newest.c.student_key, newest.c.granted).where(newest.c.purpose == _known(purpose))
    with store.reading() as connection:
        return fetch(connection, statement.order_by(newest.c.student_key))


def consent_history(store: Store, scope: Scope, key: str) -> pd.DataFrame:
    """One student's consents in the order in which they were recorded: the columns of ``consents``."""
    table, owner = schema.consents, schema.students
    statement = (
        select(table)
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(table.c.student_key == key, *visible(scope))
        .order_by(table.c.consent_id)
    )
    with store.reading() as connection:
        return fetch(connection, statement)


def specimen_table(store: Store, purpose: str | None = None) -> pd.DataFrame:
    """Every specimen without its pixels, by student and date: the columns of ``signature_specimens``.

    Parameters
    ----------
    purpose : str, optional
        Only specimens of students whose decision for this purpose that holds is a yes.
    """
    table = schema.specimens
    statement = _consenting(select(table), purpose)
    with store.reading() as connection:
        return fetch(
            connection, statement.order_by(table.c.student_key, table.c.captured_on, table.c.specimen_id)
        )


def student_specimens(store: Store, scope: Scope, key: str) -> pd.DataFrame:
    """One student's specimens, oldest first, without pixels: the columns of ``signature_specimens``."""
    table, owner = schema.specimens, schema.students
    statement = (
        select(table)
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(table.c.student_key == key, *visible(scope))
        .order_by(table.c.captured_on, table.c.specimen_id)
    )
    with store.reading() as connection:
        return fetch(connection, statement)


def specimens_without_embedding(store: Store, encoder_id: str, purpose: str | None = None) -> pd.DataFrame:
    """``specimen_id, student_key, captured_on, context, dpi`` of specimens that ``encoder_id`` has not
    embedded, by id; with ``purpose``, only those of students who consent to it. What was signed on a screen
    is never embedded: what reads embeddings has learned from paper alone."""
    table, done = schema.specimens, schema.embeddings
    embedded = (
        select(done.c.specimen_id)
        .where(done.c.specimen_id == table.c.specimen_id, done.c.encoder_id == encoder_id)
        .exists()
    )
    columns = [table.c[name] for name in (*LISTED, "dpi")]
    statement = _consenting(select(*columns), purpose).where(~embedded, table.c.medium == PAPER)
    with store.reading() as connection:
        return fetch(connection, statement.order_by(table.c.specimen_id))


def any_specimen_waits(store: Store, purpose: str) -> bool:
    """Whether a specimen is unchecked, or every encoder has left out one whose student consents to
    ``purpose``; the search ends at the first."""
    table, found, done = schema.specimens, schema.specimen_findings, schema.embeddings
    checked = exists().where(found.c.code == schema.CHECKED, found.c.specimen_id == table.c.specimen_id)

    def missed(encoder_id: str) -> Select:
        embedded = exists().where(done.c.specimen_id == table.c.specimen_id, done.c.encoder_id == encoder_id)
        return _consenting(select(table.c.specimen_id), purpose).where(~embedded, table.c.medium == PAPER)

    with store.reading() as connection:
        if connection.scalar(select(table.c.specimen_id).where(~checked).limit(1)) is not None:
            return True
        known = connection.scalars(select(schema.encoders.c.encoder_id)).all() or [""]  # none has read any
        return all(connection.scalar(missed(one).limit(1)) is not None for one in known)


def specimens_unchecked(store: Store) -> pd.DataFrame:
    """The same columns, of specimens whose quality nothing has checked, by id."""
    table, found = schema.specimens, schema.specimen_findings
    checked = exists().where(found.c.code == schema.CHECKED, found.c.specimen_id == table.c.specimen_id)
    columns = [table.c[name] for name in (*LISTED, "dpi")]
    with store.reading() as connection:
        return fetch(connection, select(*columns).where(~checked).order_by(table.c.specimen_id))


def specimen_image(store: Store, specimen_id: str, scope: Scope) -> bytes:
    """The file of a specimen as it came, decrypted.

    Parameters
    ----------
    scope : Scope
        Whose page asks; a pipeline says :meth:`data.trust.scope.Scope.system`.

    Raises
    ------
    LookupError
        When there is no such specimen, or ``scope`` does not reach its student.
    """
    return _opened(store, schema.specimen_images, "image", specimen_id, scope)


def specimen_strokes(store: Store, specimen_id: str, scope: Scope) -> Strokes:
    """What was drawn of a specimen that was signed on a screen, decrypted.

    Raises
    ------
    LookupError
        When there is no such specimen, it was signed on paper, or ``scope`` does not reach its student.
    """
    return read_strokes(_opened(store, schema.specimen_strokes, "strokes", specimen_id, scope))


def _opened(store: Store, sealed: Table, prefix: str, specimen_id: str, scope: Scope) -> bytes:
    table, owner = schema.specimens, schema.students
    statement = (
        select(sealed.c.ciphertext)
        .join(table, table.c.specimen_id == sealed.c.specimen_id)
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(sealed.c.specimen_id == specimen_id, *visible(scope))
    )
    with store.reading() as connection:
        found = connection.scalar(statement)
    if found is None:
        raise LookupError(f"no specimen {specimen_id!r} that may be read")
    return store.cipher.decrypt(bytes(found), f"{prefix}:{specimen_id}")


def embeddings(
    store: Store, encoder_id: str, purpose: str, span: Span = EVERYBODY
) -> tuple[pd.DataFrame, np.ndarray]:
    """Embeddings of the students who consented to ``purpose``.

    Parameters
    ----------
    store : Store
    encoder_id : str
    purpose : str
        Of :data:`data.columns.CONSENT_PURPOSES`.
    span : Span
        Of which students.

    Returns
    -------
    specimens : DataFrame, n rows
        ``specimen_id, student_key, captured_on, context``, by student, date and id.
    vectors : ndarray, (n, d), float32
        Row i belongs to specimen i; (0, d) when there is none.
    """
    table, stored, encoder = schema.specimens, schema.embeddings, schema.encoders
    columns = [table.c[name] for name in LISTED]
    statement = (
        select(*columns, stored.c.ciphertext)
        .join(stored, stored.c.specimen_id == table.c.specimen_id)
        .where(stored.c.encoder_id == encoder_id, *span.holds(table.c.student_key))
        .order_by(table.c.student_key, table.c.captured_on, table.c.specimen_id)
    )
    with store.reading() as connection:
        found = fetch(connection, _consenting(statement, _known(purpose)))
        dim = connection.scalar(select(encoder.c.dim).where(encoder.c.encoder_id == encoder_id)) or 0
    vectors = np.empty((len(found), dim), dtype="float32")
    for row, (specimen_id, sealed) in enumerate(
        zip(found["specimen_id"], found.pop("ciphertext"), strict=True)
    ):
        plain = store.cipher.decrypt(bytes(sealed), f"embedding:{specimen_id}")
        vectors[row] = np.frombuffer(plain, dtype="<f4")
    return found, vectors


def encoders(store: Store) -> pd.DataFrame:
    """Encoders that ever embedded something here: the columns of ``encoders``."""
    with store.reading() as connection:
        return fetch(connection, all_columns(schema.encoders).order_by(schema.encoders.c.encoder_id))


def _known(purpose: str) -> str:
    if purpose not in CONSENT_PURPOSES:
        raise ValueError(f"purpose must be one of {', '.join(CONSENT_PURPOSES)}, got {purpose!r}")
    return purpose


def _consenting(statement: Select, purpose: str | None) -> Select:
    if purpose is None:
        return statement
    held, specimens = schema.consents, schema.specimens
    about = and_(held.c.student_key == specimens.c.student_key, held.c.purpose == _known(purpose))
    yes = select(1).select_from(held).where(about, held.c.granted, holds())
    return statement.where(exists(yes.correlate(specimens)))
