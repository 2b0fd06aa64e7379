"""What changed rows said before: writing ``row_history``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Table, select

from data import schema
from data.engine.bulk import fetch_by_keys, insert_frame, to_plain
from data.engine.sealed_numbers import SealedNumber
from data.records.frames import canonical_json


@dataclass(frozen=True)
class History:
    """The history of one table, as one import adds to it.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        In the import's transaction.
    table : sqlalchemy.Table
        The table whose rows are replaced.
    key : list of str
        Its key columns.
    import_id : str
        The import that replaces them.
    at : datetime
        When.
    """

    connection: Connection
    table: Table
    key: list[str]
    import_id: str
    at: datetime

    def keep(self, rows: pd.DataFrame) -> None:
        """Add versions of rows."""
        if rows.empty:
            return
        by_student, dated = "student_key" in rows, "known_at" in rows
        history = pd.DataFrame(
            {
                "table_name": self.table.name,
                "student_key": rows["student_key"].to_numpy() if by_student else None,
                "row_key": _row_keys(self.key, rows),
                "known_at": rows["known_at"].to_numpy() if dated else np.datetime64("NaT", "us"),
                "payload": pd.Series(_payloads(self.table, rows), dtype=object),
                "replaced_by": self.import_id,
                "replaced_at": self.at,
            }
        )
        insert_frame(self.connection, schema.row_history, history)

    def not_yet_kept(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those of ``rows``, versions older than the stored ones, that the history does not have."""
        if rows.empty:
            return rows
        history = schema.row_history
        statement = select(history.c.student_key, history.c.row_key, history.c.payload).where(
            history.c.table_name == self.table.name
        )
        kept = fetch_by_keys(self.connection, statement, history.c.student_key, rows["student_key"].unique())
        found = set(zip(kept["student_key"], kept["row_key"], map(_meaning, kept["payload"]), strict=True))
        asked = zip(
            rows["student_key"],
            _row_keys(self.key, rows),
            map(_meaning, _payloads(self.table, rows)),
            strict=True,
        )
        return rows[[version not in found for version in asked]]


def _row_keys(key: list[str], rows: pd.DataFrame) -> list[str]:
    parts = [rows[name].astype("str") for name in key if name != "student_key"]
    return ["|".join(row) for row in zip(*parts, strict=True)] if parts else [""] * len(rows)


def _payloads(table: Table, rows: pd.DataFrame) -> list[dict]:
    names = [name for name in rows.columns if name != "student_key" and name in table.c]
    names = [name for name in names if not isinstance(table.c[name].type, SealedNumber)]
    columns = [to_plain(rows[name], table.c[name].type) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _meaning(payload: dict) -> str:
    # Without the import and without nulls: a version from a file that lacked a column is the same version.
    said = {name: value for name, value in payload.items() if name != "import_id" and value is not None}
    return canonical_json(said)
