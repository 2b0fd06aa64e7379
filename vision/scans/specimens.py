"""Specimens of the store, some at a time: read, decoded, checked, worked on, written.

Killed and started again, nothing doubles.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import pandas as pd

from data import queries
from data.engine.cipher import KeyProblem
from data.engine.progress import Progress
from data.signatures.findings import COPY, Finding, as_rows, fingerprint_of, read_findings
from data.store import Store, write_quality
from data.trust.scope import Scope
from vision.scans.fingerprint import copies_among
from vision.scans.images import decode_image
from vision.scans.preprocess import to_ink
from vision.scans.quality import check_and_clean, check_pixels, find_copy

Made = TypeVar("Made")
logger = logging.getLogger(__name__)


class DamagedImages(ValueError):
    """Stored images that cannot be opened; everything else was done.

    Parameters
    ----------
    ids : list of str
        Of the specimens.
    """

    def __init__(self, ids: list[str]):
        named = ", ".join(ids[:5]) + (" …" if len(ids) > 5 else "")
        super().__init__(
            f"{len(ids)} stored images cannot be opened ({named}): they were altered on disk; the others are "
            "done. Restore the database, or erase these students' signatures and import them again"
        )
        self.ids = ids


def each_specimen(
    store: Store,
    pending: pd.DataFrame,
    make: Callable[[np.ndarray], Made],
    write: Callable[[list[str], list[Made]], None],
    *,
    what: str,
    chunk: int,
    threads: int = 1,
    progress: Progress | None = None,
) -> list[str]:
    """Read specimens, check those that are to be checked, and make and write something of those wanted.

    A stored image that cannot be opened is left out and named in the log; the others are not held up by it.

    Parameters
    ----------
    pending : DataFrame
        ``specimen_id``; ``check``, whether its findings are to be made and stored; ``wanted``, whether
        something is to be made of it.
    make : callable
        Ink image of a scan (:func:`vision.scans.preprocess.to_ink`) → what ``write`` takes; called in several
        threads.
    write : callable
        Called with the ids and what was made of them, once per chunk with anything wanted.
    what : str
        The step's name.
    chunk : int
        Specimens per transaction: what a kill can cost.
    threads : int
        That read and make; at least 1.

    Returns
    -------
    list of str
        Ids of the specimens whose stored image cannot be opened.
    """
    damaged: list[str] = []
    known = KnownCopies.of(queries.specimen_table(store)) if pending["check"].any() else None

    def read(data: bytes, check: bool, wanted: bool) -> tuple[list[Finding] | None, Made | None]:
        scan = decode_image(data)
        if check and wanted:
            findings, ink = check_and_clean(scan)
            return findings, make(ink)
        return (check_pixels(scan) if check else None), (make(to_ink(scan)) if wanted else None)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        for start in range(0, len(pending), chunk):
            part = pending.iloc[start : start + chunk]
            opened = {one: _opened(store, one) for one in part["specimen_id"]}
            damaged += [one for one, data in opened.items() if data is None]
            part = part[~part["specimen_id"].isin(damaged)]
            ids = list(part["specimen_id"])
            files = [opened[one] for one in ids]
            done = dict(zip(ids, pool.map(read, files, part["check"], part["wanted"]), strict=True))
            findings = {one: found for one, (found, _) in done.items() if found is not None}
            if findings:
                write_quality(store, known.mark_copies(findings))
            wanted = list(part.loc[part["wanted"], "specimen_id"])
            if wanted:
                write(wanted, [done[one][1] for one in wanted])
            if progress:
                progress(start + len(opened), len(pending), what)
    return damaged


def _opened(store: Store, specimen_id: str) -> bytes | None:
    """The file of a specimen; None when it was altered on disk."""
    try:
        return queries.specimen_image(store, specimen_id, Scope.system())
    except KeyProblem:
        logger.error("specimen %s: its stored image cannot be opened", specimen_id)
        return None


class KnownCopies:
    """Fingerprints of all specimens checked so far, to tell copies of one image under several names."""

    def __init__(self, known: dict[str, tuple[Finding, ...]]):
        self._known = known
        prints = {key: fingerprint_of(found) for key, found in known.items()}
        self._prints = {key: value for key, value in prints.items() if value}

    @classmethod
    def of(cls, specimens: pd.DataFrame) -> KnownCopies:
        """From the specimens of the store.

        Parameters
        ----------
        specimens : DataFrame
            ``specimen_id`` and ``quality`` (list of findings, or null until checked).
        """
        read = zip(specimens["specimen_id"], map(read_findings, specimens["quality"]), strict=True)
        return cls({key: found for key, found in read if found is not None})

    def mark_copies(self, findings: dict[str, list[Finding]]) -> dict[str, list[dict]]:
        """Add SIG010 to new findings, and to the older specimens that they copy.

        Parameters
        ----------
        findings : dict of str to list of Finding
            Of new specimens by their id.

        Returns
        -------
        dict of str to list of dict
            Rows to store: the new specimens' and those of older ones that turned out to have a copy.
        """
        told = {key: tuple(found) for key, found in findings.items()}
        fresh = {key: value for key, found in told.items() if (value := fingerprint_of(found))}
        everything = {**self._prints, **fresh}
        keys, own = list(everything), list(fresh)
        for row, column in copies_among(list(fresh.values()), list(everything.values())):
            first, second = own[row], keys[column]
            if first == second:
                continue
            told[first] = _with_copy(told[first], {second: everything[second]})
            older = told.get(second) or self._known[second]
            told[second] = _with_copy(older, {first: everything[first]})
        self._known.update(told)
        self._prints.update(fresh)
        return {key: as_rows(found) for key, found in told.items()}


def _with_copy(findings: tuple[Finding, ...], others: dict[str, str]) -> tuple[Finding, ...]:
    """Findings with SIG010 made anew, unless a copy was found before."""
    return tuple(
        find_copy(str(one.value), others) if one.code == COPY and not one.is_found else one
        for one in findings
    )
