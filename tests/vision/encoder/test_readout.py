"""The readout of the encoder's stages: its algebra by hand, its gradient, its fit, its file."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vision.encoder.backbones import Encoder, NoWeights, load_encoder
from vision.encoder.embed import embed_prepared, to_tensor
from vision.encoder.readout import SymmetricLog, describe_average, describe_covariance
from vision.encoder.readout_layout import (
    AVERAGED,
    CO_VARYING,
    FINE,
    PREFIX,
    covariance_length,
    readout_length,
)
from vision.encoder.staged import staged_parts
from vision.recipes import synthetic_encoder
from vision.recipes.checkpoints import TrainingState
from vision.recipes.readout_fit import FORGED, GENUINE, add_readout, synthetic_inks


def double(rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_the_logarithm_of_a_matrix_is_the_one_worked_out_by_hand():
    # eigenvalues 3 and 1 along (1, 1) and (1, -1): log = ln 3 / 2 everywhere
    found = SymmetricLog.apply(double([[[2.0, 1.0], [1.0, 2.0]], [[np.e, 0.0], [0.0, 1.0]]]))
    np.testing.assert_allclose(found[0].numpy(), np.full((2, 2), np.log(3) / 2), atol=1e-12)
    np.testing.assert_allclose(found[1].numpy(), [[1, 0], [0, 0]], atol=1e-12)


@pytest.mark.parametrize("eigenvalues", [(0.5, 2.0, 7.0), (1.0, 1.0, 3.0), (2.0, 2.0, 2.0)])
def test_the_logarithms_gradient_is_that_of_finite_differences_also_at_equal_eigenvalues(eigenvalues):
    turn = torch.linalg.qr(torch.from_numpy(np.random.default_rng(0).normal(size=(3, 3))))[0]
    matrix = (turn * double(eigenvalues)) @ turn.mT

    def of_symmetric(some):
        return SymmetricLog.apply((some + some.mT) / 2)

    assert torch.autograd.gradcheck(of_symmetric, matrix[None].requires_grad_())


def test_a_covariance_is_weighted_by_ink_and_holds_the_places():
    # two cells side by side, values 1 and 3; places are -1 and 0 times 2 across (height 1), 1 up both
    maps = torch.tensor([[[[1.0, 3.0]]]])
    even = describe_covariance(maps, torch.ones(1, 1, 1, 2), double([0.0]), double([[1.0]]))
    matrix = double([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]) + 0.01 * torch.eye(3).double()
    values, vectors = torch.linalg.eigh(matrix)
    log = (vectors * torch.log(values)) @ vectors.mT
    expected = [log[0, 0], 2**0.5 * log[0, 1], 0.0, log[1, 1], 0.0, np.log(0.01)]
    np.testing.assert_allclose(even[0].numpy(), np.array(expected, float), atol=1e-9)
    # ink in the first cell only: hardly anything varies along it
    one_sided = describe_covariance(maps, torch.tensor([[[[1.0, 0.0]]]]), double([0.0]), double([[1.0]]))
    assert one_sided[0, 0] < even[0, 0] - 2


def test_an_average_is_projected_and_brought_to_unit_length():
    maps = torch.tensor([[[[2.0, 4.0]], [[5.0, 5.0]]]])
    found = describe_average(maps, double([0.0, 1.0]), double([[1.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_allclose(found.numpy(), [[0.6, 0.8]], atol=1e-12)  # means 3 and 5 - 1 = 4


def test_the_length_is_the_sum_of_the_stages():
    assert covariance_length(1) == 6  # the triangle of 3 x 3
    assert readout_length() == 595 + 595 + 351 + 64


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A file with an untrained network under a fitted readout, and the images that it was fitted on."""
    settings = synthetic_encoder.Settings(writers=2, seed=3)
    network, _ = synthetic_encoder.build_network(settings)
    path = tmp_path_factory.mktemp("readout") / "tepat-resnet50-v0.safetensors"
    synthetic_encoder.export(network, path, settings, TrainingState(1, 1.0))
    add_readout(path, writers=2, seed=5)
    return path, synthetic_inks((64, 160), writers=2, seed=5)


def test_synthetic_scans_are_the_same_again_and_hold_ink(fitted):
    inks = fitted[1]
    assert inks.shape == (2 * (GENUINE + FORGED), 64, 160) and (inks.max(axis=(1, 2)) > 100).all()
    np.testing.assert_array_equal(inks[:10], synthetic_inks((64, 160), writers=1, seed=5))


def test_a_fitted_readout_centres_and_scales_every_number(fitted):
    path, inks = fitted
    encoder = load_encoder(str(path))
    vectors = embed_prepared(encoder, inks)
    assert vectors.shape == (20, readout_length()) and encoder.info.dim == readout_length()
    co_varying = vectors[:, : -AVERAGED["layer4"]]  # twenty images span no 64 averages
    np.testing.assert_allclose(co_varying.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(co_varying.std(axis=0), 1, atol=0.02)


def test_the_fine_readout_is_fitted_on_larger_images_of_its_own(fitted):
    tensors, variant = load_file(fitted[0]), f"{FINE}{PREFIX}"
    plain = {key.removeprefix(PREFIX) for key in tensors if key.startswith(PREFIX)}
    fine = {key.removeprefix(variant) for key in tensors if key.startswith(variant)}
    assert fine == plain
    parts = staged_parts(fitted[0], None, None, FINE)
    assert parts is not None and parts["input_size"] == (128, 320)
    encoder = Encoder(**parts)
    inks = synthetic_inks((128, 320), writers=2, seed=5)
    vectors = embed_prepared(encoder, inks)[:, : -AVERAGED["layer4"]]
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=0.02)
    in_torch = embed_prepared(encoder.with_module(encoder.module), inks[:2])
    np.testing.assert_allclose(in_torch[:, : vectors.shape[1]], vectors[:2], atol=1e-2)


def test_the_file_keeps_the_network_and_gives_the_training_head_up_for_the_readout(fitted):
    tensors = load_file(fitted[0])
    assert not any(key.startswith("fc.") for key in tensors)
    for stage, count in (CO_VARYING | AVERAGED).items():
        basis = tensors[f"{PREFIX}{stage}.basis"].double()
        assert basis.dtype == torch.float64 and basis.shape[1] == count
        lengths = basis.mT @ basis
        np.testing.assert_allclose((lengths / lengths[0, 0]).numpy(), np.eye(count), atol=1e-2)


def test_a_readout_that_lacks_a_tensor_is_refused(fitted, tmp_path):
    tensors = load_file(fitted[0])
    del tensors[f"{PREFIX}layer2.basis"]
    path = tmp_path / "resnet50.safetensors"
    about = '{"height": 64, "width": 160, "mean": 0.08, "spread": 0.22}'
    save_file(tensors, path, metadata={"architecture": "resnet50", "input": about})
    with pytest.raises(NoWeights, match="the readout lacks the tensor 'layer2.basis'"):
        load_encoder(str(path))
    save_file(tensors, path, metadata={"architecture": "resnet50"})
    with pytest.raises(NoWeights, match="needs a resnet50 whose file describes its input"):
        load_encoder(str(path))


def test_blank_paper_has_a_finite_vector_and_a_finite_gradient():
    encoder = load_encoder()
    x = to_tensor(encoder, np.zeros((1, *encoder.input_size), np.uint8)).requires_grad_()
    vector = encoder.module(x)
    vector.sum().backward()
    assert torch.isfinite(vector).all() and torch.isfinite(x.grad).all()


def test_one_image_and_a_batch_have_the_same_vector_under_the_shipped_readout():
    encoder = load_encoder()
    inks = synthetic_inks(encoder.input_size, writers=1)[:4]
    together = embed_prepared(encoder, inks)
    alone = np.concatenate([embed_prepared(encoder, ink[None]) for ink in inks])
    np.testing.assert_allclose(alone, together, atol=1e-3)
    np.testing.assert_array_equal(together, embed_prepared(encoder, inks))
