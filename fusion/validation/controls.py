"""Negative controls: what the verdict says when the "signature" cannot carry anything.

An instrument that finds a gain from pure noise, or from the size and resolution of the scan, must not be
believed when it finds one from ink.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from fusion.features.fuse import Signatures, mean_signatures
from fusion.features.rows import Rows
from fusion.validation.ablation import Ablation, shuffle_positions
from fusion.validation.assess import assess

BATCH = 64  # scans embedded at once
FACTS = ("width", "height", "dpi", "day_of_year")


def noise_signatures(signatures: Signatures, rng: np.random.Generator) -> Signatures:
    """The same students and dates with random directions in place of embeddings."""
    owners, place = np.unique(signatures.keys, return_inverse=True)
    noise = rng.normal(size=(len(owners), max(signatures.states.shape[1], 1))).astype(np.float32)
    return replace(signatures, states=noise[place], encoder_id="control: noise")


def scan_facts(specimens: pd.DataFrame) -> Signatures:
    """Facts of the file in place of embeddings: size, resolution, day of the year.

    Parameters
    ----------
    specimens : DataFrame
        ``student_key, captured_on, width, height, dpi`` (``data.queries.specimen_table``), of consenting
        students.
    """
    table = specimens.assign(day_of_year=pd.to_datetime(specimens["captured_on"]).dt.dayofyear)
    values = table[list(FACTS)].astype(float)
    values = (values - values.mean()) / values.std().replace(0, 1.0)
    plain = values.fillna(0.0).to_numpy(np.float32)
    # A constant beside them keeps their size when vectors are brought to unit length.
    return mean_signatures(table, np.column_stack([plain * 0.2, np.ones(len(plain))]), "control: scan facts")


def network_controls(
    encoder, specimens: pd.DataFrame, read: Callable[[str], bytes], rng: np.random.Generator
) -> dict[str, Signatures]:
    """Embeddings that hold no ink, and embeddings of a network that has learned nothing.

    Parameters
    ----------
    encoder : vision.encoder.backbones.Encoder
        The one that made the signatures.
    specimens : DataFrame
        ``specimen_id, student_key, captured_on``, of consenting students; the first of each is used.
    read : callable
        Specimen → its file.
    rng : Generator
        Shuffles the weights.

    Returns
    -------
    dict of str to Signatures
        "blank paper": the scan's own paper, without what was written on it; "untrained network".
    """
    from vision.encoder.embed import embed_prepared, prepare_image
    from vision.encoder.heat_maps import shuffled_encoder
    from vision.scans.images import decode_image

    first = specimens.sort_values("captured_on").drop_duplicates("student_key")
    untrained, vectors = shuffled_encoder(encoder, rng), {"blank paper": [], "untrained network": []}
    for start in range(0, len(first), BATCH):
        scans = [decode_image(read(key)) for key in first["specimen_id"].iloc[start : start + BATCH]]
        blank = np.stack([prepare_image(encoder, _paper(scan)) for scan in scans])
        inks = np.stack([prepare_image(encoder, scan) for scan in scans])
        vectors["blank paper"].append(embed_prepared(encoder, blank))
        vectors["untrained network"].append(embed_prepared(untrained, inks))
    return {
        name: mean_signatures(first, np.vstack(found), f"control: {name}")
        for name, found in vectors.items()
        if found
    }


def _paper(scan: np.ndarray) -> np.ndarray:
    """The scan with every pixel as bright as its paper (the median)."""
    return np.broadcast_to(np.median(scan, axis=(0, 1)).astype(scan.dtype), scan.shape).copy()


def run_controls(
    records,
    rows: Rows,
    specimens: pd.DataFrame,
    *,
    seed: int = 0,
    draws: int = 200,
    further: dict[str, Signatures] | None = None,
) -> dict[str, dict[str, Ablation]]:
    """The ablation with noise, with other students' signatures, with scan facts, and with ``further``.

    Parameters
    ----------
    records : Records
    rows : Rows
        With the real signatures.
    specimens : DataFrame
        For :func:`scan_facts`; may be empty.
    seed, draws : int
    further : dict of str to Signatures, optional
        More controls (:func:`network_controls`).

    Returns
    -------
    dict of str to dict of str to Ablation
        Control → target → result. Each verdict should be "adds nothing measurable" (or too few).
    """
    rng = np.random.default_rng([seed, 70])
    controls = {
        "noise": replace(rows, signatures=noise_signatures(rows.signatures, rng)),
        "other students' signatures": rows.with_positions(_swapped(rows, rng)),
    }
    others = {"scan facts": scan_facts(specimens)} if len(specimens) else {}
    for name, signatures in (others | (further or {})).items():
        place = signatures.rows(rows.meta["student_key"], rows.meta["cutoff"])
        controls[name] = replace(rows, signatures=signatures, position=place)
    results = {}
    for name, controlled in controls.items():
        result = assess(records, controlled, seed=seed, draws=draws)
        results[name] = result.ablations if result else {}
    return results


def _swapped(rows: Rows, rng: np.random.Generator) -> np.ndarray:
    """Signature positions after a swap among the signed students of each programme and intake."""
    position = rows.position.copy()
    position[rows.signed] = shuffle_positions(rows.take(rows.signed), rng)
    return position
