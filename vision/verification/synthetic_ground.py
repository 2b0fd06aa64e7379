"""Synthetic signers and their forgers: what verification rests on where a register has too few writers.

No real person's signature is in it. ``python -m vision calibrate --synthetic OUT`` makes the shipped file.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data.engine.drafts import forget_drafts
from data.engine.progress import Progress
from vision.descriptor.descriptors import Descriptor
from vision.verification.forger_share import DESCRIPTOR_KEY, SYNTHETIC_DOUBT, forgers_for
from vision.verification.ground import Ground, WriterSet, background_of, fit_calibrations, synthetic_trials
from vision.verification.verify import CLASSIFIER_VERSION

WRITERS, GENUINE, FORGED = 60, 6, 4
MADE_AT_ONCE = 40
"""Signers made where the shipped file does not fit: enough for a calibration, and soon done."""
SEED = 20_260_101
SHIPPED = Path(__file__).parents[1] / "weights" / "verification-synthetic.safetensors"
VERSION = "synthetic-2"


@dataclass(frozen=True)
class SyntheticSet:
    """Described synthetic signers.

    Attributes
    ----------
    descriptor_id : str
        The descriptor, see :func:`vision.descriptor.describe_specimens.id_of_descriptor`.
    writers : tuple of WriterSet
    trials : DataFrame
        See :func:`vision.verification.ground.synthetic_trials`.
    """

    descriptor_id: str
    writers: tuple[WriterSet, ...]
    trials: pd.DataFrame

    def ground(self, blocks) -> Ground:
        """Background of synthetic signers; what scores mean there, from known forgers of real writers where
        these were measured by the same descriptor, else from the synthetic forgers."""
        known = forgers_for(self.descriptor_id, CLASSIFIER_VERSION)
        calibrations = (
            known.calibrations(VERSION) if known else fit_calibrations(self.trials, VERSION, SYNTHETIC_DOUBT)
        )
        return Ground("synthetic", VERSION, background_of(self.writers, blocks), calibrations, self.trials)


def make_synthetic(
    descriptor: Descriptor, descriptor_id: str, progress: Progress | None = None, writers: int = WRITERS
) -> SyntheticSet:
    """Draw and describe synthetic signers, each with one forger who has practised the signature."""
    from data.synthetic import signatures

    made = []
    for number in range(writers):
        rng = np.random.default_rng((SEED, number))
        writer = signatures.make_writer(rng)
        forger = signatures.make_forger(writer, rng)
        genuine = [_describe(descriptor, signatures.perform(writer, rng), rng) for _ in range(GENUINE)]
        forged = [
            _describe(descriptor, signatures.perform(writer, rng, "skilled", forger), rng)
            for _ in range(FORGED)
        ]
        made.append((np.array(genuine), np.array(forged)))
        if progress:
            progress(number + 1, writers, "describing synthetic signers")
    counts = [(len(genuine), len(forged)) for genuine, forged in made]
    codes, scale = _coded(np.concatenate([part for both in made for part in both]))
    sets = _apart(_decoded(codes, scale), counts)  # as a file would give them back
    return SyntheticSet(descriptor_id, sets, synthetic_trials(sets, descriptor.blocks))


def load_synthetic(
    descriptor: Descriptor, descriptor_id: str, folder: Path, progress: Progress | None = None
) -> SyntheticSet:
    """The shipped signers where they were described by this descriptor, else signers made now and kept.

    Parameters
    ----------
    folder : Path
        Where those made for another descriptor than the shipped one are kept.
    """
    kept = folder / f"{descriptor_id.replace('/', '-')}.safetensors"
    for path in (SHIPPED, kept):
        if path.exists() and described_by(path) == descriptor_id:
            return read_synthetic(path, descriptor.blocks)
    made = make_synthetic(descriptor, descriptor_id, progress, MADE_AT_ONCE)
    write_synthetic(made, kept)
    return made


def write_synthetic(made: SyntheticSet, path: Path) -> None:
    """Keep described signers in a file, a byte per number."""
    from safetensors.numpy import save_file

    counts = [[len(one.genuine), len(one.skilled)] for one in made.writers]
    vectors = np.concatenate([part for one in made.writers for part in (one.genuine, one.skilled)])
    about = {
        DESCRIPTOR_KEY: made.descriptor_id,
        "classifier_version": CLASSIFIER_VERSION,
        "counts": json.dumps(counts),
        "trials": made.trials.round({"score": 5}).to_json(orient="split", index=False),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    forget_drafts(path.parent, f"{path.stem}.", ".partial")
    partial = path.with_suffix(f".{os.getpid()}.partial")
    codes, scale = _coded(vectors)
    save_file({"codes": codes, "scale": scale}, partial, metadata=about)
    partial.replace(path)


def described_by(path: Path) -> str:
    """The descriptor of the signers in a file."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return file.metadata()[DESCRIPTOR_KEY]


def read_synthetic(path: Path, blocks) -> SyntheticSet:
    """Signers from a file; tried again where another classifier made their scores."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        about = file.metadata()
        vectors = _decoded(file.get_tensor("codes"), file.get_tensor("scale"))
    writers = _apart(vectors, json.loads(about["counts"]))
    if about["classifier_version"] != CLASSIFIER_VERSION:
        return SyntheticSet(about[DESCRIPTOR_KEY], writers, synthetic_trials(writers, blocks))
    split = json.loads(about["trials"])
    trials = pd.DataFrame(split["data"], columns=split["columns"])
    return SyntheticSet(about[DESCRIPTOR_KEY], writers, trials)


def _describe(descriptor: Descriptor, trajectory, rng) -> np.ndarray:
    from data.synthetic import signatures
    from vision.scans.preprocess import to_ink

    return descriptor.describe([to_ink(signatures.render_scan(trajectory, rng))])[0]


def _apart(vectors: np.ndarray, counts) -> tuple[WriterSet, ...]:
    """Rows, each writer's genuine ones before the forged ones, as one set per writer."""
    sets, start = [], 0
    for number, (genuine, forged) in enumerate(counts):
        middle, end = start + genuine, start + genuine + forged
        sets.append(WriterSet(f"synthetic-{number}", vectors[start:middle], vectors[middle:end]))
        start = end
    return tuple(sets)


def _coded(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A byte per number and a step per column: an error of about 1 % of a column's spread."""
    scale = (np.abs(vectors).max(axis=0) / 127).astype(np.float32)
    return np.rint(vectors / np.where(scale > 0, scale, 1)).astype(np.int8), scale


def _decoded(codes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return codes.astype(np.float32) * scale
