"""Scan → ink: bright ink on 0, cropped. Real paper has uneven light, coloured ink, printed lines and dirt."""

from __future__ import annotations

import cv2
import numpy as np

from vision.scans.paper_lines import without_printed_lines
from vision.scans.pieces import Pieces, pieces_of
from vision.scans.stamp import without_stamp

VARIANTS = ("tepat", "tepat_binary", "signet", "deepsign", "identification", "graduation")
"""Our own for real paper, the same with binary ink, and those of the four published systems: Hafemann et al.
2017, DeepSign, deep features with nearest neighbour, and graduation by signature (which uses the scan as it
is)."""

_EMPTY = 8
"""Side in pixels of the image that stands for a scan without ink."""


def to_ink(image: np.ndarray, variant: str = "tepat") -> np.ndarray:
    """Ink of a scan.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w), (h, w, 3) or (h, w, 4)
        Gray, RGB or RGBA.
    variant : str
        One of `VARIANTS`.

    Returns
    -------
    ndarray of uint8, shape (h', w')
        0 on paper, up to 255 in ink; cropped to the ink except for ``graduation``. All zeros, 8 x 8, when
        there is no ink.

    Raises
    ------
    ValueError
        When `variant` is unknown or `image` is not such an array.
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
    gray = pen_gray(image) if variant.startswith("tepat") else to_gray(image)
    if variant == "graduation":
        return 255 - gray
    if variant == "signet":
        return _crop(_otsu_ink(gray))
    if variant == "deepsign":
        return _crop(_deepsign_ink(gray))
    if variant == "identification":
        return _crop(_thin(_otsu_ink(gray)))
    ink, _ = clean_ink(gray)
    return np.where(ink > 0, 255, 0).astype(np.uint8) if variant == "tepat_binary" else ink


def clean_ink(gray: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """The ``tepat`` variant, and where on the scan it was cut out.

    Paper tone is divided out, ink separated by Otsu's threshold with hysteresis, printed lines and specks
    removed, and darkness scaled so that a faint pen and a dark one use the same range.

    Parameters
    ----------
    gray : ndarray of uint8, shape (h, w)

    Returns
    -------
    ink : ndarray of uint8, shape (h', w')
    corner : tuple of int
        Row and column of the crop's upper left pixel on the scan.
    """
    ink = flatten_paper(gray)
    ink[~ink_mask(ink)] = 0
    return cropped_writing(without_printed_lines(ink))


def cropped_writing(writing: np.ndarray, pieces: Pieces | None = None) -> tuple[np.ndarray, tuple[int, int]]:
    """The last steps of :func:`clean_ink`: specks removed, cropped, darkness scaled.

    Parameters
    ----------
    writing : ndarray of uint8, shape (h, w)
        Ink without printed lines, 0 on paper; specks are cleared in it.
    pieces : Pieces, optional
        Of that ink, when they are known already.

    Returns
    -------
    ink : ndarray of uint8, shape (h', w')
    corner : tuple of int
    """
    ink = _without_specks(writing, pieces)
    left, top, width, height = cv2.boundingRect(ink)
    if not width:
        return np.zeros((_EMPTY, _EMPTY), np.uint8), (0, 0)
    ink = ink[top : top + height, left : left + width]
    histogram = np.cumsum(np.bincount(ink.ravel(), minlength=256)[1:])
    bright = int(np.searchsorted(histogram, 0.9 * histogram[-1])) + 1
    return cv2.convertScaleAbs(ink, alpha=min(255 / bright, 5.0)), (top, left)


def to_gray(image: np.ndarray) -> np.ndarray:
    """Gray levels of an image, coloured ink kept dark.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w), (h, w, 1), (h, w, 3) or (h, w, 4)
        Gray, RGB or RGBA; transparent counts as white paper.

    Returns
    -------
    ndarray of uint8, shape (h, w)

    Raises
    ------
    ValueError
        When the type or the shape is another.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or not image.size:
        raise ValueError(
            f"image must be a non-empty uint8 array of 2 or 3 dimensions, got {image.dtype} {image.shape}"
        )
    if image.ndim == 2:
        return image
    channels = image.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f"image must have 1, 3 or 4 channels, got {channels}")
    if channels == 1:
        return np.ascontiguousarray(image[..., 0])
    if channels == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = np.rint(image[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    # Luminance makes blue ink dark but red ink pale; the darkest channel sees every ink and no white paper.
    return cv2.addWeighted(
        cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), 0.5, image.min(axis=2), 0.5, 0
    )


def pen_gray(image: np.ndarray) -> np.ndarray:
    """Gray levels of an image as :func:`to_gray` gives them, without a stamp of another colour.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w), (h, w, 1), (h, w, 3) or (h, w, 4)

    Returns
    -------
    ndarray of uint8, shape (h, w)
    """
    gray = to_gray(image)
    if image.ndim != 3 or image.shape[2] != 3:
        return gray
    flat = flatten_paper(gray)
    parted = without_stamp(image, gray, np.where(ink_mask(flat), flat, 0).astype(np.uint8))
    return gray if parted is None else parted


def flatten_paper(gray: np.ndarray) -> np.ndarray:
    """Divide out the paper's tone and the light's slope, and invert.

    The paper is what a closing wider than any stroke leaves, taken at low resolution.

    Parameters
    ----------
    gray : ndarray of uint8, shape (h, w)

    Returns
    -------
    ndarray of uint8, shape (h, w)
        About 0 on paper, brighter in ink.
    """
    step = max(1, round(max(gray.shape) / 150))
    small = cv2.resize(
        gray, (max(1, gray.shape[1] // step), max(1, gray.shape[0] // step)), interpolation=cv2.INTER_AREA
    )
    size = max(9, (min(small.shape) // 3) | 1)
    tone = cv2.morphologyEx(
        small, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8), borderType=cv2.BORDER_REPLICATE
    )
    tone = cv2.blur(tone, (size, size), borderType=cv2.BORDER_REPLICATE)
    tone = cv2.resize(tone, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    return 255 - cv2.divide(gray, tone, scale=255)


def ink_mask(ink: np.ndarray) -> np.ndarray:
    """Which pixels are ink: those above a low threshold that touch one above the high threshold.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
        From :func:`flatten_paper`.

    Returns
    -------
    ndarray of bool, shape (h, w)
    """
    level, _ = cv2.threshold(ink, 0, 255, cv2.THRESH_OTSU)
    high = float(np.clip(level, 26, 120))
    strong = ink > high
    if not strong.any():
        return strong
    weak = (ink > max(0.55 * high, 16)).astype(np.uint8)
    count, labels = cv2.connectedComponents(weak, connectivity=8)
    keep = np.zeros(count, bool)
    keep[labels[strong]] = True
    keep[0] = False
    return keep[labels]


def _without_specks(ink: np.ndarray, pieces: Pieces | None) -> np.ndarray:
    labels, area = pieces or pieces_of((ink > 0).astype(np.uint8))
    if len(area) <= 2:
        return ink
    small = area < max(4, 0.001 * area[1:].sum())
    if small[1:].any():
        ink[small[labels]] = 0
    return ink


def _otsu_ink(gray: np.ndarray) -> np.ndarray:
    """Otsu's background made white, gray ink kept, inverted (system 4)."""
    level, _ = cv2.threshold(cv2.GaussianBlur(gray, (5, 5), 0), 0, 255, cv2.THRESH_OTSU)
    return np.where(gray > level, 0, 255 - gray).astype(np.uint8)


def _deepsign_ink(gray: np.ndarray) -> np.ndarray:
    """Threshold 225, fifteen median filters of 3 x 3, threshold 210, binary (system 2)."""
    paper = np.where(gray > 225, 255, gray).astype(np.uint8)
    for _ in range(15):
        paper = cv2.medianBlur(paper, 3)
    return np.where(paper > 210, 0, 255).astype(np.uint8)


def _thin(ink: np.ndarray) -> np.ndarray:
    """Binary lines one pixel wide (system 3)."""
    from skimage.morphology import skeletonize

    return skeletonize(ink > 0).astype(np.uint8) * 255


def _crop(ink: np.ndarray) -> np.ndarray:
    left, top, width, height = cv2.boundingRect(ink)
    if not width:
        return np.zeros((_EMPTY, _EMPTY), np.uint8)
    return np.ascontiguousarray(ink[top : top + height, left : left + width])


def fit_ink(ink: np.ndarray, shape: tuple[int, int], margin: float = 0.04) -> np.ndarray:
    """Place cropped ink in the middle of a box, aspect kept.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
        From :func:`to_ink`.
    shape : tuple of int
        Height and width of the result.
    margin : float
        Share of the box's height left empty on each side.

    Returns
    -------
    ndarray of uint8, shape `shape`
    """
    top, left, height, width = fitted_place(ink.shape, shape, margin)
    method = cv2.INTER_AREA if height < ink.shape[0] else cv2.INTER_LINEAR
    box = np.zeros(shape, np.uint8)
    box[top : top + height, left : left + width] = cv2.resize(ink, (width, height), interpolation=method)
    return box


def fitted_place(ink_shape, shape, margin: float = 0.04) -> tuple[int, int, int, int]:
    """Top, left, height and width that :func:`fit_ink` gives to an ink image in a box."""
    border = max(1, round(shape[0] * margin))
    factor = min((shape[0] - 2 * border) / ink_shape[0], (shape[1] - 2 * border) / ink_shape[1])
    height, width = max(1, round(ink_shape[0] * factor)), max(1, round(ink_shape[1] * factor))
    return (shape[0] - height) // 2, (shape[1] - width) // 2, height, width


def center_on_canvas(ink: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    """Place ink with its centre of mass in the middle of a canvas, size kept (system 4).

    Ink larger than the canvas is scaled down to fit; ink that would cross an edge is moved inside.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
    canvas : tuple of int
        Height and width.

    Returns
    -------
    ndarray of uint8, shape `canvas`
    """
    factor = min(1.0, canvas[0] / ink.shape[0], canvas[1] / ink.shape[1])
    if factor < 1:
        size = max(1, int(ink.shape[1] * factor)), max(1, int(ink.shape[0] * factor))
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    weight = ink.astype(np.float64)
    total = max(weight.sum(), 1.0)
    middle = [(weight.sum(axis=1 - axis) @ np.arange(ink.shape[axis])) / total for axis in (0, 1)]
    place = [
        int(np.clip(round(canvas[axis] / 2 - middle[axis]), 0, canvas[axis] - ink.shape[axis]))
        for axis in (0, 1)
    ]
    out = np.zeros(canvas, np.uint8)
    out[place[0] : place[0] + ink.shape[0], place[1] : place[1] + ink.shape[1]] = ink
    return out
