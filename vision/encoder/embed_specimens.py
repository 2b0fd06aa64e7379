"""Specimens of the store → quality findings and embeddings. Only new ones; killed and started again, nothing
doubles."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from data import queries
from data.engine.progress import Progress
from data.engine.spread import HERE, NoCluster, Spread
from data.signatures.encoder_info import EncoderInfo
from data.store import Store, write_embeddings
from vision.encoder.backbones import Encoder, load_encoder
from vision.encoder.embed import embed_prepared
from vision.scans.preprocess import fit_ink
from vision.scans.specimens import DamagedImages, each_specimen

CHUNK = 128
"""Specimens per transaction: what a kill can cost."""


class Embedding:
    """Ink images → vectors: a :class:`vision.scans.specimens.Maker`.

    It goes to a worker without the network, which each process there loads once by its name.

    Parameters
    ----------
    encoder : Encoder
    name : str or None
        By which :func:`vision.encoder.backbones.load_encoder` finds it.
    """

    def __init__(self, encoder: Encoder, name: str | None = None):
        self._here: Encoder | None = encoder
        self.info, self.name = encoder.info, name

    def __getstate__(self) -> dict:
        return {"_here": None, "info": self.info, "name": self.name}

    @property
    def encoder(self) -> Encoder:
        """The network; on a worker the one of that name, if it has the same weights."""
        return self._here or _by_name(self.name, self.info)

    def of_ink(self, ink: np.ndarray) -> np.ndarray:
        """The ink image in the network's size."""
        return fit_ink(ink, self.encoder.input_size)

    def together(self, kept: list[np.ndarray]) -> np.ndarray:
        """Vectors, float32 (n, d)."""
        return embed_prepared(self.encoder, np.stack(kept))


@lru_cache(maxsize=1)
def _by_name(name: str | None, info: EncoderInfo) -> Encoder:
    found = load_encoder(name)
    if (found.info.encoder_id, found.info.weights_sha256) != (info.encoder_id, info.weights_sha256):
        raise NoCluster(
            f"a worker of the cluster has other weights than {info.encoder_id}: "
            "give every machine the same file at the same path"
        )
    return found


def embed_pending(
    store: Store,
    encoder: Encoder,
    progress: Progress | None = None,
    threads: int = 2,
    *,
    name: str | None = None,
    spread: Spread = HERE,
) -> int:
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
    name : str, optional
        Of the encoder, by which a worker finds it; default: the shipped one's.
    spread : Spread
        Where to check and embed.

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

    def write(ids: list[str], vectors: np.ndarray) -> None:
        write_embeddings(store, encoder.info, ids, vectors)

    damaged = each_specimen(
        store,
        todo.assign(check=True),
        Embedding(encoder, name),
        write,
        what="embedding specimens",
        chunk=CHUNK,
        threads=threads,
        progress=progress,
        spread=spread,
    )
    if damaged:
        raise DamagedImages(damaged)
    return len(pending)
