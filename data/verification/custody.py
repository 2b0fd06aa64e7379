"""Chain of custody of a questioned signature: who took in, compared, looked at and settled what, and when."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import or_, select

from data import schema
from data.engine.bulk import fetch, fetch_by_keys
from data.engine.database import Store
from data.trust.scope import Scope
from data.verification.queries import decision
from data.verification.reviews import opinions

ACTS = ("reference", "enrolled", "compared", "opinion", "taken_back", "settled", "viewed", "exported")
COLUMNS = ["at", "actor", "act", "sha256"]
_REVIEWED = {
    "opinion": "opinion",
    "withdrawn": "opinion",
    "withdrawal": "taken_back",
    "settlement": "settled",
}
_LOGGED = {"view_case": "viewed", "export": "exported"}


def custody(store: Store, scope: Scope, decision_id: str) -> pd.DataFrame:
    """What happened to a decision and to what it rests on, the oldest first.

    Parameters
    ----------
    scope : Scope
        Other people's opinions are left out as long as the reader must be blind.

    Returns
    -------
    DataFrame
        ``at, actor, act`` (one of :data:`ACTS`) and ``sha256``: of the file that was taken in or compared,
        else of the entry in the audit log, or empty.

    Raises
    ------
    LookupError
        When there is no such decision in reach of ``scope``.
    """
    case = decision(store, scope, decision_id)
    with store.reading() as connection:
        parts = [
            _references(connection, case["reference_ids"]),
            _enrolment(connection, case["enrolment_id"]),
            pd.DataFrame(
                [(case["at"], case["actor"], "compared", case["questioned_sha256"])], columns=COLUMNS
            ),
            _log(connection, decision_id),
        ]
    given = opinions(store, scope, decision_id)
    acts = given["kind"].map(_REVIEWED)
    parts.append(given.assign(actor=given["reviewer"], act=acts, sha256="")[COLUMNS])
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True).sort_values("at", kind="stable", ignore_index=True)


def _references(connection, specimen_ids: list[str]) -> pd.DataFrame:
    """When and by whom each reference came in."""
    specimens, imports = schema.specimens, schema.imports
    columns = (imports.c.started_at.label("at"), imports.c.actor, specimens.c.sha256)
    statement = select(*columns).join(imports, imports.c.import_id == specimens.c.import_id)
    found = fetch_by_keys(connection, statement, specimens.c.specimen_id, specimen_ids)
    return found.assign(act="reference")[COLUMNS]


def _enrolment(connection, enrolment_id) -> pd.DataFrame:
    table = schema.enrolments
    number = -1 if pd.isna(enrolment_id) else int(enrolment_id)
    found = fetch(connection, select(table.c.at, table.c.actor).where(table.c.enrolment_id == number))
    return found.assign(act="enrolled", sha256="")[COLUMNS]


def _log(connection, decision_id: str) -> pd.DataFrame:
    """Who looked at the case or took it out, with the hash of the entry that says so."""
    log = schema.audit_log
    seen = or_(*(log.c.action == action for action in _LOGGED))
    columns = (log.c.at, log.c.actor, log.c.action, log.c.hash.label("sha256"))
    found = fetch(connection, select(*columns).where(log.c.object == decision_id, seen))
    return found.assign(act=found["action"].map(_LOGGED))[COLUMNS]
