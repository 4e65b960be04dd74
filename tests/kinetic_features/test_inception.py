import hashlib
import pickle
from importlib.metadata import version

import kinetic_features.inception
import numpy as np
import pytest
import torch
from kinetic_features import Inception
from kinetic_features.inception import FILE
from kinetic_metrics import FrechetDistance, KernelDistance

from kinetic import score_samples
from kinetic.errors import MissingFileError, OptionError

inception = pytest.importorskip("pytorch_fid.inception", exc_type=(ImportError, RuntimeError))


def test_features_from_a_weights_file_are_those_of_pytorch_fid(inception_weights, monkeypatch):
    space = Inception(weights=str(inception_weights))
    x = torch.rand(2, 3, 40, 40) * 2 - 1
    state = torch.load(inception_weights, weights_only=True)
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *a, **k: state)
    theirs = inception.InceptionV3([3]).eval()
    with torch.no_grad():
        expected = theirs((x + 1) / 2)[0].flatten(1)
    found = space.features(x)
    assert found.shape == (2, 2048)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5)
    gray = x[:, :1]
    assert torch.allclose(space.features(gray), space.features(gray.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dims", [64, 192, 768])
def test_earlier_layers_are_averaged_over_the_image_as_pytorch_fid_does(dims, inception_weights, monkeypatch):
    state = torch.load(inception_weights, weights_only=True)
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *a, **k: state)
    theirs = inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[dims]]).eval()
    x = torch.rand(1, 3, 20, 20) * 2 - 1
    expected = torch.nn.functional.adaptive_avg_pool2d(theirs((x + 1) / 2)[0], (1, 1)).flatten(1)
    found = Inception(weights=str(inception_weights), dims=dims).features(x)
    assert found.shape == (1, dims)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture
def lively(inception_weights, tmp_path):
    """Random weights of a size that keeps the features near 1; those of the initialisation vanish."""
    state = torch.load(inception_weights, weights_only=True)
    for weight in state.values():
        if weight.dim() == 4:
            weight.normal_().mul_((2 / weight[0].numel()) ** 0.5)
    torch.save(state, tmp_path / "lively.pth")
    return str(tmp_path / "lively.pth")


def test_the_batch_and_the_place_in_it_do_not_change_the_features(lively):
    x = torch.rand(16, 3, 32, 32) * 2 - 1
    with torch.inference_mode():
        space = Inception(weights=lively)
        whole, order = space.features(x), torch.randperm(16)
        assert float(whole.abs().max()) > 0.1
        for rows in (slice(3, 4), slice(11, 16), order):
            assert torch.allclose(space.features(x[rows]), whole[rows], rtol=1e-10, atol=0)


def test_the_batch_does_not_change_a_score(lively):
    x, y = (torch.rand(n, 3, 32, 32) * 2 - 1 for n in (8, 9))
    space = Inception(dims=64, weights=lively)
    metrics = {
        "kid": KernelDistance(y, features=space, subset_size=6, subsets=5),
        "fd": FrechetDistance(y, features=space),
    }
    first, *others = (score_samples(x, metrics, batch, "cpu").scores for batch in (8, 5, 1))
    for other in others:
        for name, value in (("kid", "kid"), ("fd", "fd")):
            assert other[name][value] == pytest.approx(first[name][value], rel=1e-10, abs=0)


def test_the_preprocessing_is_stated(lively):
    said = Inception(dims=64, weights=lively).preprocessing
    assert "resized to 299 x 299 (bilinear, not antialiased, align_corners=False)" in said
    assert f"by pytorch-fid {version('pytorch-fid')}" in said


def test_a_layer_that_is_none_is_refused():
    for dims in (128, True):
        with pytest.raises(OptionError, match="'dims' must be 64, 192, 768 or 2048"):
            Inception(dims=dims)


def test_a_weights_file_that_is_not_there_or_not_it_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"Inception weights: there is no '/no/such\.pth'\n  Get pt_inception"):
        Inception(weights="/no/such.pth")
    other = tmp_path / "other.pth"
    torch.save({"a": torch.zeros(2)}, other)
    with pytest.raises(OptionError, match="'weights' does not hold pytorch-fid's Inception network"):
        Inception(weights=str(other))
    for content, said in (
        (b"junk", r"\w+: "),
        (pickle.dumps(print, protocol=2), "a pickle of more than tensors, which is never"),
    ):
        other.write_bytes(content)
        with pytest.raises(OptionError, match=rf"cannot be read as tensors alone: .*{said}.*\n  Get pt_inc") as caught:
            Inception(weights=str(other))
        assert "weights_only" not in str(caught.value)


def test_another_default_dtype_changes_nothing(lively, other_default):
    x = torch.rand(2, 3, 20, 20)
    features = Inception(dims=64, weights=lively).features(x)
    with other_default():
        assert torch.equal(Inception(dims=64, weights=lively).features(x), features)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The path where torch's cache would keep the weights, nothing there yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / FILE
    path.parent.mkdir(parents=True)
    return path


def test_a_file_planted_in_torchs_cache_is_neither_run_nor_taken(cache, trap, marker, inception_weights, monkeypatch):
    cache.write_bytes(pickle.dumps(trap, protocol=2))
    with pytest.raises(
        OptionError, match=rf"'{cache}' is not the file of that name, whose SHA-256 begins with 6726825d"
    ):
        Inception()
    digest = hashlib.sha256(cache.read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(kinetic_features.inception, "SHA256", digest)
    with pytest.raises(OptionError, match="a pickle of more than tensors, which is never loaded"):
        Inception()
    assert not marker.exists()
    cache.write_bytes(inception_weights.read_bytes())  # tensors, but of another training
    with pytest.raises(OptionError, match="is not the file of that name"):
        Inception()


def test_the_file_in_torchs_cache_is_taken_without_the_network(cache, inception_weights, monkeypatch):
    cache.write_bytes(inception_weights.read_bytes())
    monkeypatch.setattr(kinetic_features.inception, "SHA256", hashlib.sha256(cache.read_bytes()).hexdigest()[:8])
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    x = torch.rand(1, 3, 20, 20)
    assert torch.equal(Inception(dims=64).features(x), Inception(dims=64, weights=str(cache)).features(x))


def test_offline_the_download_is_refused_with_its_address_and_the_way_on(cache, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = rf"there is no '{cache}', and HF_HUB_OFFLINE forbids to fetch https://github.com/mseitzer/\S+{FILE}\n  Get "
    with pytest.raises(MissingFileError, match=said + r".* give its path: weights = \"PATH\""):
        Inception()


@pytest.mark.weights
def test_the_real_network_downloads_and_runs():
    try:
        space = Inception()
    except MissingFileError as error:
        pytest.skip(f"the weights cannot be downloaded here: {str(error).splitlines()[0]}")
    assert space.features(torch.zeros(1, 3, 32, 32)).shape == (1, 2048)


@pytest.fixture
def fidelity(lively):
    """torch-fidelity's network of the same weights, by the layers it is asked for, on bytes."""
    extractor = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")

    def features(x, *layers):
        net = extractor.FeatureExtractorInceptionV3("inception", list(layers), feature_extractor_weights_path=lively)
        return net(x)

    return features


def bytes_and_images(side):
    x = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8)
    return x, x / 127.5 - 1


@pytest.mark.parametrize("side", [32, 299, 410])
def test_prepared_as_tensorflow_does_features_and_logits_are_those_of_torch_fidelity(side, lively, fidelity):
    x, images = bytes_and_images(side)
    pooled, logits = fidelity(x, "2048", "logits_unbiased")
    ours = Inception(weights=lively, resize="tensorflow").features(images)
    assert torch.allclose(ours, pooled, rtol=1e-3, atol=1e-4)
    ours = Inception(weights=lively, output="logits", resize="tensorflow").features(images)
    assert ours.shape == (2, 1008)
    assert torch.allclose(ours, logits, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [(32, 32), (20, 31), (310, 299)])
def test_the_resize_of_tensorflow_is_that_of_torch_fidelity(size):
    interpolate = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
    x = torch.rand(2, 3, *size)
    theirs = interpolate.interpolate_bilinear_2d_like_tensorflow1x(255 * x, size=(299, 299), align_corners=False)
    assert torch.allclose(kinetic_features.inception.like_tensorflow(x), (theirs - 128) / 128, atol=1e-4)


def test_spatial_features_are_the_first_seven_channels_of_the_first_branch_of_mixed_6(lively, monkeypatch):
    state = torch.load(lively, weights_only=True)
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *a, **k: state)
    whole = inception.InceptionV3([2]).eval()
    kept = []
    whole.blocks[2][6].branch1x1.register_forward_hook(lambda net, given, out: kept.append(out))
    x = torch.rand(2, 3, 24, 24) * 2 - 1
    with torch.no_grad():
        whole((x + 1) / 2)
    found = Inception(weights=lively, output="spatial").features(x)
    assert found.shape == (2, 2023)
    assert torch.allclose(found.view(2, 17, 17, 7), kept[0][:, :7].permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5)


def test_the_frechet_distance_of_spatial_features_is_the_sfid_of_the_adm_evaluator(lively):
    x, y = (torch.rand(n, 3, 16, 16) * 2 - 1 for n in (5, 6))
    space = Inception(weights=lively, output="spatial", resize="tensorflow")
    found = score_samples(x, {"sfid": FrechetDistance(y, features=space)}, device="cpu").scores["sfid"]["fd"]
    a, b = (space.features(each).double().numpy() for each in (x, y))
    a_centred, b_centred = ((acts - acts.mean(0)) / np.sqrt(len(acts) - 1) for acts in (a, b))
    root = np.linalg.svd(a_centred @ b_centred.T, compute_uv=False).sum()  # Tr (S1 S2)^(1/2), of 2023 x 2023 matrices
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + (a_centred**2).sum() + (b_centred**2).sum() - 2 * root
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_layer_beside_logits_is_refused_and_weights_without_the_last_layer_too(lively, tmp_path):
    with pytest.raises(OptionError, match="'dims' must be left out with output 'logits', which has its layer: 64"):
        Inception(dims=64, output="logits", weights=lively)
    state = torch.load(lively, weights_only=True)
    torch.save({name: tensor for name, tensor in state.items() if "Mixed_6d" not in name}, tmp_path / "less.pth")
    with pytest.raises(OptionError, match="'weights' does not hold pytorch-fid's Inception network"):
        Inception(output="spatial", weights=str(tmp_path / "less.pth"))


def test_the_preprocessing_of_tensorflow_is_stated(lively):
    said = Inception(dims=64, weights=lively, resize="tensorflow").preprocessing
    assert "resized to 299 x 299 (bilinear, not antialiased, from the corners of pixels), 128 of 255" in said
