"""Consent per purpose, versioned and withdrawable; the newest row of a purpose holds."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import func, select

from data import schema
from data.bulk import fetch, insert_frame
from data.columns import CONSENT_PURPOSES
from data.database import Store
from data.erase import withdraw_outcome_model
from data.imports import now

TEXT_VERSION = "1"  # of the consent text that the pages show


def newest_consents():
    """SELECT of the consent that holds: one row per student and purpose."""
    consents = schema.consents
    order = (consents.c.recorded_at.desc(), consents.c.consent_id.desc())
    window = {"partition_by": (consents.c.student_key, consents.c.purpose), "order_by": order}
    ranked = select(consents, func.row_number().over(**window).label("age")).subquery()
    return select(ranked).where(ranked.c.age == 1).subquery()


def write_consents(store: Store, frame: pd.DataFrame, *, actor: str = "import") -> int:
    """Append consents; those that say what already holds are left out. Returns how many are new.

    Parameters
    ----------
    frame : DataFrame
        ``purpose`` (one of :data:`data.columns.CONSENT_PURPOSES`), ``granted`` (bool), and ``student_key`` or
        ``student_number``; optionally ``text_version``, ``recorded_at``, ``recorded_by``.

    Raises
    ------
    ValueError
        When a purpose or student is unknown, or ``granted`` is missing.
    """
    strange = set(frame["purpose"]) - set(CONSENT_PURPOSES)
    if strange:
        raise ValueError(f"purpose must be one of {CONSENT_PURPOSES}, got {sorted(map(str, strange))}")
    if frame["granted"].isna().any():
        raise ValueError("granted must be true or false, got a missing value")
    rows = frame.reset_index(drop=True)
    stamp = pd.Timestamp(now())
    defaults = {"text_version": TEXT_VERSION, "recorded_at": stamp, "recorded_by": actor}
    for name, value in defaults.items():
        rows[name] = rows[name].fillna(value) if name in rows else value
    rows["granted"] = rows["granted"].astype(bool)
    rows["recorded_at"] = pd.to_datetime(rows["recorded_at"]).astype("datetime64[us]")
    with store.writing() as connection:
        identities = fetch(
            connection, select(schema.identities.c.student_key, schema.identities.c.student_number)
        )
        if "student_key" not in rows:
            keys = identities.set_index("student_number")["student_key"]
            rows["student_key"] = rows.pop("student_number").map(keys)
        unknown = ~rows["student_key"].isin(set(identities["student_key"]))
        if unknown.any():
            raise ValueError(
                f"every student must be known; {int(unknown.sum())} are not, the first in row "
                f"{unknown.idxmax()}"
            )
        fresh = _not_holding(rows, fetch(connection, select(newest_consents())))
        names = [column.name for column in schema.consents.columns if column.name != "consent_id"]
        insert_frame(connection, schema.consents, fresh[names])
    _forget_scores(store, fresh, actor)
    return len(fresh)


def without_outcome_consent(store: Store, keys: list[str] | None = None) -> list[str]:
    """Students who have a score in which their signature took part, and whose newest decision on the outcome
    model is not a yes: of ``keys``, or of everybody."""
    scores, newest = schema.scores, newest_consents()
    agreed = select(newest.c.student_key).where(newest.c.purpose == "outcome_model", newest.c.granted)
    statement = (
        select(scores.c.student_key)
        .where(scores.c.modality == "fused", scores.c.student_key.not_in(agreed))
        .distinct()
    )
    with store.reading() as connection:
        found = sorted(connection.scalars(statement))
    return found if keys is None else sorted(set(found) & set(keys))


def _forget_scores(store: Store, fresh: pd.DataFrame, actor: str) -> None:
    """After a withdrawal no page may show what the signature took part in; the next scoring uses records."""
    gone = fresh.loc[(fresh["purpose"] == "outcome_model") & ~fresh["granted"], "student_key"]
    for key in without_outcome_consent(store, list(gone)) if len(gone) else ():
        withdraw_outcome_model(store, key, actor=actor)


def record_consent(store: Store, student_key: str, purpose: str, granted: bool, *, actor: str) -> bool:
    """Record one decision, e.g. from a page. Returns whether it changed anything.

    A withdrawn consent to the outcome model also erases the scores in which the signature took part.
    """
    row = {"student_key": student_key, "purpose": purpose, "granted": granted}
    return write_consents(store, pd.DataFrame([row]), actor=actor) == 1


def _not_holding(rows: pd.DataFrame, holding: pd.DataFrame) -> pd.DataFrame:
    """Rows, oldest first, that change what holds; a row older than the one that holds changes nothing."""
    rows = rows.sort_values("recorded_at", kind="stable")
    key = ["student_key", "purpose"]
    rows = rows.merge(
        holding[[*key, "granted", "text_version", "recorded_at"]], on=key, how="left", suffixes=("", "_held")
    )
    # First the overtaken ones: a history handed over again must compare its last row with what holds.
    rows = rows[~(rows["recorded_at"] < rows["recorded_at_held"]).fillna(False)]
    group = rows.groupby(key, sort=False)
    for name in ("granted", "text_version"):
        rows[f"{name}_held"] = group[name].shift().where(group.cumcount() > 0, rows[f"{name}_held"])
    unchanged = rows["granted"].eq(rows["granted_held"]) & rows["text_version"].eq(rows["text_version_held"])
    return rows[~unchanged]
