import pytest
import torch
from kinetic_features import Inception

from kinetic.errors import MissingFileError, OptionError

inception = pytest.importorskip("pytorch_fid.inception", exc_type=(ImportError, RuntimeError))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """pytorch-fid's own network with random weights, saved as its release file is."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("fid") / "weights.pth"
    net = inception.fid_inception_v3.__wrapped__() if hasattr(inception.fid_inception_v3, "__wrapped__") else None
    if net is None:
        net = inception._inception_v3(num_classes=1008, aux_logits=False, weights=None)
        net.Mixed_5b = inception.FIDInceptionA(192, pool_features=32)
        net.Mixed_5c = inception.FIDInceptionA(256, pool_features=64)
        net.Mixed_5d = inception.FIDInceptionA(288, pool_features=64)
        net.Mixed_6b = inception.FIDInceptionC(768, channels_7x7=128)
        net.Mixed_6c = inception.FIDInceptionC(768, channels_7x7=160)
        net.Mixed_6d = inception.FIDInceptionC(768, channels_7x7=160)
        net.Mixed_6e = inception.FIDInceptionC(768, channels_7x7=192)
        net.Mixed_7b = inception.FIDInceptionE_1(1280)
        net.Mixed_7c = inception.FIDInceptionE_2(2048)
    torch.save(net.state_dict(), path)
    return path


def test_features_from_a_weights_file_are_those_of_pytorch_fid(weights, monkeypatch):
    space = Inception(weights=str(weights))
    x = torch.rand(2, 3, 40, 40) * 2 - 1
    state = torch.load(weights, weights_only=True)
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *a, **k: state)
    theirs = inception.InceptionV3([3]).eval()
    with torch.no_grad():
        expected = theirs((x + 1) / 2)[0].flatten(1)
    found = space.features(x)
    assert found.shape == (2, 2048)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5)
    gray = x[:, :1]
    assert torch.allclose(space.features(gray), space.features(gray.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)


def test_a_weights_file_that_is_not_there_or_not_it_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"Inception weights: there is no '/no/such\.pth'\n  Get pt_inception"):
        Inception(weights="/no/such.pth")
    other = tmp_path / "other.pth"
    torch.save({"a": torch.zeros(2)}, other)
    with pytest.raises(OptionError, match="'weights' does not hold pytorch-fid's Inception network"):
        Inception(weights=str(other))


@pytest.mark.weights
def test_the_real_network_downloads_and_runs():
    try:
        space = Inception()
    except MissingFileError as error:
        pytest.skip(f"the weights cannot be downloaded here: {str(error).splitlines()[0]}")
    assert space.features(torch.zeros(1, 3, 32, 32)).shape == (1, 2048)
