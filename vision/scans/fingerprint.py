"""A short fingerprint of an image of ink: equal for a copy, even rescaled or saved anew, and not for a
second signing."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_SIDE = 16
_LEAST_STEP = 8
_MOST_BITS, _MOST_SHARE = 8, 0.06


def image_fingerprint(ink: np.ndarray) -> str:
    """Difference hash of the cropped ink.

    The ink is scaled to 17 x 17, smoothed; bit (r, c) says whether cell (r, c) is darker than its diagonal
    neighbour.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
        0 on paper.

    Returns
    -------
    str
        256 bits as 64 hexadecimal digits; all zeros without ink.
    """
    left, top, width, height = cv2.boundingRect(ink)
    if not width:
        return "0" * 64
    crop = ink[top : top + height, left : left + width]
    soft = cv2.blur(crop, (max(1, width // 12), max(1, height // 12)))
    small = cv2.resize(soft, (_SIDE + 1, _SIDE + 1), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:-1, :-1] > small[1:, 1:] + _LEAST_STEP).tobytes().hex()


def image_distance(first: str, second: str) -> int:
    """Number of differing bits of two fingerprints, 0 to 256."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def copy_limit(first: str, second: str) -> int:
    """Most differing bits of two fingerprints that are still of one image.

    Eight, but at most 6 % of the bits that either has set: few strokes set few bits, and two signings of so
    plain a name differ in few as well.

    Parameters
    ----------
    first, second : str
        Fingerprints.

    Returns
    -------
    int
    """
    return min(_MOST_BITS, int(_MOST_SHARE * (int(first, 16) | int(second, 16)).bit_count()))


def copies_among(own: Sequence[str], all_prints: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of fingerprints of one image.

    Parameters
    ----------
    own : sequence of str
        n fingerprints.
    all_prints : sequence of str
        m fingerprints to compare with.

    Returns
    -------
    list of (int, int)
        Index in `own`, index in `all_prints`.
    """
    return [
        (row, int(column))
        for row, differing, either in _compare(own, all_prints)
        for column in np.flatnonzero(differing <= np.minimum(_MOST_BITS, (_MOST_SHARE * either).astype(int)))
    ]


def _compare(own: Sequence[str], all_prints: Sequence[str]):
    """Row, number of differing bits and of bits that either has set, against every other fingerprint."""
    if not len(own) or not len(all_prints):
        return
    right = _as_words(all_prints)
    for row, words in enumerate(_as_words(own)):
        yield (
            row,
            np.bitwise_count(words ^ right).sum(axis=1),
            np.bitwise_count(words | right).sum(axis=1),
        )


def _as_words(prints: Sequence[str]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(prints)), np.uint64).reshape(len(prints), -1)
