"""Specimens of the store → quality findings and embeddings. Only new ones; killed and started again, nothing
doubles."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from data import queries
from data.engine.progress import Progress
from data.store import Store, write_embeddings
from vision.encoder.backbones import Encoder
from vision.encoder.embed import embed_prepared
from vision.scans.preprocess import fit_ink
from vision.scans.specimens import DamagedImages, each_specimen

CHUNK = 128
"""Specimens per transaction: what a kill can cost."""


def embed_pending(store: Store, encoder: Encoder, progress: Progress | None = None, threads: int = 2) -> int:
    """Check every specimen, and embed those of students who consent to the outcome model, which alone reads
    embeddings. What is there already is not made again.

    Parameters
    ----------
    store : Store
    encoder : Encoder
        Of the variant ``tepat``, whose ink images are those that the checks look at.
    progress : Progress, optional
        Told after each chunk.
    threads : int
        Threads that decode, check and prepare; at least 1.

    Returns
    -------
    int
        Specimens embedded now.

    Raises
    ------
    ValueError
        When the encoder wants its ink prepared in another way.
    vision.scans.specimens.DamagedImages
        At the end, when some stored images cannot be opened; the others are done.
    """
    if encoder.variant != "tepat":
        raise ValueError(f"encoder must be of the variant tepat, got {encoder.variant!r}")
    pending = queries.specimens_without_embedding(store, encoder.info.encoder_id, "outcome_model")
    unchecked = queries.specimens_unchecked(store)
    unchecked = unchecked[~unchecked["specimen_id"].isin(pending["specimen_id"])]
    todo = pd.concat([pending.assign(wanted=True), unchecked.assign(wanted=False)], ignore_index=True)

    def write(ids: list[str], inks: list[np.ndarray]) -> None:
        write_embeddings(store, encoder.info, ids, embed_prepared(encoder, np.stack(inks)))

    damaged = each_specimen(
        store,
        todo.assign(check=True),
        partial(fit_ink, shape=encoder.input_size),
        write,
        what="embedding specimens",
        chunk=CHUNK,
        threads=threads,
        progress=progress,
    )
    if damaged:
        raise DamagedImages(damaged)
    return len(pending)
