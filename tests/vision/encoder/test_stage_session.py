"""The encoder without PyTorch, its stages in ONNX Runtime and its readout in NumPy: the same vectors."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

from vision.encoder.backbones import SHIPPED_FILE, load_encoder
from vision.encoder.embed import embed_prepared
from vision.encoder.readout import describe_covariance as described_by_torch
from vision.encoder.readout_layout import AVERAGED, CO_VARYING, covariance_length
from vision.encoder.stage_graph import layers, stage_graph, tensor_names
from vision.encoder.stage_session import describe_covariance
from vision.encoder.weights_files import NoWeights
from vision.recipes.readout_fit import synthetic_inks
from vision.threads import threads_in_use, use_threads

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def shipped():
    return load_encoder()


@pytest.fixture(scope="module")
def inks(shipped):
    """Synthetic signatures, blank paper and solid ink."""
    drawn = synthetic_inks(shipped.input_size, writers=2)[:14]
    return np.concatenate([drawn, np.zeros_like(drawn[:1]), np.full_like(drawn[:1], 255)])


def by_torch(encoder, inks):
    return embed_prepared(replace(encoder, start=None), inks)


def test_the_vectors_are_those_of_pytorch(shipped, inks):
    ours, reference = embed_prepared(shipped, inks), by_torch(shipped, inks)
    assert shipped.session is not None
    assert ours.dtype == np.float32 and ours.shape == reference.shape == (16, shipped.info.dim)
    drawn = reference[:14]
    spread = drawn.std(axis=0).mean()
    assert np.abs(ours - reference)[:14].max() < 1e-4 * spread
    # bare paper and solid ink have tiny eigenvalues, whose logarithms enlarge the last digits
    np.testing.assert_allclose(ours[14:], reference[14:], atol=1e-2 * spread)


def test_neighbours_and_similarities_are_those_of_pytorch(shipped, inks):
    def cosines(vectors):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit @ unit.T

    ours, reference = (
        cosines(vectors[:14]) for vectors in (embed_prepared(shipped, inks), by_torch(shipped, inks))
    )
    np.testing.assert_allclose(ours, reference, atol=1e-5)
    assert (ours.argsort(axis=1) == reference.argsort(axis=1)).all()


def test_a_covariance_is_described_as_by_the_differentiable_one():
    rng = np.random.default_rng(3)
    maps, ink = rng.normal(size=(2, 5, 4, 6)), rng.random((2, 1, 4, 6))
    centre, basis = rng.normal(size=5), rng.normal(size=(5, 3))
    projected = np.einsum("bchw,ck->bkhw", maps - centre[:, None, None], basis)
    expected = described_by_torch(*(torch.from_numpy(one) for one in (maps, ink, centre, basis)))
    found = describe_covariance(projected, ink)
    assert found.shape == (2, covariance_length(3))
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-12)


@pytest.mark.parametrize("threads", [1, 2])
def test_one_image_and_a_batch_have_the_same_vector(shipped, inks, threads):
    before = threads_in_use()
    try:
        assert use_threads(threads) == threads_in_use() == threads
        together = embed_prepared(shipped, inks)
        alone = np.concatenate([embed_prepared(shipped, ink[None]) for ink in inks])
        np.testing.assert_allclose(alone, together, atol=1e-3)
        np.testing.assert_array_equal(together, embed_prepared(shipped, inks))
    finally:
        use_threads(before)


def test_the_graph_holds_every_layer_once_and_gives_what_the_readout_reads():
    tensors = {key: value.numpy() for key, value in load_file(SHIPPED_FILE).items()}
    assert len(list(layers())) == 53 and set(tensor_names()) <= set(tensors)
    graph = stage_graph(tensors, (64, 96), 0.08, 0.22)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    told = session.run(None, {"inks": np.zeros((3, 1, 64, 96), np.uint8)})
    shapes = dict(zip([one.name for one in session.get_outputs()], [one.shape for one in told], strict=True))
    sides = {"layer1": (16, 24), "layer2": (8, 12), "layer3": (4, 6)}
    expected = {stage: (3, count, *sides[stage]) for stage, count in CO_VARYING.items()}
    expected |= {f"{stage}.ink": (3, 1, *sides[stage]) for stage in CO_VARYING}
    assert shapes == expected | {stage: (3, 2048) for stage in AVERAGED}


def test_a_size_that_does_not_divide_is_refused_and_left_to_pytorch(tmp_path):
    tensors = load_file(SHIPPED_FILE)
    with pytest.raises(ValueError, match="multiples of 32, got \\(64, 150\\)"):
        stage_graph({}, (64, 150), 0.1, 0.2)
    path = tmp_path / "resnet50.safetensors"
    about = '{"height": 60, "width": 150, "mean": 0.08, "spread": 0.22}'
    save_file(tensors, path, metadata={"architecture": "resnet50", "input": about})
    encoder = load_encoder(str(path))
    assert encoder.session is None
    assert embed_prepared(encoder, np.zeros((1, 60, 150), np.uint8)).shape == (1, encoder.info.dim)


def test_a_file_that_changes_after_it_was_opened_is_not_used(tmp_path):
    path = tmp_path / "resnet50.safetensors"
    tensors = load_file(SHIPPED_FILE)
    about = '{"height": 64, "width": 160, "mean": 0.08, "spread": 0.22}'
    save_file(tensors, path, metadata={"architecture": "resnet50", "input": about})
    encoder = load_encoder(str(path))
    tensors["readout.centre"] = tensors["readout.centre"] + 1
    save_file(tensors, path, metadata={"architecture": "resnet50", "input": about})
    for use in (lambda: encoder.session, lambda: encoder.module):
        with pytest.raises(NoWeights, match="has changed since it was opened"):
            use()


def test_the_shipped_encoder_embeds_without_loading_pytorch():
    code = (
        "import sys, numpy as np\n"
        "from vision.encoder.backbones import load_encoder\n"
        "from vision.encoder.embed import embed_images\n"
        "from vision.threads import use_threads\n"
        "use_threads(1)\n"
        "scan = np.full((80, 200), 245, np.uint8); scan[30:34, 40:160] = 40\n"
        "assert embed_images(load_encoder(), [scan]).shape == (1, 1605)\n"
        "assert 'torch' not in sys.modules, 'torch'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"TEPAT_ENCODER": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
