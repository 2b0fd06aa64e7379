"""Specimens of the store, some at a time: read, decoded, checked, worked on, written.

Killed and started again, nothing doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import pandas as pd

from data import queries
from data.engine.progress import Progress
from data.signatures.findings import COPY, Finding, as_rows, fingerprint_of, read_findings
from data.store import Store, write_quality
from data.trust.scope import Scope
from vision.scans.fingerprint import copies_among
from vision.scans.images import decode_image
from vision.scans.quality import check_pixels, find_copy

Made = TypeVar("Made")


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
) -> None:
    """Read specimens, check those that are to be checked, and make and write something of those wanted.

    Parameters
    ----------
    pending : DataFrame
        ``specimen_id``; ``check``, whether its findings are to be made and stored; ``wanted``, whether
        something is to be made of it.
    make : callable
        Scan (uint8, (h, w) or (h, w, 3)) → what ``write`` takes; called in several threads.
    write : callable
        Called with the ids and what was made of them, once per chunk with anything wanted.
    what : str
        The step's name.
    chunk : int
        Specimens per transaction: what a kill can cost.
    threads : int
        That read and make; at least 1.
    """
    known = KnownCopies.of(queries.specimen_table(store)) if pending["check"].any() else None

    def read(data: bytes, check: bool, wanted: bool) -> tuple[list[Finding] | None, Made | None]:
        scan = decode_image(data)
        return check_pixels(scan) if check else None, make(scan) if wanted else None

    with ThreadPoolExecutor(max(1, threads)) as pool:
        for start in range(0, len(pending), chunk):
            part = pending.iloc[start : start + chunk]
            ids = list(part["specimen_id"])
            files = [queries.specimen_image(store, one, Scope.system()) for one in ids]
            done = dict(zip(ids, pool.map(read, files, part["check"], part["wanted"]), strict=True))
            findings = {one: found for one, (found, _) in done.items() if found is not None}
            if findings:
                write_quality(store, known.mark_copies(findings))
            wanted = list(part.loc[part["wanted"], "specimen_id"])
            if wanted:
                write(wanted, [done[one][1] for one in wanted])
            if progress:
                progress(start + len(part), len(pending), what)


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
