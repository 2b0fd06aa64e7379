"""Heat maps along any direction of embedding space, on the original scan, with checks of their honesty.

Trees that stand on embeddings have no gradient; the direction in which the embedding would have to move is
known, and so the question becomes: which ink moves the embedding along it? Three answers:

* Grad-CAM at a layer (Selvaraju et al. 2017), as coarse as that layer;
* HiResCAM at a layer (Draelos and Carin 2020): gradient times activation at each place, not the gradient's
  average over all places;
* the gradient summed while the ink fades in from blank paper, times the ink (integrated gradients,
  Sundararajan et al. 2017), smoothed.

Maps are checked by occlusion, against what the ink really does to the score, and against a network whose
weights are shuffled (Adebayo et al. 2018).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vision.encoder.backbones import Encoder
from vision.encoder.embed import embed_prepared, to_tensor
from vision.scans.preprocess import clean_ink, fit_ink, fitted_place, to_gray

INK = "ink"
"""The pseudo-layer of summed gradients: the ink image itself."""

SUMMED, GRAD_CAM, HIRES_CAM = "gradients", "grad_cam", "hires_cam"
"""Methods."""

CANDIDATES = ((HIRES_CAM, "layer2"), (SUMMED, INK))
"""Methods and layers of a ResNet in the order in which maps are offered: the first faithful one leads.

Plain Grad-CAM is not among them: of this network it agrees with occlusion little or not at all, so that many
of the maps of it which pass the check would pass by luck (``python -m benchmarks heat-maps``).
"""

Gain = Callable[[np.ndarray], np.ndarray]
"""What embeddings (n, d) are worth: (n,)."""

LEAST_FIDELITY = 0.3
"""Rank correlation with occlusion below which a map would mislead."""

MOST_ALIKE = 0.5
"""Rank correlation with the map of shuffled weights above which nothing learned is shown."""

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
        ``ink``, or the layer that a class activation map read.
    encoder_id : str
        Which network was explained.
    method : str
        ``gradients``, ``grad_cam`` or ``hires_cam``.
    """

    values: np.ndarray
    strength: float
    layer: str
    encoder_id: str
    method: str = SUMMED


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


def heatmap_along(
    encoder: Encoder,
    image: np.ndarray,
    direction: np.ndarray,
    layer: str = INK,
    method: str = GRAD_CAM,
) -> Heatmap:
    """Which ink moves the embedding along a direction.

    Parameters
    ----------
    encoder : Encoder
    image : ndarray of uint8, shape (h, w) or (h, w, 3)
        A scan.
    direction : ndarray, shape (d,)
        In embedding space; its length does not matter.
    layer : str
        ``ink`` for summed gradients; or the name of a submodule, for example ``layer4``, for a class
        activation map there.
    method : str
        At a submodule, ``grad_cam`` or ``hires_cam``.

    Returns
    -------
    Heatmap
        The encoder is left as it was, also after an error.

    Raises
    ------
    ValueError
        When `direction` has another length, is zero or not finite, `layer` does not exist or `method` is
        unknown.
    """
    direction = _checked_direction(encoder, direction)
    prepared = _prepare(encoder, image)
    if layer == INK:
        box, method = _faded_in(encoder, prepared.inks, direction), SUMMED
    else:
        box = _class_activation(encoder, prepared.inks, direction, layer, method)
    strength = float(box.max())
    values = prepared.to_scan(box / strength if strength > 0 else box)
    return Heatmap(np.clip(values, 0, 1), strength, layer, encoder.info.encoder_id, method)


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


def _class_activation(
    encoder: Encoder, inks: np.ndarray, direction: np.ndarray, layer: str, method: str
) -> np.ndarray:
    """A class activation map on the encoder's image; captum hooks the layer and takes the hook off in any
    case."""
    import torch
    from captum.attr import LayerGradCam, LayerGradientXActivation

    if method not in (GRAD_CAM, HIRES_CAM):
        raise ValueError(f"method must be {GRAD_CAM!r} or {HIRES_CAM!r}, got {method!r}")
    try:
        module = encoder.module.get_submodule(layer)
    except AttributeError as problem:
        raise ValueError(
            f"layer must be a submodule of the {encoder.architecture}, got {layer!r}"
        ) from problem
    along, x = torch.from_numpy(direction), to_tensor(encoder, inks)

    def worth(batch):
        return encoder.module(batch) @ along

    if method == GRAD_CAM:
        maps = LayerGradCam(worth, module).attribute(x, relu_attributions=True).detach()
    else:
        shares = LayerGradientXActivation(worth, module).attribute(x).detach()
        maps = shares.sum(1, keepdim=True).clamp(min=0)
    maps = torch.nn.functional.interpolate(
        maps, size=encoder.input_size, mode="bilinear", align_corners=False
    )
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


@dataclass(frozen=True)
class Occlusion:
    """What covering each piece of a specimen's ink does.

    Attributes
    ----------
    cells : list of tuple of slice
        Square pieces of the encoder's image that hold ink.
    lost : ndarray of float64, shape (len(cells),)
        What is lost when the piece's ink is taken away; 0 where something is gained, since a map shows only
        what speaks for the direction.
    embeddings : ndarray of float32, shape (len(cells) + 1, d)
        Of the whole signature, then without each piece.
    """

    cells: list[tuple[slice, slice]]
    lost: np.ndarray
    embeddings: np.ndarray
    _prepared: _Prepared

    @cached_property
    def moves(self) -> bool:
        """Whether anything is lost by covering any ink."""
        return len(self.cells) > 0 and bool(self.lost.max(initial=0) > 0)

    def fidelity(self, heat: Heatmap | np.ndarray) -> float:
        """Rank correlation (Spearman) of the mean heat on each piece's ink with what covering it loses.

        Parameters
        ----------
        heat : Heatmap or ndarray, shape (h, w)
            On the specimen's scan.

        Returns
        -------
        float
            -1 to 1; 0 when fewer than three pieces hold ink or nothing varies.

        Raises
        ------
        ValueError
            When the heat has another shape than the scan.
        """
        from scipy.stats import spearmanr

        values = heat.values if isinstance(heat, Heatmap) else np.asarray(heat, np.float32)
        if values.shape != self._prepared.scan_shape:
            raise ValueError(
                f"heat must have the scan's shape {self._prepared.scan_shape}, got {values.shape}"
            )
        ink, on_box = self._prepared.inks[0], _to_box(self._prepared, values)
        hot = np.array([np.average(on_box[cell], weights=ink[cell]) for cell in self.cells])
        if len(hot) < 3 or np.ptp(hot) == 0 or np.ptp(self.lost) == 0:
            return 0.0
        return float(spearmanr(hot, self.lost).statistic)


def occlude(encoder: Encoder, image: np.ndarray, gain: Gain | np.ndarray, cells: int = 12) -> Occlusion:
    """Cover a specimen's ink piece by piece.

    Parameters
    ----------
    encoder : Encoder
    image : ndarray of uint8
        A scan.
    gain : callable or ndarray, shape (d,)
        What embeddings are worth, for example a score's margin with all trees; a direction stands for the
        place along it.
    cells : int
        Pieces along the longer side, at least 3.

    Returns
    -------
    Occlusion
    """
    if not callable(gain):
        direction = _checked_direction(encoder, gain)
        gain = _along(direction)
    prepared = _prepare(encoder, image)
    boxes = _inked_cells(prepared.inks[0], cells)
    covered = np.repeat(prepared.inks, len(boxes) + 1, axis=0)
    for number, (rows, columns) in enumerate(boxes):
        covered[number + 1, rows, columns] = 0
    parts = np.array_split(covered, min(4, len(covered)))
    embeddings = np.concatenate([embed_prepared(encoder, part) for part in parts])
    worth = np.asarray(gain(embeddings), np.float64)
    return Occlusion(boxes, np.maximum(worth[0] - worth[1:], 0), embeddings, prepared)


def _along(direction: np.ndarray) -> Gain:
    return lambda embeddings: embeddings @ direction


def occlusion_fidelity(
    encoder: Encoder, image: np.ndarray, direction: np.ndarray, heat: Heatmap | np.ndarray, cells: int = 12
) -> float:
    """Whether covering the hot ink really moves the embedding back: rank correlation of heat and effect.

    Parameters
    ----------
    encoder : Encoder
    image : ndarray of uint8
        The scan of the heat map.
    direction : ndarray, shape (d,)
    heat : Heatmap or ndarray, shape (h, w)
    cells : int
        Pieces along the longer side, at least 3.

    Returns
    -------
    float
        Of :meth:`Occlusion.fidelity`.
    """
    return occlude(encoder, image, direction, cells).fidelity(heat)


@dataclass(frozen=True)
class CheckedMap:
    """A heat map and the two checks that decide whether it is shown.

    Attributes
    ----------
    heat : Heatmap
    fidelity : float
        Of :meth:`Occlusion.fidelity`.
    alike : float
        Rank correlation with the map of the same network with shuffled weights; NaN when the fidelity
        already forbids the map.
    """

    heat: Heatmap
    fidelity: float
    alike: float

    @property
    def faithful(self) -> bool:
        """Whether the map says where the ink acts."""
        return self.fidelity >= LEAST_FIDELITY

    @property
    def shown(self) -> bool:
        """Whether it does, and depends on what the network learned."""
        return self.faithful and self.alike <= MOST_ALIKE


def checked_maps(
    encoder: Encoder,
    image: np.ndarray,
    direction: np.ndarray,
    covered: Occlusion,
    rng: np.random.Generator | None = None,
) -> list[CheckedMap]:
    """Maps of every method in the order of :data:`CANDIDATES`, each with its checks.

    Parameters
    ----------
    encoder : Encoder
        Layers that it does not have are left out.
    image : ndarray of uint8
    direction : ndarray, shape (d,)
    covered : Occlusion
        Of the same image.
    rng : numpy.random.Generator, optional
        Shuffles the weights of the randomisation check; default: one with seed 0, so that a page drawn again
        says the same.

    Returns
    -------
    list of CheckedMap
        Not empty.
    """
    rng, maps = np.random.default_rng(0) if rng is None else rng, []
    layers = {name for name, _ in encoder.module.named_children()} | {INK}
    for method, layer in CANDIDATES:
        if layer not in layers:
            continue
        heat = heatmap_along(encoder, image, direction, layer, method)
        fidelity, alike = covered.fidelity(heat), float("nan")
        if fidelity >= LEAST_FIDELITY:
            alike = randomised_similarity(encoder, image, direction, rng, layer, method)
        maps.append(CheckedMap(heat, fidelity, alike))
    return maps


def best_first(maps: list[CheckedMap]) -> list[CheckedMap]:
    """The first map that may be shown and, beside it, the first of another kind; or, when none may be shown,
    the most faithful one alone."""
    shown = [one for one in maps if one.shown]
    if not shown:
        return [max(maps, key=lambda one: (one.faithful, one.fidelity))]
    others = [one for one in shown if one.heat.method != shown[0].heat.method]
    return [shown[0], *others[-1:]]


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
    encoder: Encoder, image: np.ndarray, direction: np.ndarray, rng, layer: str = INK, method: str = GRAD_CAM
) -> float:
    """How much the map looks like that of the same network with shuffled weights; an honest map differs.

    Parameters
    ----------
    encoder, image, direction, layer, method
        As for :func:`heatmap_along`.
    rng : numpy.random.Generator

    Returns
    -------
    float
        Spearman's correlation over the scan's inked area, -1 to 1; 0 when either map is flat.
    """
    from scipy.stats import spearmanr

    own = heatmap_along(encoder, image, direction, layer, method).values
    other = heatmap_along(shuffled_encoder(encoder, rng), image, direction, layer, method).values
    inked = to_gray(image) < 200
    first, second = own[inked], other[inked]
    if first.size < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)
