"""The shipped kind of encoder without PyTorch: its stages in ONNX Runtime, its readout in NumPy.

PyTorch's module (:mod:`vision.encoder.readout`) stays the reference: it is trained and explained, and both
give the same vectors within 1e-4 of their spread.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache

import numpy as np
import onnxruntime

from vision.encoder.readout_layout import AVERAGED, BARE, CO_VARYING, FLOOR, PREFIX, readout_length
from vision.encoder.stage_graph import stage_graph
from vision.threads import threads_in_use


class StageSession:
    """Embeds ink images.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        Of the weights file: the network's, and the readout's under its prefix.
    size : tuple of int
        Height and width of an ink image.
    mean, spread : float
        Of the network's input.

    Raises
    ------
    KeyError
        When a tensor is missing.
    """

    def __init__(
        self, tensors: Mapping[str, np.ndarray], size: tuple[int, int], mean: float, spread: float
    ) -> None:
        length = readout_length()
        self._centre = _double(tensors, "centre", np.zeros(length))
        self._scale = _double(tensors, "scale", np.ones(length))
        self._averaged = {
            stage: (_double(tensors, f"{stage}.centre"), _double(tensors, f"{stage}.basis"))
            for stage in AVERAGED
        }
        self._graph = stage_graph(tensors, size, mean, spread)
        self._sessions: dict[int, onnxruntime.InferenceSession] = {}
        self._making = threading.Lock()

    def embed(self, inks: np.ndarray) -> np.ndarray:
        """Vectors, float32 (b, d), of ink images, uint8 (b, h, w), ink bright on 0."""
        session = self._session(threads_in_use())
        names = [one.name for one in session.get_outputs()]
        maps = dict(zip(names, session.run(None, {"inks": inks[:, None]}), strict=True))
        parts = [describe_covariance(maps[stage], maps[f"{stage}.ink"]) for stage in CO_VARYING]
        for stage, (centre, basis) in self._averaged.items():
            projected = (maps[stage].astype(np.float64) - centre) @ basis
            length = np.linalg.norm(projected, axis=1, keepdims=True)
            parts.append(projected / np.maximum(length, 1e-12))
        return ((np.concatenate(parts, axis=1) - self._centre) * self._scale).astype(np.float32)

    def _session(self, threads: int) -> onnxruntime.InferenceSession:
        with self._making:
            if threads not in self._sessions:
                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
                options.log_severity_level = 3
                # Threads that wait by turning over would take the cores from those that read the scans.
                options.add_session_config_entry("session.intra_op.allow_spinning", "0")
                self._sessions[threads] = onnxruntime.InferenceSession(
                    self._graph, options, providers=["CPUExecutionProvider"]
                )
            return self._sessions[threads]


def describe_covariance(maps: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """As :func:`vision.encoder.readout.describe_covariance`, of maps that are projected already.

    Parameters
    ----------
    maps : ndarray, shape (b, k, h, w)
    ink : ndarray, shape (b, 1, h, w)

    Returns
    -------
    ndarray of float64, shape (b, (k + 2) (k + 3) / 2)
    """
    count, channels, height, width = maps.shape
    side = channels + 2
    features = np.empty((count, side, height * width))
    features[:, :channels] = maps.reshape(count, channels, -1)
    features[:, channels:] = _places(height, width)
    share = ink.reshape(count, 1, -1).astype(np.float64) + BARE
    share /= share.sum(axis=2, keepdims=True)
    features -= (share * features).sum(axis=2, keepdims=True)
    covariance = (share * features) @ features.transpose(0, 2, 1) + FLOOR * np.eye(side)
    values, vectors = np.linalg.eigh(covariance)
    logarithm = (vectors * np.log(values)[:, None]) @ vectors.transpose(0, 2, 1)
    rows, columns = np.triu_indices(side)
    return logarithm[:, rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2))


@cache
def _places(height: int, width: int) -> np.ndarray:
    """Position of each cell from the middle, in units of half the image's height, (2, h * w)."""
    down, right = np.mgrid[:height, :width].astype(np.float64)
    return np.stack([(right - width / 2).ravel(), (down - height / 2).ravel()]) * 2 / height


def _double(tensors: Mapping[str, np.ndarray], name: str, otherwise: np.ndarray | None = None) -> np.ndarray:
    found = tensors[PREFIX + name] if otherwise is None else tensors.get(PREFIX + name, otherwise)
    return np.asarray(found, np.float64)
