"""What is known about the network that turned an image into an embedding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EncoderInfo:
    """Name, version and origin of an image encoder.

    Parameters
    ----------
    name : str
        Architecture and purpose, e.g. "resnet50-signature".
    version : str
        Version of the weights.
    weights_sha256 : str
        SHA-256 of the weights file, 64 hexadecimal digits.
    weights_source : str
        Where the weights came from, in words fit for the screen.
    dim : int
        Length of an embedding.
    """

    name: str
    version: str
    weights_sha256: str
    weights_source: str
    dim: int

    @property
    def encoder_id(self) -> str:
        """The key under which embeddings are stored: ``name@version``."""
        return f"{self.name}@{self.version}"
