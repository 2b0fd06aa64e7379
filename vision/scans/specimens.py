"""Specimens of the store, some at a time: opened, decoded, checked, worked on, written.

Killed and started again, nothing doubles.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd

from data import queries
from data.engine.cipher import KeyProblem
from data.engine.progress import Progress
from data.engine.spread import HERE, Spread
from data.signatures.findings import COPY, Finding, as_rows, fingerprint_of, read_findings
from data.store import Store, write_quality
from data.trust.scope import Scope
from vision.scans.fingerprint import copies_among
from vision.scans.images import decode_checked
from vision.scans.preprocess import to_ink
from vision.scans.quality import check_and_clean, check_pixels, find_copy
from vision.threads import threads_told

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


class Maker(Protocol):
    """What is made of ink images; it goes to the workers of a cluster as it is."""

    def of_ink(self, ink: np.ndarray) -> np.ndarray:
        """What is kept of one of :func:`vision.scans.preprocess.to_ink`; called in several threads."""
        ...

    def together(self, kept: list[np.ndarray]) -> np.ndarray:
        """One vector each, float32 (n, d), of what was kept of n ink images."""
        ...


@dataclass(frozen=True)
class Asked:
    """A stored image and what is asked of it: its findings, a vector, or both."""

    data: bytes
    check: bool
    wanted: bool


@dataclass(frozen=True)
class Worked:
    """Findings of each image, None where they were not asked, and the vectors of those that were wanted."""

    findings: list[list[Finding] | None]
    vectors: np.ndarray | None


def worked(by: tuple[Maker, int], asked: list[Asked]) -> Worked:
    """Decode, check and make something of images: one chunk, wherever it is worked on.

    Parameters
    ----------
    by : (Maker, int)
        And threads that decode, check and keep; at least 1, and no more than this process may use.
    asked : list of Asked
    """
    maker, threads = by
    with ThreadPoolExecutor(max(1, min(threads, threads_told()))) as pool:
        done = list(pool.map(partial(_one, maker), asked))
    kept = [made for _, made in done if made is not None]
    return Worked([findings for findings, _ in done], maker.together(kept) if kept else None)


def _one(maker: Maker, asked: Asked) -> tuple[list[Finding] | None, np.ndarray | None]:
    scan, of_page = decode_checked(asked.data)
    if asked.check and asked.wanted:
        findings, ink = check_and_clean(scan)
        return [*findings, *of_page], maker.of_ink(ink)
    checked = [*check_pixels(scan), *of_page] if asked.check else None
    return checked, maker.of_ink(to_ink(scan)) if asked.wanted else None


def each_specimen(
    store: Store,
    pending: pd.DataFrame,
    maker: Maker,
    write: Callable[[list[str], np.ndarray], None],
    *,
    what: str,
    chunk: int,
    threads: int = 1,
    progress: Progress | None = None,
    spread: Spread = HERE,
) -> list[str]:
    """Read specimens, check those that are to be checked, and make and write a vector of those wanted.

    A stored image that cannot be opened is left out and named in the log; the others are not held up by it.

    Parameters
    ----------
    pending : DataFrame
        ``specimen_id``; ``check``, whether its findings are to be made and stored; ``wanted``, whether
        a vector is to be made of it.
    maker : Maker
    write : callable
        Called with ids and vectors, float32 (n, d), once per chunk with anything wanted.
    what : str
        The step's name.
    chunk : int
        Specimens per transaction: what a kill can cost.
    threads : int
        That decode and check, of each process; at least 1.
    spread : Spread
        Where images are decoded, checked and worked on; they are opened, and all is written, in this process.

    Returns
    -------
    list of str
        Ids of the specimens whose stored image cannot be opened.
    """
    damaged: list[str] = []
    known = KnownCopies.of(queries.specimen_table(store)) if pending["check"].any() else None

    def opened() -> Iterator[tuple[tuple[pd.DataFrame, int], list[Asked]]]:
        for start in range(0, len(pending), chunk):
            part = pending.iloc[start : start + chunk]
            files = [_opened(store, one) for one in part["specimen_id"]]
            whole = [data is not None for data in files]
            damaged.extend(part.loc[[not one for one in whole], "specimen_id"])
            part, done = part[whole], start + len(part)
            there = [data for data in files if data is not None]
            asked = zip(there, part["check"], part["wanted"], strict=True)
            yield (part, done), [Asked(data, bool(check), bool(wanted)) for data, check, wanted in asked]

    for (part, done), made in spread.over(worked, opened(), (maker, threads)):
        named = zip(part["specimen_id"], made.findings, strict=True)
        findings = {one: found for one, found in named if found is not None}
        if findings:
            write_quality(store, known.mark_copies(findings))
        if made.vectors is not None:
            write(list(part.loc[part["wanted"], "specimen_id"]), made.vectors)
        if progress:
            progress(done, len(pending), what)
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
