"""Every shipped recipe builds; those of models that have to be fetched run offline with tiny ones in their place."""

import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kinetic import load_recipe
from kinetic._experiment.read_recipe import shipped

NETS = """
import torch


class Line(torch.nn.Module):  # net(x, t), t = 0 noise
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(1, 1)

    def forward(self, x, t):
        return self.inner(x[..., None])[..., 0] + t.view(-1, *[1] * (x.dim() - 1))


class SiT(torch.nn.Module):  # net(x, t, y)
    def __init__(self):
        super().__init__()
        self.classes = torch.nn.Embedding(1001, 4)
        self.inner = torch.nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x, t, y):
        return self.inner(x) + self.classes(y)[:, :, None, None] * t[:, None, None, None]
"""
OF_OTHERS = ("celeba32-memorisation", "cifar10-kpe", "own-module", "prompts-kts", "sit-imagenet-kts")


@pytest.mark.parametrize("name", sorted(shipped().keys() - {*OF_OTHERS}))
def test_a_shipped_recipe_builds(name):
    assert load_recipe(name).runners


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder that the process is in, with tiny networks and data."""
    (tmp_path / "tiny_nets_of_a_test.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    np.save("points.npy", rng.normal(size=(40, 2)).astype(np.float32))
    np.save("faces.npy", rng.uniform(-1, 1, size=(30, 1, 32, 32)).astype(np.float32))
    np.save("images.npy", rng.integers(0, 256, size=(30, 3, 32, 32), dtype=np.uint8))
    return tmp_path


def weights(name, net):
    save_file({key: value.contiguous() for key, value in net.state_dict().items()}, f"{name}.safetensors")


def code(name):
    import importlib

    return getattr(importlib.import_module("tiny_nets_of_a_test"), name)


def ran(name, changes, field=None):
    given = None if field is None else f"module:tiny_nets_of_a_test:{field}"
    run = load_recipe(name, ["run.samples=12", *changes], field=given).run("out", "cpu")
    for arm in run.arms:
        assert (run.rows(arm)["kpe"].to_numpy() > 0).all()
    assert "<h1>" in (run.folder / "report.html").read_text()
    return run


def test_a_network_of_ones_own(here):
    run = ran("own-module", ["data.path=points.npy", "solver.steps=3"], "Line")
    assert run.arms == ["plain", "kts"]


def test_faces_and_what_a_net_copies_of_them(here):
    weights("line", code("Line")())
    changes = [
        "data.path=faces.npy",
        "field.field.weights=line.safetensors",
        "solver.steps=3",
        "metrics.calibrated-l2.neighbours=5",
    ]
    run = ran("celeba32-memorisation", changes, "Line")
    hot, cold = (run.rows(arm)["x0_sq"].to_numpy() for arm in ("plain", "cold"))
    assert np.allclose(cold, 0.81 * hot, rtol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_energy_and_support_of_a_unet(here):
    unet = pytest.importorskip("torchcfm.models.unet.unet", reason="torchcfm is not installed: tox -e peers")
    net = unet.UNetModelWrapper(dim=(3, 32, 32), num_channels=32, num_res_blocks=1, channel_mult=(1,), num_heads=1)
    for p in net.parameters():
        if p.abs().sum() == 0:
            p.data = 0.05 * torch.randn(p.shape)
    torch.save({"ema_model": net.state_dict()}, "u.pt")
    small = ["field.num_channels=32", "field.num_res_blocks=1", "field.channel_mult=[1]", "field.num_heads=1"]
    spaces = [f"metrics.{kind}-{space}.features=pixels" for kind in ("knn", "kde") for space in ("inception", "dinov2")]
    changes = [
        *small,
        "field.num_head_channels=-1",
        "field.weights=u.pt",
        "data.path=images.npy",
        "solver.steps=2",
        *spaces,
    ]
    run = ran("cifar10-kpe", changes)
    assert (run.rows("base")["nfe"].to_numpy() == 4).all()


@pytest.fixture
def vae(here):
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed: tox -e peers")
    net = diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",), up_block_types=("UpDecoderBlock2D",), block_out_channels=(4,),
        latent_channels=4, norm_num_groups=1, sample_size=8,
    )  # fmt: skip
    net.save_pretrained("vae")
    return diffusers


@pytest.mark.filterwarnings("ignore")
def test_classes_guided_decoded_and_shaped(vae):
    weights("sit", code("SiT")())
    changes = [
        "field.vae=vae", "field.field.field.weights=sit.safetensors", "solver.steps=3", "features=pixels",
        "reference={ name = 'tensor-file', path = 'images.npy' }",
    ]  # fmt: skip
    run = ran("sit-imagenet-kts", changes, "SiT")
    assert run.arms == ["plain", "launch", "landing", "kts"]
    assert run.samples("plain").shape == (12, 3, 32, 32)
    e = {name: run.rows("kts")[name].to_numpy() for name in ("kpe", "kpe_unconditional", "kpe_apart", "guidance_work")}
    assert np.allclose(e["kpe_unconditional"] + 1.5**2 * e["kpe_apart"] + e["guidance_work"], e["kpe"], rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_prompts_guided_decoded_and_shaped(vae):
    net = vae.SD3Transformer2DModel(
        sample_size=8, patch_size=1, in_channels=4, num_layers=1, attention_head_dim=8, num_attention_heads=4,
        caption_projection_dim=32, joint_attention_dim=32, pooled_projection_dim=64, out_channels=4,
    )  # fmt: skip
    for p in net.parameters():
        if p.abs().sum() == 0:
            p.data = 0.05 * torch.randn(p.shape)
    net.save_pretrained("transformer")
    save_file({"prompt_embeds": torch.randn(3, 5, 32), "pooled_prompt_embeds": torch.randn(3, 64)}, "c.safetensors")
    with open("prompts.txt", "w", encoding="utf-8") as file:
        file.write("a red cube\na blue ball\n")
    inner = "field.field.field"
    changes = [
        "field.vae=vae", f"{inner}.pretrained=.", f"{inner}.conditions=c.safetensors", f"{inner}.null=2",
        f"{inner}.dtype=float32", "solver.steps=3",
        "metrics.clip={ name = 'clip', model = 'local-dir:package:kinetic_digits/clip' }",
    ]  # fmt: skip
    run = ran("prompts-kts", changes)
    assert run.rows("plain")["prompt"].to_pylist()[:3] == ["a red cube", "a blue ball", "a red cube"]
    assert "clip.margin_mean" in run.table.column_names
