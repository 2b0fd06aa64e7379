"""Vectors of specimens, encrypted: embeddings and descriptors are written in one way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlalchemy import Column, Connection, select

from data import schema
from data.engine.bulk import fetch_by_keys, insert_frame
from data.engine.cipher import Cipher
from data.engine.clock import now


def add_vectors(
    connection: Connection,
    cipher: Cipher,
    made_by: tuple[Column, str],
    specimen_ids: Sequence[str],
    vectors: np.ndarray,
    content: str,
) -> int:
    """Store vectors, encrypted; those that are there are left alone. Returns how many are new.

    A specimen that was erased while its vector was made must not come back as one.

    Parameters
    ----------
    connection : Connection
        Writes.
    cipher : Cipher
        The store's.
    made_by : (Column, str)
        The column of the table that says which network or method made a vector, and its value here.
    specimen_ids : sequence of str
        One per row of ``vectors``.
    vectors : ndarray, (n, d)
        In the byte order and width in which they are kept.
    content : str
        What the cipher binds them to, beside the specimen: "embedding", "descriptor".
    """
    column, maker = made_by
    table, specimens, ids = column.table, schema.specimens, list(specimen_ids)
    there = fetch_by_keys(connection, select(specimens.c.specimen_id), specimens.c.specimen_id, ids)
    made = select(table.c.specimen_id).where(column == maker)
    stored = fetch_by_keys(connection, made, table.c.specimen_id, ids)
    wanted = set(there["specimen_id"]) - set(stored["specimen_id"])
    rows = [
        {
            "specimen_id": specimen_id,
            column.name: maker,
            "ciphertext": cipher.encrypt(vector.tobytes(), f"{content}:{specimen_id}"),
            "created_at": now(),
        }
        for specimen_id, vector in zip(ids, vectors, strict=True)
        if specimen_id in wanted
    ]
    insert_frame(connection, table, pd.DataFrame(rows))
    return len(rows)
