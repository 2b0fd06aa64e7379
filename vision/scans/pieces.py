"""Connected pieces of a mask: their labels, their sizes, their places."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np


class Pieces(NamedTuple):
    """The pieces of a mask; pixels that touch at a corner belong together.

    Attributes
    ----------
    labels : ndarray of int32, shape (h, w)
        0 where the mask is 0.
    areas : ndarray of int64, shape (n + 1,)
        Pixels by label; the first is the ground's.
    """

    labels: np.ndarray
    areas: np.ndarray


class Box(NamedTuple):
    """The rectangle round a piece, and row and column of one of its pixels."""

    left: int
    top: int
    width: int
    height: int
    pixel: tuple[int, int]


def pieces_of(mask: np.ndarray) -> Pieces:
    """Label and count. OpenCV's own statistics, with boxes and middles, take several times as long.

    Parameters
    ----------
    mask : ndarray of uint8, shape (h, w)
        Not 0 in pieces.
    """
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    return Pieces(labels, np.bincount(labels.ravel(), minlength=count))


def boxes_of(mask: np.ndarray) -> list[Box]:
    """The box of each piece, in no order that means anything.

    Parameters
    ----------
    mask : ndarray of uint8, shape (h, w)
    """
    outlines, levels = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return []
    # The outline of a hole has a parent; every other one is the outer outline of a piece.
    return [
        Box(*cv2.boundingRect(outline), pixel=(int(outline[0, 0, 1]), int(outline[0, 0, 0])))
        for outline, parent in zip(outlines, levels[0][:, 3], strict=True)
        if parent < 0
    ]
