"""What all tests share: one torch thread, fixed seeds."""

from contextlib import contextmanager

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(params=[torch.float64, torch.bfloat16], ids=str)
def other_default(request):
    """A context in which torch makes tensors in another dtype than float32."""

    @contextmanager
    def context():
        before = torch.get_default_dtype()
        torch.set_default_dtype(request.param)
        try:
            yield
        finally:
            torch.set_default_dtype(before)

    return context


class Trap:
    """Unpickled, it writes the marker."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (exec, (f"open({str(self.marker)!r}, 'w').close()",))


@pytest.fixture
def marker(tmp_path_factory):
    """The path of a file that nobody but a payload writes."""
    return tmp_path_factory.mktemp("marker") / "ran"


@pytest.fixture
def trap(marker):
    return Trap(marker)


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory):
    """pytorch-fid's own network with random weights, saved as its release file is."""
    inception = pytest.importorskip("pytorch_fid.inception", exc_type=(ImportError, RuntimeError))
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


def pytest_collection_modifyitems(items):
    for item in items:
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
