"""What a model was made from, as hashes: data, code, settings."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.features.rows import Rows
from fusion.model.booster import TreeSettings


def hash_rows(rows: Rows, labels: pd.Series) -> str:
    """SHA-256 over feature rows, meta data, labels and signatures; the order of columns counts."""
    digest = hashlib.sha256()
    for frame in (rows.table, rows.meta, labels.rename("label").reset_index()):
        digest.update("|".join(map(str, frame.columns)).encode())
        plain = frame.apply(lambda column: column.astype("str") if column.dtype == object else column)
        digest.update(pd.util.hash_pandas_object(plain, index=False).to_numpy().tobytes())
    digest.update(np.ascontiguousarray(rows.position, np.int64).tobytes())
    digest.update(np.ascontiguousarray(rows.signatures.states, np.float32).tobytes())
    digest.update(rows.signatures.encoder_id.encode())
    return digest.hexdigest()


@lru_cache
def code_version() -> str:
    """SHA-256 over the source files of this package: two models with one version were made by one code."""
    folder, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def model_version(data_hash: str, seed: int, settings: TreeSettings, tune_trials: int = 0) -> str:
    """Name of the model that this data, code, seed and settings make."""
    recipe = json.dumps([data_hash, code_version(), seed, settings.as_dict(), tune_trials], sort_keys=True)
    return f"risk-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
