"""Heat maps: where a known network looks is where the map is hot, and the network is left as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from data.signatures.encoder_info import EncoderInfo
from vision.encoder.backbones import Encoder
from vision.encoder.heat_map_overlay import blend
from vision.encoder.heat_maps import (
    CheckedMap,
    Heatmap,
    best_first,
    checked_maps,
    heatmap_along,
    occlude,
    occlusion_fidelity,
    randomised_similarity,
    similarity_direction,
)


class HalvesNet(nn.Module):
    """Dimension 0 is the amount of horizontal strokes, dimension 1 that of vertical ones."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 2, 5, padding=2, bias=False), nn.ReLU())
        across = torch.zeros(5, 5)
        across[2], across[0], across[4] = 1.0, -0.5, -0.5
        with torch.no_grad():
            self.features[0].weight.copy_(torch.stack([across, across.T])[:, None].expand(-1, 3, -1, -1) / 3)

    def forward(self, x):
        return self.features(x).mean((2, 3))


@pytest.fixture
def encoder():
    info = EncoderInfo("strokes", "1", "0" * 64, "made by a test", 2)
    module = HalvesNet().eval().requires_grad_(False)
    return Encoder(info, lambda: module, "mobilenet_v2", (60, 150), (0.0,) * 3, (1.0,) * 3, ink_bright=True)


def scan_with_bars():
    """Horizontal strokes on the left, vertical strokes on the right; top row free."""
    image = np.full((140, 320), 240, np.uint8)
    for row in range(40, 110, 16):
        image[row : row + 4, 30:130] = 30
    for column in range(200, 296, 16):
        image[36:110, column : column + 4] = 30
    return image


@pytest.mark.parametrize("layer", ["ink", "features"])
def test_the_map_lies_on_the_strokes_that_the_direction_asks_for(encoder, layer):
    scan = scan_with_bars()
    across = heatmap_along(encoder, scan, np.array([1.0, 0.0]), layer)
    upright = heatmap_along(encoder, scan, np.array([0.0, 5.0]), layer)
    assert across.layer == layer
    assert across.values.shape == scan.shape and across.values.dtype == np.float32
    assert 0 <= across.values.min() and across.values.max() <= 1
    assert across.values[:, :160].sum() > 5 * across.values[:, 180:].sum()
    assert upright.values[:, 180:].sum() > 5 * upright.values[:, :160].sum()


def test_hires_cam_is_gradient_times_activation_at_each_place(encoder):
    """The net's last layer is averaged, so each place's gradient is the same: HiResCAM and Grad-CAM agree."""
    scan, direction = scan_with_bars(), np.array([1.0, 0.0])
    hires = heatmap_along(encoder, scan, direction, "features", "hires_cam")
    plain = heatmap_along(encoder, scan, direction, "features", "grad_cam")
    assert hires.method == "hires_cam" and plain.method == "grad_cam"
    np.testing.assert_allclose(hires.values, plain.values, atol=1e-5)
    with pytest.raises(ValueError, match="method must be 'grad_cam' or 'hires_cam', got 'cam'"):
        heatmap_along(encoder, scan, direction, "features", "cam")


def test_covering_follows_what_the_embedding_is_worth_and_not_only_a_direction(encoder):
    scan = scan_with_bars()
    along = occlude(encoder, scan, np.array([1.0, 0.0]))
    steps = occlude(encoder, scan, lambda embeddings: np.floor(embeddings[:, 0] * 1e6))
    assert along.moves and steps.moves and len(along.cells) == len(along.lost)
    assert along.embeddings.shape == (len(along.cells) + 1, 2)
    flat = occlude(encoder, scan, lambda embeddings: np.ones(len(embeddings)))
    assert not flat.moves and flat.fidelity(np.random.default_rng(0).random(scan.shape)) == 0
    with pytest.raises(ValueError, match="heat must have the scan's shape"):
        along.fidelity(np.zeros((3, 3)))


def test_every_kind_of_map_that_the_network_has_is_checked(encoder):
    scan, direction = scan_with_bars(), np.array([1.0, -1.0])
    maps = checked_maps(encoder, scan, direction, occlude(encoder, scan, direction))
    assert [one.heat.method for one in maps] == ["gradients"]  # it has no layer2, layer3 or layer4
    assert maps[0].faithful and -1 <= maps[0].alike <= 1


def checked(method, fidelity, alike=0.0):
    return CheckedMap(Heatmap(np.zeros((2, 2)), 1.0, "layer4", "e", method), fidelity, alike)


def test_the_first_faithful_map_leads_and_another_kind_stands_beside_it():
    cam, hires, summed = checked("grad_cam", 0.3), checked("hires_cam", 0.5), checked("gradients", 0.9)
    assert best_first([cam, hires, summed]) == [cam, summed]
    assert best_first([checked("grad_cam", 0.29), hires, summed]) == [hires, summed]
    assert best_first([cam, checked("grad_cam", 0.8)]) == [cam]
    alike = checked("gradients", 0.9, 0.51)
    assert best_first([checked("grad_cam", 0.1), alike]) == [alike] and not alike.shown
    assert best_first([checked("grad_cam", 0.1), checked("gradients", 0.2)])[0].fidelity == 0.2


def test_nothing_is_hot_outside_the_cropped_ink(encoder):
    heat = heatmap_along(encoder, scan_with_bars(), np.array([1.0, 1.0])).values
    assert not heat[:30].any() and not heat[:, :24].any() and not heat[116:].any()


def test_covering_hot_ink_moves_the_embedding_back_and_a_reversed_map_is_unmasked(encoder):
    scan, direction = scan_with_bars(), np.array([1.0, -1.0])
    heat = heatmap_along(encoder, scan, direction)
    assert occlusion_fidelity(encoder, scan, direction, heat) > 0.5
    assert occlusion_fidelity(encoder, scan, direction, 1 - heat.values) < -0.5


def test_a_blank_scan_has_an_empty_map_and_no_fidelity(encoder):
    blank = np.full((90, 200), 240, np.uint8)
    heat = heatmap_along(encoder, blank, np.array([1.0, 0.0]))
    assert not heat.values.any() and heat.strength == 0
    assert occlusion_fidelity(encoder, blank, np.array([1.0, 0.0]), heat) == 0


def test_shuffled_weights_give_other_maps(encoder):
    direction = np.array([1.0, 0.0])
    likeness = [
        randomised_similarity(encoder, scan_with_bars(), direction, np.random.default_rng(seed), "features")
        for seed in range(4)
    ]
    assert min(likeness) < 0.5 and max(likeness) < 1


def hooks_of(module):
    return sum(
        len(part._forward_hooks) + len(part._backward_hooks) + len(part._forward_pre_hooks)
        for part in module.modules()
    )


def test_the_encoder_is_left_as_it_was_also_after_an_error(encoder):
    before = {k: v.clone() for k, v in encoder.module.state_dict().items()}
    heatmap_along(encoder, scan_with_bars(), np.array([1.0, 0.0]), "features")
    heatmap_along(encoder, scan_with_bars(), np.array([1.0, 0.0]))
    assert hooks_of(encoder.module) == 0

    class Breaks(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = encoder.module.features

        def forward(self, x):
            self.features(x)
            raise RuntimeError("out of memory")

    broken = encoder.with_module(Breaks())
    with pytest.raises(RuntimeError, match="out of memory"):
        heatmap_along(broken, scan_with_bars(), np.array([1.0, 0.0]), "features")
    assert hooks_of(broken.module) == 0
    for key, value in encoder.module.state_dict().items():
        torch.testing.assert_close(value, before[key], rtol=0, atol=0)


def test_wrong_directions_and_layers_are_named(encoder):
    scan = scan_with_bars()
    with pytest.raises(ValueError, match=r"direction must have shape \(2,\), got \(3,\)"):
        heatmap_along(encoder, scan, np.ones(3))
    with pytest.raises(ValueError, match="finite and not zero"):
        heatmap_along(encoder, scan, np.zeros(2))
    with pytest.raises(ValueError, match="layer must be a submodule .* got 'layer9'"):
        heatmap_along(encoder, scan, np.ones(2), layer="layer9")


def test_the_direction_to_references_is_their_mean_on_the_unit_sphere():
    direction = similarity_direction(np.array([[3.0, 0.0], [0.0, 0.5]]))
    np.testing.assert_allclose(direction, [2**-0.5, 2**-0.5], rtol=1e-6)
    with pytest.raises(ValueError, match="references must have shape"):
        similarity_direction(np.zeros((0, 2)))


def test_an_overlay_keeps_cold_places_gray_and_ink_dark():
    gray = np.array([[250, 250], [20, 20]], np.uint8)
    heat = np.array([[0.0, 1.0], [0.0, 1.0]])
    rgb = blend(gray, heat)
    assert rgb.shape == (2, 2, 3)
    np.testing.assert_array_equal(rgb[0, 0], [250, 250, 250])
    assert rgb[0, 1, 1] < 150 < rgb[0, 0, 1]
    assert rgb[1, 1].max() <= 20


def test_overlays_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"heat must have the shape of gray, got \(2, 3\) for \(2, 2\)"):
        blend(np.zeros((2, 2), np.uint8), np.zeros((2, 3)))
