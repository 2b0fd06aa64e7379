"""The published networks: parameter counts, shapes, and losses worked out by hand."""

from __future__ import annotations

import pytest
import torch

from vision.networks.deepsign import (
    DeepSign,
    MobileNetTransfer,
    SiameseSigNet,
    trainable_parameters,
)
from vision.networks.pair_losses import contrastive_loss, writer_loss
from vision.networks.signet import SigNet


@pytest.mark.parametrize(
    ("network", "count"), [(SiameseSigNet, 6_461_568), (DeepSign, 256_992), (MobileNetTransfer, 721_589)]
)
def test_parameter_counts_are_those_of_the_paper(network, count):
    assert trainable_parameters(network()) == count


@pytest.mark.parametrize("network", [SiameseSigNet, DeepSign])
def test_networks_give_128_numbers_alike_for_one_and_for_two(network):
    torch.manual_seed(0)
    model = network().eval()
    images = torch.rand(2, 1, *network.input_size)
    with torch.no_grad():
        both, one = model(images), model(images[:1])
    assert both.shape == (2, 128)
    assert torch.allclose(both[:1], one, atol=1e-5)


def test_deepsign_embeddings_have_length_one():
    model = DeepSign().eval()
    with torch.no_grad():
        assert model(torch.rand(2, 1, 300, 360)).norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-5)


def test_the_frozen_backbone_never_trains():
    model = MobileNetTransfer().train()
    assert not model.backbone.training
    assert model.head.training
    assert not any(weights.requires_grad for weights in model.backbone.parameters())


def test_signet_gives_features_writers_and_forgery():
    model = SigNet(classes=5, forgery_unit=True).eval()
    with torch.no_grad():
        images = torch.rand(1, 1, 150, 220)
        writers, forged = model(images)
        assert model.features(images).shape == (1, 2048)
    assert writers.shape == (1, 5) and forged.shape == (1,)
    # convolutions 96·121 + 256·96·25 + 384·256·9 + 384·384·9 + 256·384·9, norms 2·(96+256+384+384+256),
    # dense 3840·2048 + 2048², norms 2·4096, heads 5·2049 + 2049
    convolutions = 11_616 + 614_400 + 884_736 + 1_327_104 + 884_736 + 2 * 1_376
    assert trainable_parameters(model) == convolutions + 7_864_320 + 4_194_304 + 8_192 + 6 * 2_049


def test_contrastive_loss_by_hand():
    first = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    second = torch.tensor([[0.3, 0.4], [0.3, 0.4], [3.0, 4.0]])
    # D = ½, ½, 5: genuine ½² = ¼; forged (1 − ½)² = ¼; forged beyond the margin 0
    loss = contrastive_loss(first, second, torch.tensor([0, 1, 1]))
    assert loss.item() == pytest.approx((0.25 + 0.25 + 0) / 3, abs=1e-5)


def test_contrastive_loss_draws_genuine_pairs_together_and_pushes_forged_apart():
    first = torch.zeros(2, 2)
    second = torch.tensor([[0.3, 0.4], [0.3, 0.4]], requires_grad=True)
    contrastive_loss(first, second, torch.tensor([0, 1])).backward()
    step = -second.grad  # the direction that lowers the loss
    assert (step[0] @ second[0]).item() < 0 < (step[1] @ second[1]).item()


def test_contrastive_loss_has_a_slope_even_for_identical_signatures():
    second = torch.zeros(1, 2, requires_grad=True)
    contrastive_loss(torch.zeros(1, 2), second, torch.tensor([1])).backward()
    assert torch.isfinite(second.grad).all()


def test_the_four_formulations_by_hand():
    # two writers, all logits 0: writer term ln 2 (ln 4 with forgeries as classes), forgery term ln 2
    logits, forged_logits = torch.zeros(2, 2), torch.zeros(2)
    writers, forged = torch.tensor([0, 1]), torch.tensor([0, 1])
    ln2 = 0.693147
    assert writer_loss(logits, None, writers, forged).item() == pytest.approx(ln2, abs=1e-5)
    classes = writer_loss(torch.zeros(2, 4), None, writers, forged, "forgeries_as_classes")
    assert classes.item() == pytest.approx(2 * ln2, abs=1e-5)
    one = writer_loss(logits, forged_logits, writers, forged, "loss1", 0.9)
    assert one.item() == pytest.approx(ln2, abs=1e-5)  # 0.1 ln 2 + 0.9 ln 2
    two = writer_loss(logits, forged_logits, writers, forged, "loss2", 0.9)
    assert two.item() == pytest.approx((1.0 + 0.9) / 2 * ln2, abs=1e-5)  # the forgery has no writer term


def test_forgeries_as_classes_do_not_teach_the_writers_class():
    logits = torch.zeros(1, 4, requires_grad=True)
    writer_loss(logits, None, torch.tensor([1]), torch.tensor([1]), "forgeries_as_classes").backward()
    assert int((-logits.grad[0]).argmax()) == 3


def test_wrong_formulations_are_refused_by_name():
    with pytest.raises(ValueError, match="formulation: must be one of"):
        writer_loss(torch.zeros(1, 2), None, torch.tensor([0]), torch.tensor([0]), "loss3")
    with pytest.raises(ValueError, match="forged_logits"):
        writer_loss(torch.zeros(1, 2), None, torch.tensor([0]), torch.tensor([0]), "loss1")
