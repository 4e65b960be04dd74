"""The U-Net of torchcfm, held against torchdiffeq as its own examples sample it."""

import sys

import pytest
import torch
from kinetic_energy import KPE
from kinetic_models import TorchCFMUNet
from kinetic_solvers import Euler

import kinetic
from kinetic import Batch, Runner, testing
from kinetic._plugins.builder import ComponentBuilder
from kinetic._sample.noise import noise
from kinetic.errors import OptionError

pytestmark = pytest.mark.filterwarnings("ignore")
SMALL = {
    "shape": [1, 8, 8],
    "num_channels": 32,
    "num_res_blocks": 1,
    "channel_mult": [1, 1],
    "attention_resolutions": "4",
}


@pytest.fixture(scope="module")
def unet():
    return pytest.importorskip("torchcfm.models.unet.unet", reason="torchcfm is not installed: tox -e peers")


def checkpoint(unet, path, **more):
    torch.manual_seed(0)
    net = unet.UNetModelWrapper(
        dim=(1, 8, 8), num_channels=32, num_res_blocks=1, channel_mult=(1, 1), attention_resolutions="4", **more
    )
    generator = torch.Generator().manual_seed(1)
    for p in net.parameters():
        if p.abs().sum() == 0:  # its last layer begins at zero
            p.data = 0.05 * torch.randn(p.shape, generator=generator)
    torch.save({"ema_model": net.state_dict(), "step": 7}, path)
    return net.eval()


def test_samples_and_energies_are_those_of_the_examples_of_torchcfm(unet, tmp_path):
    ode = pytest.importorskip("torchdiffeq", reason="torchdiffeq is not installed: tox -e peers")
    net = checkpoint(unet, tmp_path / "c.pt")
    field = TorchCFMUNet(weights=str(tmp_path / "c.pt"), key="ema_model", **SMALL)
    testing.check_field(field, tolerance=1e-4)
    run = Runner(field, Euler(steps=8), meters={"kpe": KPE()}).run(3)
    z = noise(0, range(3), (1, 8, 8))
    with torch.no_grad():
        path = ode.odeint(net, z, torch.linspace(0, 1, 9), method="euler")
        kpe = sum(0.5 / 8 * net(torch.tensor(k / 8), path[k]).double().flatten(1).square().sum(1) for k in range(8))
    assert torch.allclose(run.samples, path[-1], atol=1e-6)
    assert torch.allclose(run.energy["kpe"], kpe, rtol=1e-5)


def test_without_weights_there_is_no_field(unet):
    builder = ComponentBuilder(kinetic.registry())
    with pytest.raises(OptionError, match=r"field 'torchcfm-unet' needs the option 'weights'"):
        builder.build("field", {"name": "torchcfm-unet", "shape": [1, 8, 8]})


def test_classes_and_weights_that_do_not_fit_are_named(unet, tmp_path):
    checkpoint(unet, tmp_path / "c.pt", class_cond=True, num_classes=4)
    field = TorchCFMUNet(weights=str(tmp_path / "c.pt"), key="ema_model", classes=4, **SMALL)
    x, t, batch = torch.randn(2, 1, 8, 8), torch.rand(2), Batch(torch.arange(2), torch.tensor([0, 3]))
    assert field.velocity(x, t, batch).shape == x.shape
    with pytest.raises(OptionError, match="a class from 0 to 3"):
        field.velocity(x, t, Batch(torch.arange(2), torch.tensor([0, 4])))
    with pytest.raises(OptionError, match="takes classes, and the samples are asked for none"):
        field.velocity(x, t)
    with pytest.raises(OptionError, match=r"\d+ of \d+ unexpected: label_emb"):
        TorchCFMUNet(weights=str(tmp_path / "c.pt"), key="ema_model", **SMALL)
    with pytest.raises(OptionError, match=r"holds .* state dict"):
        TorchCFMUNet(weights=str(tmp_path / "c.pt"), classes=4, **SMALL)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"channel_mult": None}, "ValueError: unsupported image size: 8\n.* `channel_mult` is needed but for"),
        ({"channel_mult": "1,2"}, "no U-Net of torchcfm can be made with these options"),
        ({"channel_mult": []}, "no U-Net of torchcfm can be made with these options"),
        ({"attention_resolutions": "a"}, "ValueError: invalid literal for int"),
        ({"num_channels": 30}, r"divisible by num_groups .*\n  Channels are multiples of 32"),
        ({"num_head_channels": 7}, "AssertionError: q,k,v channels 32 is not divisible"),
        ({"shape": [1, 8]}, r"'shape' must be that of an image, channels, height and width: \(1, 8\)"),
    ],
)
def test_options_of_which_no_network_can_be_made_are_named(unet, more, message):
    with pytest.raises(OptionError, match=message):
        TorchCFMUNet(weights="c.pt", **{**SMALL, **more})


def test_without_torchcfm_the_error_says_how_it_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcfm.models.unet.unet", None)
    with pytest.raises(OptionError, match=r'needs torchcfm: pip install "kinetic-flow\[torchcfm\]"'):
        TorchCFMUNet(weights="c.pt", **SMALL)
