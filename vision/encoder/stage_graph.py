"""A ResNet-50's stages as an ONNX graph: what the readout needs, from NumPy weights, without PyTorch.

The graph takes ink images and gives each stage's maps already projected, so that little leaves it. Batch norm
is folded into the convolutions, and the first one sums its three input channels, which are equal for ink.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vision.encoder.readout_layout import AVERAGED, CO_VARYING

BLOCKS = {"layer1": 3, "layer2": 4, "layer3": 6, "layer4": 3}
"""Residual blocks of each stage (He et al. 2016)."""

STRIDES = {"layer1": 1, "layer2": 2, "layer3": 2, "layer4": 2}
CHANNELS = 2048
"""Of the last stage's maps."""

REDUCED = 32
"""An input's height and width must be multiples of it: a cell of the last stage."""

OPSET, IR = 21, 10
_EPSILON = 1e-5
"""torchvision's of batch norm."""


def layers() -> Iterator[tuple[str, str]]:
    """(convolution, its batch norm) by torchvision's names, in order."""
    yield "conv1", "bn1"
    for stage, count in BLOCKS.items():
        for block in range(count):
            at = f"{stage}.{block}"
            yield from ((f"{at}.conv{i}", f"{at}.bn{i}") for i in (1, 2, 3))
            if block == 0:
                yield f"{at}.downsample.0", f"{at}.downsample.1"


def tensor_names() -> list[str]:
    """Every tensor that :func:`stage_graph` reads of the network."""
    parts = ("weight", "bias", "running_mean", "running_var")
    return [
        name for conv, norm in layers() for name in (f"{conv}.weight", *(f"{norm}.{part}" for part in parts))
    ]


def stage_graph(
    tensors: Mapping[str, np.ndarray], size: tuple[int, int], mean: float, spread: float
) -> bytes:
    """The graph, serialised.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        :func:`tensor_names` and, for each stage of the readout, ``readout.<stage>.centre`` and ``.basis``.
    size : tuple of int
        Height and width of the input, multiples of :data:`REDUCED`.
    mean, spread : float
        Of the network's input, (ink - mean) / spread with ink from 0 to 1.

    Returns
    -------
    bytes
        Input ``inks``, uint8 (b, 1, h, w). Outputs, float32: each co-varying stage's projected maps under its
        name, (b, k, h / s, w / s), with ink's weights ``<stage>.ink``, (b, 1, h / s, w / s); the averaged
        stage's mean over all places, (b, c).

    Raises
    ------
    KeyError
        When a tensor is missing.
    ValueError
        When `size` is no multiple.
    """
    if size[0] % REDUCED or size[1] % REDUCED:
        raise ValueError(f"size must be multiples of {REDUCED}, got {size}")
    graph = _Graph(tensors)
    ink = graph.add("Div", graph.add("Cast", "inks", to=TensorProto.FLOAT), graph.constant("full", 255.0))
    centred = graph.add("Sub", ink, graph.constant("mean", mean))
    x = graph.convolve(graph.add("Div", centred, graph.constant("spread", spread)), "conv1", "bn1", stride=2)
    x = graph.add("MaxPool", graph.add("Relu", x), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    wide = graph.add("MaxPool", ink, kernel_shape=[3, 3], pads=[1] * 4)
    weights = graph.add(
        "Min", graph.add("Mul", wide, graph.constant("three", 3.0)), graph.constant("one", 1.0)
    )
    reduced, outputs = 4, {}
    for stage in BLOCKS:
        x = graph.stage(x, stage)
        reduced *= STRIDES[stage]
        if stage in CO_VARYING:
            graph.project(x, stage)
            cell = [reduced, reduced]
            graph.add("AveragePool", weights, name=f"{stage}.ink", kernel_shape=cell, strides=cell)
            side = [size[0] // reduced, size[1] // reduced]
            outputs |= {stage: [CO_VARYING[stage], *side], f"{stage}.ink": [1, *side]}
        elif stage in AVERAGED:
            pooled = graph.add("GlobalAveragePool", x)
            graph.add("Flatten", pooled, name=stage)
            outputs[stage] = [CHANNELS]
    inks = helper.make_tensor_value_info("inks", TensorProto.UINT8, ["n", 1, *size])
    kind = TensorProto.FLOAT
    told = [helper.make_tensor_value_info(name, kind, ["n", *shape]) for name, shape in outputs.items()]
    made = helper.make_graph(graph.nodes, "stages", [inks], told, graph.initializers)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(model)
    return model.SerializeToString()


class _Graph:
    """Nodes and weights as they are added."""

    def __init__(self, tensors: Mapping[str, np.ndarray]):
        self._tensors = tensors
        self.nodes: list = []
        self.initializers: list = []

    def add(self, operator: str, *inputs: str, name: str = "", **attributes) -> str:
        """A node; the name of what it gives."""
        name = name or f"{operator}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def constant(self, name: str, values: np.ndarray | float) -> str:
        """A weight; its name."""
        self.initializers.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def convolve(self, x: str, conv: str, norm: str, stride: int = 1) -> str:
        """A convolution with its batch norm folded in."""
        weight = self._tensors[f"{conv}.weight"].astype(np.float64)
        gain, shift, mean, variance = (
            self._tensors[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gain / np.sqrt(variance + _EPSILON)
        if conv == "conv1":
            weight = weight.sum(axis=1, keepdims=True)
        side = weight.shape[2]
        told = {"strides": [stride] * 2, "pads": [side // 2] * 4, "kernel_shape": [side] * 2}
        names = (
            self.constant(f"{conv}.weight", weight * factor[:, None, None, None]),
            self.constant(f"{conv}.bias", shift - mean * factor),
        )
        return self.add("Conv", x, *names, **told)

    def stage(self, x: str, stage: str) -> str:
        """A stage's residual blocks; the stride sits in the second convolution, as in torchvision."""
        for block in range(BLOCKS[stage]):
            at, stride = f"{stage}.{block}", STRIDES[stage] if block == 0 else 1
            y = self.add("Relu", self.convolve(x, f"{at}.conv1", f"{at}.bn1"))
            y = self.add("Relu", self.convolve(y, f"{at}.conv2", f"{at}.bn2", stride))
            y = self.convolve(y, f"{at}.conv3", f"{at}.bn3")
            if block == 0:
                x = self.convolve(x, f"{at}.downsample.0", f"{at}.downsample.1", stride)
            x = self.add("Relu", self.add("Add", y, x))
        return x

    def project(self, x: str, stage: str) -> str:
        """Maps about their centre along the readout's basis, as a convolution of one cell."""
        centre, basis = (
            self._tensors[f"readout.{stage}.{part}"].astype(np.float64) for part in ("centre", "basis")
        )
        weight = self.constant(f"{stage}.basis", basis.T[:, :, None, None])
        bias = self.constant(f"{stage}.shift", -centre @ basis)
        return self.add("Conv", x, weight, bias, name=stage, kernel_shape=[1, 1])
