"""Pictures that help to compare a questioned signature with the references, and a ratio said in words.

Nothing here decides anything: the outcome comes from :mod:`vision.verification.verify` alone. The map of
agreement is made by another network than the one that gives the outcome, and the page says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dashboard.shell.wording import Words
from dashboard.students.overlay import Answer, answer_of
from data.signatures.findings import Finding
from data.signatures.specimens import read_image, read_pixels


def checked_image(data: bytes) -> tuple[np.ndarray, tuple[Finding, ...]]:
    """The gray scan of an uploaded file and what the checks say about it.

    Parameters
    ----------
    data : bytes
        An image as it came from the browser.

    Raises
    ------
    data.signatures.specimens.RefusedFile
        When it is not an image that is taken.
    """
    from vision.scans.images import fitted
    from vision.scans.preprocess import to_gray
    from vision.scans.quality import check_pixels

    pixels = fitted(read_image(data)[1])
    return to_gray(pixels), tuple(check_pixels(pixels))


def superposed(questioned: bytes, reference: bytes):
    """The two on one sheet (:class:`vision.scans.superpose.Superposed`); None when one has no ink."""
    from vision.scans.images import fitted
    from vision.scans.preprocess import clean_ink, to_gray
    from vision.scans.superpose import superpose

    inks = [clean_ink(to_gray(fitted(read_pixels(data))))[0] for data in (questioned, reference)]
    try:
        return superpose(*inks)
    except ValueError:
        return None


def agreement_map(encoder, questioned: bytes, references: Sequence[bytes]) -> Answer:
    """Which ink of the questioned signature makes it resemble the references, to an image network.

    Parameters
    ----------
    encoder : vision.encoder.backbones.Encoder
        Hold its lock.
    questioned : bytes
    references : sequence of bytes
        At least one.

    Returns
    -------
    Answer
        Without a picture when hiding the hot ink does not change the resemblance accordingly.
    """
    from vision.encoder.embed import embed_prepared, prepare_image
    from vision.encoder.heat_maps import best_first, checked_maps, occlude, similarity_direction
    from vision.scans.preprocess import to_gray

    scans = [to_gray(read_pixels(data)) for data in references]
    inks = np.stack([prepare_image(encoder, scan) for scan in scans])
    direction = similarity_direction(embed_prepared(encoder, inks))
    gray = to_gray(read_pixels(questioned))
    covered = occlude(encoder, gray, direction)
    maps = best_first(checked_maps(encoder, gray, direction, covered)) if covered.moves else []
    return answer_of(gray, maps)


def support_words(log10_lr: float, words: Words) -> str:
    """A likelihood ratio on the verbal scale, with its number: never a verdict on the signature."""
    from vision.verification.likelihood import NO_SUPPORT, verbal_key

    key = verbal_key(log10_lr)
    if key == NO_SUPPORT:
        return words("verification.support_none")
    size, side = 10 ** abs(log10_lr), key.rpartition("_")[2]
    ratio = words.number(size, 0 if size >= 10 else 1)
    return words(f"verification.ratio_{side}", support=words(f"verification.support_{key}"), ratio=ratio)
