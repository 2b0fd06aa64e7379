"""Descriptors by name: what verification, identification and duplicate search compare.

``signature`` is the descriptor in use: the training-free ``covariance``, as joining the encoder to it did not
lower the errors (docs/decisions/0006-signature-descriptor.md). Any encoder name or weights file gives that
encoder's embeddings, and ``covariance+ENCODER`` both side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from data.signatures.encoder_info import EncoderInfo
from vision.descriptor.covariance import Block, CovarianceDescriptor

ENCODER_WEIGHT = 0.6
"""Of an encoder's block beside the covariances, whose blocks weigh 3.4 together."""


class Descriptor(Protocol):
    """What every descriptor offers."""

    @property
    def info(self) -> EncoderInfo: ...

    @property
    def blocks(self) -> tuple[Block, ...]: ...

    def describe(self, inks: Sequence[np.ndarray]) -> np.ndarray: ...


def _source_hash() -> str:
    """SHA-256 of the code that computes the training-free part, in place of a weights file's.

    Lines of imports do not count: a module that has moved makes no other descriptor.
    """
    folder, digest = Path(__file__).parent, hashlib.sha256()
    for name in ("covariance.py", "ink_regions.py", "stroke_channels.py"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        computing = [line for line in lines if not line.startswith(("import ", "from "))]
        digest.update("\n".join(computing).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class CovarianceOnly:
    """The training-free descriptor under the common interface."""

    part: CovarianceDescriptor = CovarianceDescriptor()

    @property
    def info(self) -> EncoderInfo:
        """Name, version and hash of the code."""
        return EncoderInfo(
            self.part.name, self.part.version, _source_hash(), "computed, not learned", self.part.dim
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Stretches with their weights."""
        return self.part.blocks

    def describe(self, inks: Sequence[np.ndarray]) -> np.ndarray:
        """Descriptors, float32 (n, d), of ink images (uint8, ink bright on 0)."""
        found = np.zeros((len(inks), self.part.dim), dtype=np.float32)
        for index, ink in enumerate(inks):
            found[index] = self.part.describe([ink])[0]
        return found


@dataclass(frozen=True)
class EncoderOnly:
    """An encoder's embeddings, at unit length, under the common interface.

    Attributes
    ----------
    encoder : vision.encoder.backbones.Encoder
    """

    encoder: object

    @property
    def info(self) -> EncoderInfo:
        """The encoder's own."""
        return self.encoder.info

    @property
    def blocks(self) -> tuple[Block, ...]:
        """One stretch."""
        return (Block(self.info.name, 0, self.info.dim, 1.0),)

    def describe(self, inks: Sequence[np.ndarray]) -> np.ndarray:
        """Embeddings, float32 (n, d), of ink images (uint8, ink bright on 0); one image at a time, so that
        a batch gives what single images give."""
        from vision.encoder.embed import embed_prepared
        from vision.scans.preprocess import fit_ink

        found = np.zeros((len(inks), self.info.dim), dtype=np.float32)
        for index, ink in enumerate(inks):
            vector = embed_prepared(self.encoder, fit_ink(ink, self.encoder.input_size)[None])[0]
            found[index] = vector / (np.linalg.norm(vector) + 1e-9)
        return found


@dataclass(frozen=True)
class Fused:
    """Descriptors side by side.

    Attributes
    ----------
    parts : tuple of Descriptor
    weights : tuple of float
        Factor on each part's block weights.
    """

    parts: tuple[Descriptor, ...]
    weights: tuple[float, ...]

    @property
    def info(self) -> EncoderInfo:
        """Names and versions joined; the hash of the parts' hashes."""
        every = [part.info for part in self.parts]
        digest = hashlib.sha256("".join(info.weights_sha256 for info in every).encode()).hexdigest()
        names, versions = ("+".join(getattr(info, key) for info in every) for key in ("name", "version"))
        return EncoderInfo(
            names, versions, digest, " and ".join(info.weights_source for info in every), self._stops()[-1]
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The parts' blocks, one part after the other."""
        return tuple(
            Block(block.name, start + block.start, start + block.stop, weight * block.weight)
            for part, start, weight in zip(self.parts, [0, *self._stops()], self.weights, strict=False)
            for block in part.blocks
        )

    def describe(self, inks: Sequence[np.ndarray]) -> np.ndarray:
        """Descriptors, float32 (n, d), of ink images (uint8, ink bright on 0)."""
        return np.hstack([part.describe(inks) for part in self.parts])

    def _stops(self) -> list[int]:
        return np.cumsum([part.info.dim for part in self.parts]).tolist()


def load_descriptor(name: str = "signature") -> Descriptor:
    """A descriptor by name.

    Parameters
    ----------
    name : str
        ``signature``, ``covariance``, what :func:`vision.encoder.backbones.load_encoder` takes, or
        ``covariance+`` followed by that.
    """
    if name in ("signature", "covariance"):
        return CovarianceOnly()
    from vision.encoder.backbones import load_encoder

    if name.startswith("covariance+"):
        encoder = EncoderOnly(load_encoder(name.removeprefix("covariance+")))
        return Fused((CovarianceOnly(), encoder), (1.0, ENCODER_WEIGHT))
    return EncoderOnly(load_encoder(name))
