"""Descriptors of whole signature sets, kept between runs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from data.settings import get_settings
from vision.descriptor.descriptors import Descriptor, Fused
from vision.scans import paper_lines, preprocess
from vision.scans.preprocess import to_ink
from vision.scans.signature_folders import SignatureSet, read_scan, read_signature_set

__all__ = ["INKS", "SignatureSet", "describe_set", "read_scan", "read_signature_set"]

INKS = {"grey": "tepat", "binary": "tepat_binary"}


def describe_set(found: SignatureSet, descriptor: Descriptor, ink: str = "grey") -> np.ndarray:
    """Descriptors of a whole set, float32 (n, d); kept in the application's folder for the next run.

    Parameters
    ----------
    found : SignatureSet
    descriptor : Descriptor
    ink : {"grey", "binary"}
    """
    if ink not in INKS:
        raise ValueError(f"ink: must be one of {', '.join(INKS)}, got {ink!r}")
    if isinstance(descriptor, Fused):  # its parts may be there already
        return np.hstack([describe_set(found, part, ink) for part in descriptor.parts])
    kept = get_settings().folder / "benchmarks" / f"{_key(found, descriptor, ink)}.npy"
    if kept.exists():
        return np.load(kept, allow_pickle=False)
    values = np.zeros((len(found.paths), descriptor.info.dim), dtype=np.float32)
    for index, path in enumerate(found.paths):
        values[index] = descriptor.describe([to_ink(read_scan(path), INKS[ink])])[0]
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.save(file, values, allow_pickle=False)
    partial.replace(kept)
    return values


def _key(found: SignatureSet, descriptor: Descriptor, ink: str) -> str:
    """Changes with any file, with the descriptor and with the preprocessing code."""
    digest = hashlib.sha256(f"{descriptor.info} {ink}".encode())
    for module in (preprocess, paper_lines):
        digest.update(Path(module.__file__).read_bytes())
    for path in found.paths:
        facts = path.stat()
        digest.update(f"{path.parent.name}/{path.name} {facts.st_size} {facts.st_mtime_ns}".encode())
    return f"{found.name}-{digest.hexdigest()[:24]}"
