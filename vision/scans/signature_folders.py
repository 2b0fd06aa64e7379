"""Signature sets in the common layout: one folder per writer, ``genuine_*`` and ``forged_*`` images in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.signatures.specimens import inspect_image
from vision.scans.images import decode_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
GENUINE, FORGED = ("genuine", "original"), ("forged", "forgery", "forgeries")


@dataclass(frozen=True)
class SignatureSet:
    """Paths of a set, and what each image is.

    Attributes
    ----------
    name : str
        Name of its folder, without the path.
    paths : tuple of Path
    writers : ndarray of str (n,)
    forged : ndarray of bool (n,)
    """

    name: str
    paths: tuple[Path, ...]
    writers: np.ndarray
    forged: np.ndarray

    def genuine_of(self, writer) -> np.ndarray:
        """Indices of a writer's genuine signatures."""
        return np.flatnonzero((self.writers == writer) & ~self.forged)

    def forged_of(self, writer) -> np.ndarray:
        """Indices of the skilled forgeries of a writer's signature."""
        return np.flatnonzero((self.writers == writer) & self.forged)

    def take(self, rows) -> SignatureSet:
        """Some of the signatures, in the order of their indices."""
        return SignatureSet(
            self.name, tuple(self.paths[row] for row in rows), self.writers[rows], self.forged[rows]
        )

    def of_writers(self, chosen) -> np.ndarray:
        """Indices of all signatures of some writers."""
        return np.flatnonzero(np.isin(self.writers, list(chosen)))


def read_signature_set(folder: Path, most_writers: int | None = None) -> SignatureSet:
    """Find the images of a set.

    Parameters
    ----------
    folder : Path
        ``<writer>/genuine_*`` and ``<writer>/forged_*``.
    most_writers : int, optional
        Only so many, the first by name.

    Raises
    ------
    ValueError
        If there are no genuine signatures.
    """
    paths, writers, forged = [], [], []
    folders = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    for writer in folders[:most_writers]:
        for path in sorted(writer.iterdir()):
            kind = path.name.lower()
            if path.suffix.lower() not in SUFFIXES or not kind.startswith(GENUINE + FORGED):
                continue
            paths.append(path)
            writers.append(writer.name)
            forged.append(kind.startswith(FORGED))
    if not paths or all(forged):
        raise ValueError(f"data: no genuine_* image in any folder of {folder.name!r}")
    return SignatureSet(folder.name, tuple(paths), np.array(writers), np.array(forged))


def read_scan(path: Path) -> np.ndarray:
    """One image as it is, uint8, checked like any import."""
    data = path.read_bytes()
    inspect_image(data)
    return decode_image(data)
