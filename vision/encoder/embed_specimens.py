"""Specimens of the store → quality findings and embeddings. Only new ones; killed and started again, nothing
doubles."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd

from data import queries
from data.signatures.findings import COPY, Finding, as_rows, fingerprint_of, read_findings
from data.store import Store, write_embeddings, write_quality
from data.trust.scope import Scope
from vision.encoder.backbones import Encoder
from vision.encoder.embed import embed_prepared, prepare_image
from vision.scans.fingerprint import copies_among
from vision.scans.images import decode_image
from vision.scans.quality import check_pixels, find_copy

CHUNK = 128
"""Specimens per transaction: what a kill can cost."""


def embed_pending(
    store: Store,
    encoder: Encoder,
    progress: Callable[[int, int], None] | None = None,
    threads: int = 2,
) -> int:
    """Check every specimen, and embed those of students who consent to the outcome model, which alone reads
    embeddings. What is there already is not made again.

    Parameters
    ----------
    store : Store
    encoder : Encoder
    progress : callable, optional
        Receives (done, total) after each chunk.
    threads : int
        Threads that decode, check and prepare; at least 1.

    Returns
    -------
    int
        Specimens embedded now.
    """
    pending = queries.specimens_without_embedding(store, encoder.info.encoder_id, "outcome_model")
    unchecked = queries.specimens_unchecked(store)
    unchecked = unchecked[~unchecked["specimen_id"].isin(pending["specimen_id"])]
    embedded = len(pending)
    pending = pd.concat([pending.assign(wanted=True), unchecked.assign(wanted=False)], ignore_index=True)
    if pending.empty:
        return 0
    known = KnownCopies.of(queries.specimen_table(store))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for start in range(0, len(pending), CHUNK):
            chunk = pending.iloc[start : start + CHUNK]
            files = [queries.specimen_image(store, key, Scope.system()) for key in chunk["specimen_id"]]
            results = list(pool.map(partial(_read, encoder), files, chunk["wanted"]))
            findings = {key: found for key, (_, found) in zip(chunk["specimen_id"], results, strict=True)}
            write_quality(store, known.mark_copies(findings))
            inks = [ink for ink, _ in results if ink is not None]
            if inks:
                ids = list(chunk.loc[chunk["wanted"], "specimen_id"])
                write_embeddings(store, encoder.info, ids, embed_prepared(encoder, np.stack(inks)))
            if progress:
                progress(start + len(chunk), len(pending))
    return embedded


def _read(encoder: Encoder, data: bytes, wanted: bool) -> tuple[np.ndarray | None, list[Finding]]:
    """A specimen prepared for the encoder, unless its vector is not wanted, and its findings."""
    image = decode_image(data)
    return prepare_image(encoder, image) if wanted else None, check_pixels(image)


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
