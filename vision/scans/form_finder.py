"""A form as it comes in → where the signature stands on it, and the piece of the page that is compared.

The weights are fitted on synthetic forms (``python -m vision train --recipe form-detector``); nobody's
signature is in them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from data.signatures.findings import CLEAR, FOUND, LEFT_OUT, WHOLE_PAGE, Finding
from vision.scans.form_growth import whole
from vision.scans.form_regions import MEASURES, Group, Page, read_page

SHIPPED = Path(__file__).parents[1] / "weights" / "form-detector.json"
LEAST_CHANCE = 0.5
"""Chance from which a group is taken for a signature."""
LEAST_PAGE = 700
"""Pixels of a page's longer side at least."""
SLENDER = 1.9
"""Times as long as wide: a strip is a crop, not a page."""
FEWEST_LETTERS = 40
"""Printed letters from which a picture is a page."""
MARGIN = 0.18
"""Paper kept around a found signature, in shares of its height."""


@dataclass(frozen=True)
class Place:
    """Where a signature stands.

    Attributes
    ----------
    left, top, width, height : int
        Pixels of the page as it came.
    chance : float
        That it is a signature, from 0 to 1; 1 where a person said so.
    left_out : int or None
        Pixels of ink like the signature's that were found just outside the frame or run across it; None where
        a person set the frame.
    """

    left: int
    top: int
    width: int
    height: int
    chance: float = 1.0
    left_out: int | None = None

    @classmethod
    def read(cls, text: str) -> Place:
        """From ``x,y,w,h``, pixels from the upper left.

        Raises
        ------
        ValueError
            When the text is no such thing.
        """
        try:
            left, top, width, height = (int(part) for part in text.split(","))
        except ValueError:
            raise ValueError(f"crop must be four whole numbers x,y,w,h, got {text!r}") from None
        return cls(left, top, width, height)

    def inside(self, shape: tuple[int, ...]) -> Place:
        """The part of it that lies on a page of a shape (h, w, …).

        Raises
        ------
        ValueError
            When fewer than 16 pixels a side are left.
        """
        left, top = max(self.left, 0), max(self.top, 0)
        width = min(self.left + self.width, shape[1]) - left
        height = min(self.top + self.height, shape[0]) - top
        if min(width, height) < 16:
            raise ValueError(
                f"crop must lie on the page of {shape[1]} x {shape[0]} pixels, 16 pixels a side at least, "
                f"got {self.left},{self.top},{self.width},{self.height}"
            )
        return replace(self, left=left, top=top, width=width, height=height)


@dataclass(frozen=True)
class Weights:
    """A logistic line over standardised measures and their squares.

    Attributes
    ----------
    middle, spread : float64 (16,)
    line : float64 (32,)
    offset : float
    """

    middle: np.ndarray
    spread: np.ndarray
    line: np.ndarray
    offset: float

    def chance(self, measures: np.ndarray) -> np.ndarray:
        """Chance of being a signature for measures (n, 16), float64 (n,)."""
        return 1 / (1 + np.exp(-np.clip(self.terms(measures) @ self.line + self.offset, -40, 40)))

    def terms(self, measures: np.ndarray) -> np.ndarray:
        """Standardised measures and their squares, float64 (n, 32)."""
        placed = np.clip((np.atleast_2d(measures) - self.middle) / self.spread, -5, 5)
        return np.hstack([placed, placed**2])


@lru_cache(maxsize=2)
def read_weights(path: Path = SHIPPED) -> Weights:
    """The fitted numbers of a file; the shipped ones by default."""
    held = json.loads(path.read_text(encoding="utf-8"))
    if tuple(held["measures"]) != MEASURES:
        raise ValueError(f"{path.name}: made for other measures than {', '.join(MEASURES)}")
    return Weights(*(np.array(held[name]) for name in ("middle", "spread", "line")), float(held["offset"]))


def find_signatures(pixels: np.ndarray, page: Page | None = None) -> list[Place]:
    """Signatures of a page, the likeliest first, each with its strokes that stand apart.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
    page : Page, optional
        Of `pixels`, where it has been read already.
    """
    page = page or read_page(pixels)
    if not page.groups:
        return []
    chances = read_weights().chance(np.stack([one.measures for one in page.groups]))
    order = np.argsort(-chances)
    found: list[Place] = []
    for k in order:
        if chances[k] < LEAST_CHANCE:
            break
        if not any(_within(page.groups[k], place) for place in found):  # a part of one that was found
            found.append(_framed(page, page.groups[k], float(chances[k]), pixels.shape))
    return found


def left_out(place: Place | None) -> tuple[Finding, ...]:
    """SIG013: whether ink like the signature's lies outside the frame of a found place, or is cut by it; no
    answer for a place that a person set.

    Parameters
    ----------
    place : Place or None
    """
    if place is None or place.left_out is None:
        return ()
    reason = (
        f"{place.left_out} pixels of ink like the signature's lie just outside the frame, or are cut by it."
    )
    return (Finding(LEFT_OUT, FOUND if place.left_out else CLEAR, place.left_out, reason),)


def whole_page(pixels: np.ndarray, page: Page) -> tuple[Finding, ...]:
    """SIG014 for a picture of which nothing was cut: found where it is a printed page, upright or not.

    What the other checks say of such a picture is said of its print and its stamps. No answer for a picture
    that is none.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
    page : Page
        Of `pixels`.
    """
    letters = letters_of(pixels, page)
    if letters < FEWEST_LETTERS:
        return ()
    reason = f"{letters} printed letters stand on it (on a signature alone fewer than {FEWEST_LETTERS})."
    return (Finding(WHOLE_PAGE, FOUND, letters, reason),)


def letters_of(pixels: np.ndarray, page: Page) -> int:
    """Printed letters of a picture, also of one that lies on its side."""
    if page.letters >= FEWEST_LETTERS or not may_be_page(pixels):
        return page.letters
    return max(page.letters, read_page(np.ascontiguousarray(np.rot90(pixels))).letters)


def may_be_page(pixels: np.ndarray) -> bool:
    """Whether a picture has the shape of a page; a strip cut to a signature has not."""
    long, short = max(pixels.shape[:2]), min(pixels.shape[:2])
    return long >= LEAST_PAGE and long <= SLENDER * short


def signature_on(pixels: np.ndarray, page: Page | None = None) -> Place | None:
    """The likeliest signature of a page; None for a crop, and for a page on which none is found.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
    page : Page, optional
        Of `pixels`, where it has been read already.
    """
    if not may_be_page(pixels):
        return None
    page = page or read_page(pixels)
    if page.letters < FEWEST_LETTERS:
        return None
    found = find_signatures(pixels, page)
    return found[0] if found else None


def cropped(pixels: np.ndarray, place: Place, turn: float = 0.0, page: Page | None = None) -> np.ndarray:
    """A piece of a page, without the print that stands in it.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
    place : Place
    turn : float
        Degrees clockwise by which the piece is turned.
    page : Page, optional
        Of `pixels`; without it print is left where it stands.

    Returns
    -------
    ndarray of uint8, shape (h', w') or (h', w', 3)
    """
    place = place.inside(pixels.shape)
    cut = np.s_[place.top : place.top + place.height, place.left : place.left + place.width]
    piece = pixels[cut].copy()
    if page is not None and page.print_.any():
        printed = cv2.resize(
            page.print_.astype(np.uint8), pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST
        )
        piece[printed[cut] > 0] = _paper(piece)
    return turned(piece, turn) if turn else piece


def _paper(piece: np.ndarray) -> np.ndarray:
    """Its tone: one number of gray, three of RGB."""
    return np.rint(np.median(piece.reshape(-1, *piece.shape[2:]), axis=0)).astype(np.uint8)


def turned(piece: np.ndarray, degrees: float) -> np.ndarray:
    """A picture turned clockwise on a sheet of its paper's tone that holds all of it."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(piece, -int(degrees // 90)))
    height, width = piece.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    along, across = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = int(height * across + width * along) + 2, int(height * along + width * across) + 2
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    value = tuple(map(float, np.atleast_1d(_paper(piece))))
    return cv2.warpAffine(piece, matrix, size, flags=cv2.INTER_LINEAR, borderValue=value)


def _within(group: Group, place: Place) -> bool:
    """Whether the middle of a group lies in a place."""
    across, down = group.left + group.width / 2 - place.left, group.top + group.height / 2 - place.top
    return 0 <= across < place.width and 0 <= down < place.height


def _framed(page: Page, group: Group, chance: float, shape) -> Place:
    box, left_out = whole(page, group, MARGIN)
    edge = max(6, round(MARGIN * box.height))
    left, top = round(box.left) - edge, round(box.top) - edge
    width, height = round(box.right) + edge - left, round(box.bottom) + edge - top
    return Place(left, top, width, height, chance, left_out).inside(shape)
