"""What a recipe's network said of signatures, and to whom; purpose-bound to the outcome model."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta

import pandas as pd
from sqlalchemy import Connection, insert, select

from data import schema
from data.calendar.clock import today_in
from data.consents.consent import newest_consents
from data.engine.bulk import fetch
from data.engine.clock import now
from data.engine.database import Store
from data.engine.facts import read_fact
from data.trust import audit
from data.trust.scope import Scope
from data.trust.scoping import visible
from data.verification.write import KEPT_DAYS, RETENTION_FACT, NoConsent

PURPOSE, TO_KEEP = "outcome_model", "research"
"""What a student must have agreed to for a prediction, and further for its image to be kept."""


@dataclass(frozen=True)
class NewPrediction:
    """An answer of a network, to be kept.

    Parameters
    ----------
    student_key : str
        Whose signature was asked about.
    recipe : str
    model_sha256 : str
        Of the weights.
    labels : tuple of str
        The two labels.
    share : float
        Of the second label, 0 to 1.
    image_sha256 : str
    findings : list of dict
        Answers of the checks of the scan.
    image : bytes or None
        The picture, only where it is to be kept (:func:`data.signatures.bare.bare`).
    """

    student_key: str
    recipe: str
    model_sha256: str
    labels: tuple[str, str]
    share: float
    image_sha256: str
    findings: list[dict]
    image: bytes | None = field(default=None, repr=False)


def need_outcome_consent(store: Store, student_key: str, *, keep: bool = False) -> None:
    """Raise NoConsent unless the student agrees to the outcome model (and to research, if ``keep``)."""
    with store.reading() as connection:
        _need_consent(connection, student_key, keep)


def write_prediction(store: Store, made: NewPrediction, *, actor: str, role: str) -> str:
    """Append a prediction, and the image encrypted where there is one, with an audit entry. Returns its id.

    Raises
    ------
    data.verification.write.NoConsent
        When the newest consent of the student is not a yes to what is done.
    """
    number = uuid.uuid4().hex
    row = {"prediction_id": number, "student_key": made.student_key, "at": now(), "actor": actor}
    row |= {"role": role, "recipe": made.recipe, "model_sha256": made.model_sha256}
    row |= {"labels": list(made.labels), "share": made.share, "image_sha256": made.image_sha256}
    with store.writing() as connection:
        _need_consent(connection, made.student_key, made.image is not None)
        connection.execute(insert(schema.signature_predictions).values(**row, findings=made.findings))
        if made.image is not None:
            days = int(read_fact(connection, RETENTION_FACT, KEPT_DAYS))
            sealed = store.cipher.encrypt(made.image, f"predicted:{number}")
            kept = {"ciphertext": sealed, "retention_until": today_in(connection) + timedelta(days=days)}
            connection.execute(insert(schema.prediction_images).values(prediction_id=number, **kept))
        about = {"prediction": number, "recipe": made.recipe, "model": made.model_sha256[:16]}
        about |= {"image_sha256": made.image_sha256, "image_kept": made.image is not None}
        who = {"actor": actor, "role": role, "action": "predict signature", "object": made.student_key}
        audit.append_in(connection, **who, detail=about)
    return number


def predictions(store: Store, scope: Scope, key: str | None = None) -> pd.DataFrame:
    """The columns of ``signature_predictions``, the newest first, of students in ``scope``; of one student
    where ``key`` is given."""
    table, owner = schema.signature_predictions, schema.students
    statement = select(table).join(owner, owner.c.student_key == table.c.student_key).where(*visible(scope))
    if key is not None:
        statement = statement.where(table.c.student_key == key)
    with store.reading() as connection:
        return fetch(connection, statement.order_by(table.c.at.desc(), table.c.prediction_id))


def _need_consent(connection: Connection, student_key: str, keep: bool) -> None:
    newest = newest_consents()
    agreed = select(newest.c.purpose).where(newest.c.student_key == student_key, newest.c.granted)
    held = set(connection.scalars(agreed))
    if PURPOSE not in held:
        raise NoConsent("the student has not agreed to the use of signatures in the outcome model")
    if keep and TO_KEEP not in held:
        raise NoConsent("the student has not agreed that signatures are kept for research")
