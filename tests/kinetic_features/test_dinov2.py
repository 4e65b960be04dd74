"""timm's own models, called by hand with timm's own preprocessing, in the same process."""

import sys

import kinetic_features.dinov2
import numpy as np
import pytest
import torch
from kinetic_features import DINOv2
from PIL import Image
from safetensors.torch import save_file

from kinetic.errors import MissingFileError, MissingPackageError, OptionError, UnknownNameError
from kinetic.testing import check_features

timm = pytest.importorskip("timm", exc_type=(ImportError, RuntimeError))
VIT, DINO = "vit_tiny_patch16_224.augreg_in21k", "vit_small_patch14_dinov2.lvd142m"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A small ViT with random weights, and the path of its state dict."""
    torch.manual_seed(0)
    net = timm.create_model(VIT, num_classes=0).eval()
    path = tmp_path_factory.mktemp("vit") / "w.safetensors"
    save_file({**net.state_dict(), "head.weight": torch.zeros(3, 192)}, path)
    return net, str(path)


def images(n, size):
    return np.random.default_rng(0).integers(0, 256, (n, *size, 3), dtype=np.uint8)


def as_samples(pixels):
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def imports_code(net, pixels, **config):
    from timm.data import create_transform, resolve_model_data_config

    transform = create_transform(**{**resolve_model_data_config(net), **config}, is_training=False)
    with torch.no_grad():
        return net(torch.stack([transform(Image.fromarray(each)) for each in pixels]))


def test_features_are_those_of_timm_called_by_hand(tiny):
    net, path = tiny
    space = DINOv2(VIT, weights=path)
    pixels = images(2, (250, 250))  # crop_pct is 0.9: a side of 248 before the crop
    expected = imports_code(net, pixels)
    found = space.features(as_samples(pixels))
    assert found.shape == (2, 192)
    assert float((found - expected).norm() / expected.norm()) < 2e-2  # Pillow resizes in whole bytes
    check_features(space, (1, 8, 8), tolerance=1e-4)


def test_a_dinov2_of_another_size_is_that_of_timm_and_its_images_are_not_touched(tmp_path):
    net = timm.create_model(DINO, num_classes=0).eval()
    save_file(net.state_dict(), tmp_path / "w.safetensors")
    space = DINOv2(DINO, weights=str(tmp_path / "w.safetensors"), size=28)
    net.set_input_size(img_size=(28, 28))
    pixels = images(3, (28, 28))
    expected = imports_code(net, pixels, input_size=(3, 28, 28))
    assert torch.allclose(space.features(as_samples(pixels)), expected, rtol=1e-4, atol=1e-5)
    assert "brought to 28 x 28 (bicubic, antialiased, crop 1 center)" in space.preprocessing
    assert "mean (0.485, 0.456, 0.406) and std (0.229, 0.224, 0.225)" in space.preprocessing


def test_gray_is_repeated_and_a_small_image_is_resized_as_timm_resizes_a_tensor(tiny):
    from timm.data import create_transform, resolve_model_data_config

    net, path = tiny
    x = torch.rand(2, 1, 20, 30) * 2 - 1
    transform = create_transform(**resolve_model_data_config(net), is_training=False)
    resize, crop, _, normalise = transform.transforms
    prepared = normalise(crop(resize(((x + 1) / 2).expand(-1, 3, -1, -1))).clamp(0, 1))
    with torch.no_grad():
        assert torch.allclose(DINOv2(VIT, weights=path).features(x), net(prepared), rtol=1e-3, atol=1e-4)


def test_a_name_or_a_file_that_does_not_do_is_named(tiny, tmp_path):
    path = tiny[1]
    with pytest.raises(
        UnknownNameError, match=r"no model named 'vit_tiny_patch16_225'. Did you mean 'vit_tiny_patch16_22"
    ):
        DINOv2("vit_tiny_patch16_225")
    with pytest.raises(
        UnknownNameError, match=r"no tag in timm named 'augreg'.*\n  known: augreg_in21k, augreg_in21k_ft"
    ):
        DINOv2("vit_tiny_patch16_224.augreg", weights=path)
    said = r"'model' must be given with a tag beside 'weights'.*\n .*vit_tiny_patch16_224\.augreg_in21k, "
    with pytest.raises(OptionError, match=said):
        DINOv2("vit_tiny_patch16_224", weights=path)
    with pytest.raises(MissingFileError, match="weights: there is no '/no/such'"):
        DINOv2(VIT, weights="/no/such")
    save_file({"cls_token": torch.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(OptionError, match=r"'weights' does not hold 'deit_tiny_patch16_224.fb_in1k' of timm"):
        DINOv2("deit_tiny_patch16_224.fb_in1k", weights=str(tmp_path / "w.safetensors"))
    with pytest.raises(OptionError, match="'size' must be an int >= 1"):
        DINOv2(VIT, weights=path, size=0)


def test_weights_that_cannot_be_downloaded_are_named_with_their_address(monkeypatch):
    def fails(*words, **options):
        raise OSError("no network")

    monkeypatch.setattr(timm, "create_model", fails)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = rf"'{VIT}' cannot be loaded from https://huggingface\.co/timm/{VIT} \(HF_HUB_OFFLINE forbids the network\): "
    with pytest.raises(MissingFileError, match=said + r"OSError: no network\n .* weights = \"PATH\""):
        DINOv2(VIT)
    bare = next(name for name in timm.list_models() if not timm.list_pretrained(f"{name}.*"))
    with pytest.raises(MissingFileError, match=rf"timm knows no weights of '{bare}'\n .* weights = \"PATH\""):
        DINOv2(bare)


@pytest.mark.parametrize("name", ["hf-hub:org/name", "local-dir:/tmp"])
def test_a_name_from_elsewhere_is_refused(name):
    with pytest.raises(UnknownNameError, match="timm has no model named"):
        DINOv2(name)


@pytest.fixture
def by_address(tmp_path, monkeypatch):
    """A model whose weights are no repository of the Hub, and where torch's cache would keep them."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    sources = ((name, timm.get_pretrained_cfg(name)) for name in timm.list_pretrained())
    name, source = next((name, source) for name, source in sources if source.url and not source.hf_hub_id)
    path = tmp_path / "hub" / "checkpoints" / source.url.rpartition("/")[2]
    path.parent.mkdir(parents=True)
    return name, source.url, path


def test_offline_an_address_that_is_not_cached_is_refused_at_once(by_address, monkeypatch):
    name, url, _ = by_address
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        MissingFileError, match=f"weights of '{name}': there is no '.*', and HF_HUB_OFFLINE forbids to fetch {url}"
    ):
        DINOv2(name)


def assert_refused(by_address, trap, marker, monkeypatch):
    """Neither for its hash, where the name says one, nor for the code in it, where that fits."""
    name, url, path = by_address
    torch.save({"evil": trap}, path)
    monkeypatch.setattr(kinetic_features.dinov2, "hash_in", lambda url: "0" * 8)
    with pytest.raises(OptionError, match=f"'{path}' is not the file of that name, whose SHA-256 begins with 00000000"):
        DINOv2(name)
    monkeypatch.setattr(kinetic_features.dinov2, "hash_in", lambda url: "")
    with pytest.raises(MissingFileError, match=f"'{name}' cannot be loaded from {url}") as caught:
        DINOv2(name)
    assert "weights_only" not in str(caught.value)
    assert not marker.exists()


def test_a_file_planted_in_torchs_cache_is_not_run(by_address, trap, marker, monkeypatch):
    assert_refused(by_address, trap, marker, monkeypatch)


def test_nor_is_it_in_timms_second_try(by_address, trap, marker, second_try, monkeypatch):
    assert_refused(by_address, trap, marker, monkeypatch)


def test_a_missing_timm_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingPackageError, match=r"timm does not import here: .*\n  Install it: `pip install timm`"):
        DINOv2(VIT)


def test_another_default_dtype_changes_nothing(tiny, other_default):
    x = torch.rand(2, 3, 20, 30) * 2 - 1
    features = DINOv2(VIT, weights=tiny[1]).features(x)
    with other_default():
        assert torch.equal(DINOv2(VIT, weights=tiny[1]).features(x), features)
