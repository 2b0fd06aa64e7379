"""Heat maps along any direction of embedding space, on the original scan, with checks of their honesty.

Trees that stand on embeddings have no gradient; the direction in which the embedding would have to move is
known, and so the question becomes: which ink moves the embedding along it? Two answers:

* Grad-CAM at a layer (Selvaraju et al. 2017), as coarse as that layer;
* the gradient summed while the ink fades in from blank paper, times the ink (integrated gradients,
  Sundararajan et al. 2017), smoothed. It is the default: at the last layer every place has seen the whole
  signature, so a map from there says little of where. Each map's own rank correlation with covering the ink
  is computed and shown.

Maps are checked by occlusion and against a network whose weights are shuffled (Adebayo et al. 2018).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import cv2
import numpy as np

from vision.encoder.backbones import Encoder
from vision.encoder.embed import embed_prepared, to_tensor
from vision.scans.preprocess import clean_ink, fit_ink, fitted_place, to_gray

INK = "ink"
"""The pseudo-layer of the default map: the ink image itself."""

_FADE_STEPS = 6
_SMOOTHING = 0.02
"""Share of the encoder's image width, about a stroke and a half."""


@dataclass(frozen=True)
class Heatmap:
    """Where ink moves an embedding along a direction.

    Attributes
    ----------
    values : ndarray of float32, shape (h, w), 0 to 1
        On the original scan; 1 is the strongest place of this image.
    strength : float
        The raw value that 1 stands for, so that maps of several images can be compared.
    layer : str
        ``ink``, or the layer that Grad-CAM read.
    encoder_id : str
        Which network was explained.
    """

    values: np.ndarray
    strength: float
    layer: str
    encoder_id: str


@dataclass(frozen=True)
class _Prepared:
    """A scan as the encoder sees it, and how to go back."""

    inks: np.ndarray
    scan_shape: tuple[int, int]
    corner: tuple[int, int]
    crop_shape: tuple[int, int]

    def to_scan(self, box: np.ndarray) -> np.ndarray:
        """Map values on the encoder's image back to the scan; zero outside the cropped ink."""
        top, left, height, width = fitted_place(self.crop_shape, self.inks.shape[1:])
        crop_height, crop_width = self.crop_shape
        part = np.ascontiguousarray(box[top : top + height, left : left + width])
        out = np.zeros(self.scan_shape, np.float32)
        rows, columns = self.corner
        part = cv2.resize(part, (crop_width, crop_height), interpolation=cv2.INTER_LINEAR)
        inside = out[rows : rows + crop_height, columns : columns + crop_width]
        inside[:] = part[: inside.shape[0], : inside.shape[1]]
        return out


def _prepare(encoder: Encoder, image: np.ndarray) -> _Prepared:
    gray = to_gray(image)
    ink, corner = clean_ink(gray)
    return _Prepared(fit_ink(ink, encoder.input_size)[None], gray.shape, corner, ink.shape)


def heatmap_along(encoder: Encoder, image: np.ndarray, direction: np.ndarray, layer: str = INK) -> Heatmap:
    """Which ink moves the embedding along a direction.

    Parameters
    ----------
    encoder : Encoder
    image : ndarray of uint8, shape (h, w) or (h, w, 3)
        A scan.
    direction : ndarray, shape (d,)
        In embedding space; its length does not matter.
    layer : str
        ``ink`` for the fine, faithful map; or the name of a submodule, for example ``layer4``, for Grad-CAM
        there.

    Returns
    -------
    Heatmap
        The encoder is left as it was, also after an error.

    Raises
    ------
    ValueError
        When `direction` has another length, is zero or not finite, or `layer` does not exist.
    """
    direction = _checked_direction(encoder, direction)
    prepared = _prepare(encoder, image)
    if layer == INK:
        box = _faded_in(encoder, prepared.inks, direction)
    else:
        box = _class_activation(encoder, prepared.inks, direction, layer)
    strength = float(box.max())
    values = prepared.to_scan(box / strength if strength > 0 else box)
    return Heatmap(np.clip(values, 0, 1), strength, layer, encoder.info.encoder_id)


def similarity_direction(references: np.ndarray) -> np.ndarray:
    """The direction towards a writer's references: moving along it raises the mean cosine to them.

    Parameters
    ----------
    references : ndarray, shape (r, d)
        Embeddings, r at least 1.

    Returns
    -------
    ndarray of float32, shape (d,)
        Of length 1.
    """
    references = np.asarray(references, np.float64)
    if references.ndim != 2 or not len(references):
        raise ValueError(f"references must have shape (r >= 1, d), got {references.shape}")
    unit = references / np.maximum(np.linalg.norm(references, axis=1, keepdims=True), 1e-12)
    mean = unit.mean(axis=0)
    return (mean / max(np.linalg.norm(mean), 1e-12)).astype(np.float32)


def _checked_direction(encoder: Encoder, direction: np.ndarray) -> np.ndarray:
    direction = np.asarray(direction, np.float32)
    if direction.shape != (encoder.info.dim,):
        raise ValueError(f"direction must have shape ({encoder.info.dim},), got {direction.shape}")
    length = float(np.linalg.norm(direction))
    if not np.isfinite(length) or length == 0:
        raise ValueError(f"direction must be finite and not zero, got length {length}")
    return direction / length


def _class_activation(encoder: Encoder, inks: np.ndarray, direction: np.ndarray, layer: str) -> np.ndarray:
    """Grad-CAM on the encoder's image; captum hooks the layer and takes the hook off in any case."""
    import torch
    from captum.attr import LayerGradCam

    try:
        module = encoder.module.get_submodule(layer)
    except AttributeError as problem:
        raise ValueError(
            f"layer must be a submodule of the {encoder.architecture}, got {layer!r}"
        ) from problem
    along = torch.from_numpy(direction)
    explained = LayerGradCam(lambda batch: encoder.module(batch) @ along, module)
    maps = explained.attribute(to_tensor(encoder, inks), relu_attributions=True).detach()
    size = encoder.input_size
    maps = torch.nn.functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)
    return maps[0, 0].numpy().astype(np.float32)


def _faded_in(encoder: Encoder, inks: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Integrated gradients from blank paper, summed over channels and smoothed; what speaks for the
    direction."""
    import torch
    from captum.attr import IntegratedGradients

    along = torch.from_numpy(direction)
    blank = to_tensor(encoder, np.zeros_like(inks))
    explained = IntegratedGradients(lambda batch: encoder.module(batch) @ along)
    shares = explained.attribute(
        to_tensor(encoder, inks), blank, n_steps=_FADE_STEPS, method="riemann_middle"
    )
    smooth = cv2.GaussianBlur(shares.detach().sum(1)[0].numpy(), (0, 0), _SMOOTHING * inks.shape[2])
    return np.maximum(smooth, 0).astype(np.float32)


def occlusion_fidelity(
    encoder: Encoder, image: np.ndarray, direction: np.ndarray, heat: Heatmap | np.ndarray, cells: int = 12
) -> float:
    """Whether covering the hot ink really moves the embedding back: rank correlation of heat and effect.

    The ink image is divided into square cells; in each with ink, the ink is taken away and what is lost
    along the direction (nothing, where something is gained: a map shows only what speaks for it) is set
    against the mean heat on that ink.

    Parameters
    ----------
    encoder : Encoder
    image : ndarray of uint8
        The scan of the heat map.
    direction : ndarray, shape (d,)
    heat : Heatmap or ndarray, shape (h, w)
    cells : int
        Cells along the longer side, at least 3.

    Returns
    -------
    float
        Spearman's correlation, -1 to 1; 0 when fewer than three cells hold ink or nothing varies.
    """
    from scipy.stats import spearmanr

    direction = _checked_direction(encoder, direction)
    prepared = _prepare(encoder, image)
    values = heat.values if isinstance(heat, Heatmap) else np.asarray(heat, np.float32)
    if values.shape != prepared.scan_shape:
        raise ValueError(f"heat must have the scan's shape {prepared.scan_shape}, got {values.shape}")
    boxes = _inked_cells(prepared.inks[0], cells)
    if len(boxes) < 3:
        return 0.0
    covered = np.repeat(prepared.inks, len(boxes) + 1, axis=0)
    hot = np.empty(len(boxes))
    ink, on_box = prepared.inks[0], _to_box(prepared, values)
    for number, (rows, columns) in enumerate(boxes):
        covered[number + 1, rows, columns] = 0
        hot[number] = np.average(on_box[rows, columns], weights=ink[rows, columns])
    along = np.concatenate([embed_prepared(encoder, part) for part in np.array_split(covered, 4)]) @ direction
    effect = np.maximum(along[0] - along[1:], 0)
    if np.ptp(hot) == 0 or np.ptp(effect) == 0:
        return 0.0
    return float(spearmanr(hot, effect).statistic)


def _inked_cells(ink: np.ndarray, cells: int) -> list[tuple[slice, slice]]:
    side = max(4, -(-max(ink.shape) // max(cells, 3)))
    boxes = [
        (slice(top, top + side), slice(left, left + side))
        for top in range(0, ink.shape[0], side)
        for left in range(0, ink.shape[1], side)
    ]
    least = 0.004 * float(ink.sum())
    return [box for box in boxes if ink[box].sum() > max(least, 1)]


def _to_box(prepared: _Prepared, values: np.ndarray) -> np.ndarray:
    """The inverse of `_Prepared.to_scan`."""
    top, left, height, width = fitted_place(prepared.crop_shape, prepared.inks.shape[1:])
    rows, columns = prepared.corner
    part = values[rows : rows + prepared.crop_shape[0], columns : columns + prepared.crop_shape[1]]
    out = np.zeros(prepared.inks.shape[1:], np.float32)
    if part.size:
        out[top : top + height, left : left + width] = cv2.resize(
            part, (width, height), interpolation=cv2.INTER_AREA
        )
    return out


def shuffled_encoder(encoder: Encoder, rng: np.random.Generator) -> Encoder:
    """The same network with the numbers of every layer in another order: nothing learned is left in it."""
    import torch

    module = copy.deepcopy(encoder.module)
    with torch.no_grad():
        for parameter in module.parameters():
            order = torch.from_numpy(rng.permutation(parameter.numel()))
            parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return encoder.with_module(module)


def randomised_similarity(
    encoder: Encoder, image: np.ndarray, direction: np.ndarray, rng, layer: str = INK
) -> float:
    """How much the map looks like that of the same network with shuffled weights; an honest map differs.

    Parameters
    ----------
    encoder, image, direction, layer
        As for :func:`heatmap_along`.
    rng : numpy.random.Generator

    Returns
    -------
    float
        Spearman's correlation over the scan's inked area, -1 to 1; 0 when either map is flat.
    """
    from scipy.stats import spearmanr

    own = heatmap_along(encoder, image, direction, layer).values
    other = heatmap_along(shuffled_encoder(encoder, rng), image, direction, layer).values
    inked = to_gray(image) < 200
    first, second = own[inked], other[inked]
    if first.size < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)
