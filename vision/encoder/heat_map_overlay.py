"""A heat map laid over a scan so that the ink stays readable."""

from __future__ import annotations

import numpy as np

_STOPS = np.array([(255, 243, 196), (253, 190, 73), (214, 96, 40), (122, 30, 74)], np.float32)
"""Pale yellow to dark purple: ordered by lightness, so that it survives gray print and colour blindness."""


def blend(gray: np.ndarray, heat: np.ndarray, opacity: float = 0.75) -> np.ndarray:
    """Colour a scan by heat.

    Parameters
    ----------
    gray : ndarray of uint8, shape (h, w)
        The scan.
    heat : ndarray of float, shape (h, w), 0 to 1
        From :class:`vision.encoder.heat_maps.Heatmap`.
    opacity : float, 0 to 1
        Of the hottest places; cold ones keep the scan's gray.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)
        RGB.

    Raises
    ------
    ValueError
        When the shapes differ or `opacity` is outside its range.
    """
    if gray.shape != heat.shape or gray.ndim != 2:
        raise ValueError(f"heat must have the shape of gray, got {heat.shape} for {gray.shape}")
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must be within 0..1, got {opacity}")
    heat = np.clip(np.nan_to_num(heat.astype(np.float32)), 0, 1)
    place = heat * (len(_STOPS) - 1)
    lower = np.minimum(place.astype(int), len(_STOPS) - 2)
    share = (place - lower)[..., None]
    colour = _STOPS[lower] * (1 - share) + _STOPS[lower + 1] * share
    paper = gray[..., None].astype(np.float32)
    cover = (opacity * np.sqrt(heat))[..., None]
    # Multiplying keeps dark ink dark under any colour.
    tinted = paper * (1 - cover) + colour * (paper / 255) * cover
    return np.rint(tinted).clip(0, 255).astype(np.uint8)
