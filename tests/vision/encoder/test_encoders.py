"""Loading encoders and embedding: named weights or a plain error; vectors do not depend on the batch."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import get_model

from data.signatures.encoder_info import EncoderInfo
from vision.encoder.backbones import ARCHITECTURES, Encoder, NoWeights, load_encoder
from vision.encoder.embed import embed_images, prepare_image
from vision.encoder.folding import fold_batch_norm


def scan_of(seed, shape=(60, 150)):
    """White paper with a few dark strokes."""
    rng = np.random.default_rng(seed)
    image = np.full(shape, 245, np.uint8)
    for _ in range(6):
        row, column = rng.integers(8, shape[0] - 12), rng.integers(8, shape[1] - 40)
        image[row : row + 3, column : column + rng.integers(8, 30)] = 40
    return image


def trained_like(architecture, seed=0):
    """A network whose batch norms have statistics, as after training."""
    torch.manual_seed(seed)
    network = get_model(architecture, weights=None)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def save_half(network, path, **metadata):
    tensors = {k: v.half() for k, v in network.state_dict().items() if v.is_floating_point()}
    save_file(tensors, path, metadata=metadata or None)


@pytest.fixture(scope="module")
def resnet_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet50_some.safetensors"
    save_half(trained_like("resnet50"), path)
    return path


@pytest.fixture
def tiny():
    """Two convolutions and an average: an encoder whose every number can be followed."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    info = EncoderInfo("tiny", "1", "0" * 64, "made by a test", 6)
    return Encoder(info, lambda: module, "resnet50", (32, 80), (0.1,) * 3, (0.2,) * 3, ink_bright=True)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="tepat-resnet50.*got 'alexnet'"):
        load_encoder("alexnet")


def test_a_missing_file_says_which_and_where_it_was_named():
    with pytest.raises(NoWeights, match="there is no weights file 'nowhere.safetensors'.*TEPAT_ENCODER"):
        load_encoder("nowhere.safetensors")


def test_without_a_network_the_error_says_what_to_do(monkeypatch):
    import torchvision.models

    def unreachable(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models, "get_model", unreachable)
    with pytest.raises(NoWeights, match="resnet50=/path/to/the/file, or use tepat-resnet50"):
        load_encoder("resnet50-imagenet")


def test_a_missing_shipped_file_is_never_replaced_by_random_weights(monkeypatch, tmp_path):
    monkeypatch.setattr("vision.encoder.backbones.SHIPPED_FILE", tmp_path / "gone.safetensors")
    with pytest.raises(NoWeights, match="gone.safetensors are missing"):
        load_encoder()


def test_a_file_whose_tensors_do_not_fit_is_refused(tmp_path):
    path = tmp_path / "resnet50.safetensors"
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, path)
    with pytest.raises(NoWeights, match="does not hold a resnet50: .* tensors are missing, for example"):
        load_encoder(str(path))


def test_a_file_of_unknown_architecture_asks_for_it(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(NoWeights, match="say <architecture>=weights.safetensors"):
        load_encoder(str(path))


def test_a_damaged_file_and_a_pickle_with_code_are_refused(tmp_path):
    damaged = tmp_path / "resnet50.safetensors"
    damaged.write_bytes(b"not tensors")
    with pytest.raises(NoWeights, match="cannot be read as weights"):
        load_encoder(str(damaged))

    class Harm:
        def __reduce__(self):
            return (print, ("executed",))

    harmful = tmp_path / "resnet50.pth"
    torch.save({"conv1.weight": Harm()}, harmful)
    with pytest.raises(NoWeights, match="cannot be read as weights"):
        load_encoder(str(harmful))


def test_a_file_gives_an_encoder_that_says_where_its_weights_came_from(resnet_file):
    import hashlib

    encoder = load_encoder(str(resnet_file))
    assert encoder.info.name == "resnet50" and encoder.info.dim == 2048
    assert encoder.info.weights_sha256 == hashlib.sha256(resnet_file.read_bytes()).hexdigest()
    assert resnet_file.name in encoder.info.weights_source
    assert encoder.info.weights_sha256[:8] in encoder.info.version
    assert not encoder.ink_bright and encoder.input_size == (224, 224)


@pytest.mark.slow
@pytest.mark.parametrize(
    "architecture", ["densenet121", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0"]
)
def test_other_architectures_load_by_path_and_give_their_length(architecture, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_half(trained_like(architecture), path)
    encoder = load_encoder(f"{architecture}={path}")
    assert embed_images(encoder, [scan_of(1)]).shape == (1, ARCHITECTURES[architecture][0])


@pytest.mark.parametrize("architecture", ["resnet50", "mobilenet_v2"])
def test_folding_batch_norm_changes_nothing_but_speed(architecture):
    network = trained_like(architecture)
    x = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        before = network(x)
    names = [name for name, _ in network.named_modules()]
    folded = fold_batch_norm(network)
    with torch.inference_mode():
        after = folded(x)
    assert [name for name, _ in folded.named_modules()] == names
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4)


def test_folding_a_network_in_training_is_refused():
    with pytest.raises(ValueError, match="evaluation mode"):
        fold_batch_norm(nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)))


def test_one_image_and_a_batch_give_the_same_vector(resnet_file):
    encoder = load_encoder(str(resnet_file))
    images = [scan_of(seed, (40 + 3 * seed, 120)) for seed in range(5)]
    together = embed_images(encoder, images, batch_size=5)
    alone = np.concatenate([embed_images(encoder, [image]) for image in images])
    pairs = embed_images(encoder, images, batch_size=2)
    scale = np.abs(together).max()
    np.testing.assert_allclose(alone / scale, together / scale, atol=1e-5)
    np.testing.assert_allclose(pairs / scale, together / scale, atol=1e-5)
    np.testing.assert_array_equal(together, embed_images(encoder, images, batch_size=5))


def test_progress_counts_every_image(tiny):
    seen = []
    vectors = embed_images(
        tiny, [scan_of(k) for k in range(5)], batch_size=2, progress=lambda *step: seen.append(step[:2])
    )
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert vectors.shape == (5, 6) and vectors.dtype == np.float32


def test_no_images_give_no_vectors_and_a_bad_batch_size_is_named(tiny):
    assert embed_images(tiny, []).shape == (0, 6)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        embed_images(tiny, [scan_of(0)], batch_size=0)


def test_prepared_images_have_bright_ink_inside_the_encoders_box(tiny):
    ink = prepare_image(tiny, scan_of(3))
    assert ink.shape == (32, 80) and ink.max() > 200
    assert ink[0].max() == 0 and ink[-1].max() == 0


def test_the_shipped_encoder_loads_is_small_and_names_its_origin():
    from vision.encoder.backbones import SHIPPED_FILE

    encoder = load_encoder()
    assert SHIPPED_FILE.stat().st_size < 50e6
    assert encoder.info.name == "tepat-resnet50" and encoder.info.version.startswith("v3-")
    assert "synthetic" in encoder.info.weights_source
    assert encoder.ink_bright and encoder.input_size == (64, 160) and encoder.info.dim == 1605
    fine = load_encoder("tepat-resnet50-fine")
    assert fine.input_size == (128, 320) and fine.info.dim == 1605
    assert fine.info.encoder_id != encoder.info.encoder_id
    card = SHIPPED_FILE.with_name("MODEL_CARD.md").read_text(encoding="utf-8")
    assert encoder.info.weights_sha256 in card


def test_the_shipped_encoder_tells_invented_writers_apart():
    from data.synthetic import signatures

    encoder, vectors = load_encoder(), []
    for seed in range(6):
        rng = np.random.default_rng((99, seed))
        writer = signatures.make_writer(rng, "cursive")
        scans = [signatures.render_scan(signatures.perform(writer, rng), rng) for _ in range(2)]
        vectors.append(embed_images(encoder, scans))
    first, second = (np.stack([pair[k] / np.linalg.norm(pair[k]) for pair in vectors]) for k in (0, 1))
    assert ((first @ second.T).argmax(axis=1) == np.arange(6)).all()
