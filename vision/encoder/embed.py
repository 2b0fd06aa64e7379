"""Images → vectors. The same image gives the same vector alone, in a batch, and in another run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.engine.progress import Progress
from vision.encoder.backbones import Encoder
from vision.scans.preprocess import fit_ink, to_ink


def prepare_image(encoder: Encoder, image: np.ndarray) -> np.ndarray:
    """One scan as the encoder's ink image.

    Parameters
    ----------
    encoder : Encoder
    image : ndarray of uint8, shape (h, w) or (h, w, 3)
        A scan.

    Returns
    -------
    ndarray of uint8, shape `encoder.input_size`
        Ink bright on 0.
    """
    return fit_ink(to_ink(image, encoder.variant), encoder.input_size)


def to_tensor(encoder: Encoder, inks: np.ndarray):
    """Prepared ink images as the network's input.

    Parameters
    ----------
    encoder : Encoder
    inks : ndarray of uint8, shape (b, h, w)
        From :func:`prepare_image`.

    Returns
    -------
    Tensor of float32, shape (b, 3, h, w), channels last
    """
    import torch

    values = torch.from_numpy(np.ascontiguousarray(inks)).float().div_(255)[:, None]
    if not encoder.ink_bright:
        values = 1 - values
    mean = torch.tensor(encoder.mean).view(1, 3, 1, 1)
    spread = torch.tensor(encoder.spread).view(1, 3, 1, 1)
    return ((values - mean) / spread).contiguous(memory_format=torch.channels_last)


def embed_prepared(encoder: Encoder, inks: np.ndarray) -> np.ndarray:
    """Embed ink images that are prepared already.

    Parameters
    ----------
    encoder : Encoder
    inks : ndarray of uint8, shape (b, h, w)

    Returns
    -------
    ndarray of float32, shape (b, d)
    """
    if encoder.session is not None:
        return encoder.session.embed(inks)
    import torch

    with torch.inference_mode():
        return encoder.module(to_tensor(encoder, inks)).float().numpy()


def embed_images(
    encoder: Encoder,
    images: Sequence[np.ndarray],
    batch_size: int = 32,
    progress: Progress | None = None,
) -> np.ndarray:
    """Embed scans.

    Parameters
    ----------
    encoder : Encoder
    images : sequence of ndarray of uint8, shape (h, w) or (h, w, 3)
        Scans of any size.
    batch_size : int
        Images per pass through the network, at least 1; changes nothing but speed.
    progress : Progress, optional
        Told after each batch.

    Returns
    -------
    ndarray of float32, shape (n, d)
        d = `encoder.info.dim`; (0, d) for no images.

    Raises
    ------
    ValueError
        When `batch_size` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    vectors = np.empty((len(images), encoder.info.dim), np.float32)
    for start in range(0, len(images), batch_size):
        inks = np.stack([prepare_image(encoder, image) for image in images[start : start + batch_size]])
        vectors[start : start + len(inks)] = embed_prepared(encoder, inks)
        if progress:
            progress(start + len(inks), len(images), "embedding images")
    return vectors
