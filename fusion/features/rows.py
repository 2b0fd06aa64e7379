"""Feature rows with whom and when they are about: what a model is taught by and scores."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fusion.features.fuse import Signatures, no_signatures

META = ("student_key", "as_of_index", "program_code", "cohort_term", "cutoff")


@dataclass(frozen=True)
class Rows:
    """Feature table, meta data and the signature known at each row's date, all of one length n.

    Parameters
    ----------
    table : DataFrame
        Features only, RangeIndex.
    meta : DataFrame
        ``student_key``, ``as_of_index``, ``program_code``, ``cohort_term``, ``cutoff``; RangeIndex.
    signatures : Signatures
        Running mean embeddings.
    position : ndarray of int (n,)
        Row of ``signatures.states`` per feature row; -1: no specimen, or no consent.
    """

    table: pd.DataFrame
    meta: pd.DataFrame
    signatures: Signatures
    position: np.ndarray

    def __len__(self) -> int:
        return len(self.table)

    @property
    def students(self) -> np.ndarray:
        """Student of every row."""
        return self.meta["student_key"].to_numpy(object)

    @property
    def as_of(self) -> np.ndarray:
        """Completed terms of every row."""
        return self.meta["as_of_index"].to_numpy(int)

    @property
    def signed(self) -> np.ndarray:
        """Mask of the rows that have a signature."""
        return self.position >= 0

    def take(self, mask) -> Rows:
        """The rows of a mask or an array of positions."""
        keep = np.flatnonzero(mask) if np.asarray(mask).dtype == bool else np.asarray(mask)
        return replace(
            self,
            table=self.table.iloc[keep].reset_index(drop=True),
            meta=self.meta.iloc[keep].reset_index(drop=True),
            position=self.position[keep],
        )

    def of_students(self, keys) -> Rows:
        """The rows of some students."""
        return self.take(self.meta["student_key"].isin(set(keys)).to_numpy())

    def with_positions(self, position: np.ndarray) -> Rows:
        """The same rows with other signatures (permutations, controls)."""
        return replace(self, position=np.asarray(position))

    def unsigned(self) -> Rows:
        """The same rows as if nobody had signed."""
        return self.with_positions(np.full(len(self), -1))

    def without_keys(self) -> Rows:
        """The same rows saying of nobody whose they are, with only the signatures that they use: what leaves
        this process."""
        used, place = np.unique(self.position[self.signed], return_inverse=True)
        position = np.full(len(self), -1)
        position[self.signed] = place
        signatures = replace(
            self.signatures,
            keys=np.zeros(len(used), "U1"),
            days=np.zeros(len(used), "datetime64[ns]"),
            states=self.signatures.states[used],
        )
        return replace(self, meta=self.meta.assign(student_key=""), signatures=signatures, position=position)


def make_rows(tables: list[tuple[pd.DataFrame, pd.DataFrame]], signatures: Signatures | None = None) -> Rows:
    """Stack the feature tables of several as-of terms.

    Parameters
    ----------
    tables : list of (features, meta)
        Each pair of one length; ``meta`` has the columns of :data:`META`.
    signatures : Signatures, optional
        Default: none.
    """
    signatures = signatures or no_signatures()
    kept = [pair for pair in tables if len(pair[0])] or tables[:1]
    table = pd.concat([features for features, _ in kept], ignore_index=True)
    meta = pd.concat([about for _, about in kept], ignore_index=True)[list(META)]
    return Rows(table, meta, signatures, signatures.rows(meta["student_key"], meta["cutoff"]))


@dataclass(frozen=True)
class TrainingSet:
    """Rows with known outcomes for one target.

    Parameters
    ----------
    rows : Rows
    outcome : ndarray (n,)
        1 where the target's event happened.
    """

    rows: Rows
    outcome: np.ndarray
