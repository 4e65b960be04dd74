"""Denoisers of azula, held against its own samplers."""

import itertools

import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Gaussian, Guided
from kinetic_grids import Given
from kinetic_models import AzulaField
from kinetic_solvers import Euler
from safetensors.torch import save_file
from torch import nn

from kinetic import Batch, Runner, testing
from kinetic.errors import OptionError

SCHEDULES = ("VPSchedule", "VESchedule", "CosineSchedule", "RectifiedSchedule", "DecaySchedule")


@pytest.fixture(scope="module")
def azula():
    denoise = pytest.importorskip("azula.denoise", reason="azula is not installed: tox -e peers")
    return denoise, pytest.importorskip("azula.noise"), pytest.importorskip("azula.sample")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 3))

    def forward(self, x, *_, **__):
        return self.inner(x)


class ToEDM(nn.Module):
    """Called as the networks of NVlabs' EDM are."""

    label_dim = 4

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.embed = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(self.label_dim, 3, bias=False)

    def forward(self, x, sigma, class_labels):
        told = self.embed(class_labels.reshape(-1, self.label_dim)) if class_labels.numel() else torch.zeros(3)
        return torch.tanh(self.inner(x / (1 + sigma.view(-1, 1, 1, 1)))) + told[..., None, None]


class ToText(nn.Module):
    """Called as the U-Net of Stable Diffusion is."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.embed = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(6, 4)

    def forward(self, timestep, sample, encoder_hidden_states):
        told = self.embed(encoder_hidden_states.mean(1))[..., None, None]
        answer = torch.tanh(self.inner(sample)) + told + timestep.view(-1, 1, 1, 1) / 1000
        return type("Output", (), {"sample": answer})


def filled(net):
    """No layer of it zero, as last layers are before a training."""
    generator = torch.Generator().manual_seed(5)
    for p in net.parameters():
        if p.abs().sum() == 0:
            p.data = 0.05 * torch.randn(p.shape, generator=generator)
    return net.eval().requires_grad_(False)


def of_adm(plugins):
    adm = plugins("adm")
    sizes = {"channel_mult": (1, 1), "attention_resolutions": (4,), "num_heads": 2, "num_res_blocks": 1}
    return adm.make_model(image_size=8, num_channels=32, num_classes=4, **sizes), [3, 8, 8], {"classes": 4}


def of_jit(plugins):
    jit = plugins("jit")
    sizes = {"hidden_size": 32, "depth": 2, "num_heads": 2, "bottleneck_dim": 8, "in_context_len": 2}
    net = pytest.importorskip("azula.plugins.jit._src.model").JiT(
        input_size=8, patch_size=4, num_classes=4, in_context_start=1, **sizes
    )
    return jit.JITDenoiser(net, num_classes=4), [3, 8, 8], {"classes": 4}


def of_edm(plugins):
    return plugins("edm").ElucidatedDenoiser(ToEDM()), [3, 8, 8], {"classes": 4, "one_hot": True}


@pytest.fixture(scope="module")
def plugins(azula):
    return lambda name: pytest.importorskip(f"azula.plugins.{name}", reason="azula is not installed: tox -e peers")


def against_its_euler(azula, field, denoiser, batch=None, told=None, start=0.95, stop=0.05, n=6):
    """Samples and energies of Euler over azula's times, of the field and of azula's own sampler with a sum by hand."""
    _, _, sample = azula
    sampler = sample.EulerSampler(denoiser, start=start, stop=stop, steps=n, silent=True, dtype=torch.float64)
    s = sampler.timesteps
    a, b = denoiser.schedule(s)
    t, size = a / (a + b), a + b
    ours = x = torch.randn(3, *field.event_shape)
    kpe, by_hand, theirs = 0, 0, x * size[0].float()
    for k, (t0, t1) in enumerate(itertools.pairwise(t)):
        v = field.velocity(ours, t0.float().expand(3), batch)
        kpe, ours = kpe + (t1 - t0) / 2 * v.double().flatten(1).square().sum(1), ours + (t1 - t0).float() * v
        before = theirs / size[k].float()
        with torch.no_grad():
            theirs = sampler.step(theirs, s[k].float(), s[k + 1].float(), **(told or {}))
        moved = (theirs / size[k + 1].float() - before).double().flatten(1)
        by_hand = by_hand + moved.square().sum(1) / (2 * (t1 - t0))
    assert torch.allclose(ours, theirs / size[-1].float(), rtol=1e-4, atol=1e-4)
    assert (ours - x).abs().max() > 0.1
    assert torch.allclose(kpe, by_hand, rtol=1e-3)


@pytest.mark.parametrize("name", SCHEDULES)
def test_euler_is_azulas_along_every_schedule(azula, name):
    denoise, noise, _ = azula
    denoiser = denoise.KarrasDenoiser(Net(), getattr(noise, name)()).eval()
    field = AzulaField(module=denoiser, shape=[3])
    testing.check_field(field)
    against_its_euler(azula, field, denoiser)


@pytest.mark.parametrize("make", [of_adm, of_jit, of_edm], ids=lambda each: each.__name__)
def test_euler_of_its_published_denoisers_with_classes_is_azulas(azula, plugins, make):
    denoiser, shape, options = make(plugins)
    field = AzulaField(module=filled(denoiser), shape=shape, label="label", **options)
    classes = torch.tensor([0, 3, 2])
    told = nn.functional.one_hot(classes, 4).float() if field.one_hot else classes
    batch = Batch(torch.arange(3), classes)
    against_its_euler(azula, field, denoiser, batch, {"label": told}, start=0.8, stop=0.2)
    with pytest.raises(OptionError, match="a class from 0 to 3"):
        field.velocity(torch.randn(3, *shape), torch.rand(3), Batch(torch.arange(3), torch.tensor([0, 1, 4])))


def test_a_velocity_network_of_vdm_is_asked_as_azula_does(azula, plugins):
    class Conv(nn.Conv2d):
        def forward(self, x, t):
            return super().forward(x) * t.view(-1, 1, 1, 1)

    denoiser = plugins("vdm").VelocityDenoiser(filled(Conv(3, 3, 3, padding=1)))
    field = AzulaField(module=denoiser.eval(), shape=[3, 8, 8])
    against_its_euler(azula, field, denoiser, start=0.8, stop=0.2)


@pytest.mark.parametrize("classes", [0, 4])
def test_edm_asked_for_no_class_is_told_an_empty_row(azula, plugins, classes):
    denoiser = plugins("edm").ElucidatedDenoiser(filled(ToEDM())).eval()
    field = AzulaField(module=denoiser, shape=[3, 8, 8], label="label", classes=classes, one_hot=True)
    told = {"label": torch.zeros(3, classes)}
    against_its_euler(azula, field, denoiser, told=told, start=0.8, stop=0.2)


def test_guidance_of_jit_asks_it_for_its_own_class_of_none(plugins):
    denoiser, shape, options = of_jit(plugins)
    field = AzulaField(module=filled(denoiser), shape=shape, label="label", **options)
    x, t, batch = torch.randn(2, *shape), torch.full((2,), 0.5), Batch(torch.arange(2), torch.tensor([1, 2]))
    asked, free = field.velocity(x, t, batch), field.velocity(x, t)
    assert (asked - free).abs().max() > 1e-4
    assert torch.allclose(Guided(field, scale=3.0).velocity(x, t, batch), free + 3 * (asked - free), atol=1e-5)


def test_prompts_are_told_by_the_names_of_their_tensors(azula, plugins, tmp_path):
    sd = pytest.importorskip("azula.plugins.sd", reason="azula is not installed: tox -e peers")
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)
    denoiser = sd.StableDenoiser(filled(ToText()), sigmas=(1 - kept).sqrt()).eval()
    rows = torch.randn(5, 7, 6)
    save_file({"prompt_embeds": rows}, tmp_path / "c.safetensors")
    asked = {"conditions": str(tmp_path / "c.safetensors"), "null": 4}
    field = AzulaField(module=denoiser, shape=[4, 8, 8], **asked)
    batch = Batch(torch.arange(3), torch.tensor([3, 0, 1]))
    against_its_euler(azula, field, denoiser, batch, {"prompt_embeds": rows[[3, 0, 1]]}, start=0.8, stop=0.2)
    against_its_euler(azula, field, denoiser, None, {"prompt_embeds": rows[[4, 4, 4]]}, start=0.8, stop=0.2)
    with pytest.raises(OptionError, match="'null' must be below 5, the number of rows: 5"):
        AzulaField(module=denoiser, shape=[4, 8, 8], **{**asked, "null": 5})
    with pytest.raises(OptionError, match="'label' and 'conditions' both say"):
        AzulaField(module=denoiser, shape=[4, 8, 8], label="label", **asked)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_perfect_denoiser_gives_the_exact_flow_along_every_schedule(azula, name):
    _, noise, _ = azula
    mean, std = 0.4, 0.7

    class Perfect(nn.Module):
        schedule = getattr(noise, name)()

        def forward(self, y, t):
            a, b = (each.double().view(-1, 1) for each in self.schedule(t))
            x1 = mean + a * std**2 / (a**2 * std**2 + b**2) * (y - a * mean)
            return type("Posterior", (), {"mean": x1})

    field = AzulaField(module=Perfect().eval(), shape=[3])
    x, t = torch.randn(60, 3, dtype=torch.float64), torch.linspace(0.05, 0.95, 60, dtype=torch.float64)
    expected = Gaussian(size=3, mean=mean, std=std).velocity(x, t)
    assert torch.allclose(field.velocity(x, t), expected, atol=1e-9)
    assert name in field.time_map
    solver = Euler(steps=4, grid=Given(times=[0.0, 0.2, 0.5, 0.8, 1.0]))
    run = Runner(field, solver, meters={"kpe": KPE()}).run(3, dtype=torch.float64)
    assert run.warnings == ()


def test_a_state_in_half_precision_is_asked_at_a_time_in_float32(azula):
    denoise, noise, _ = azula
    field = AzulaField(module=denoise.KarrasDenoiser(Net(), noise.VESchedule()).eval(), shape=[3])
    x, t = torch.randn(4, 3), torch.tensor([0.2, 0.5, 0.8, 0.9])
    half = field.velocity(x.bfloat16(), t)
    assert half.dtype == torch.bfloat16
    assert torch.allclose(half.float(), field.velocity(x.bfloat16().float(), t), rtol=0.1, atol=0.1)


def test_what_is_no_denoiser_is_named(azula):
    denoise, noise, _ = azula
    denoiser = denoise.KarrasDenoiser(Net(), noise.VPSchedule()).eval()
    with pytest.raises(OptionError, match="'module' must be a Denoiser of azula, with a schedule: Linear"):
        AzulaField(module=nn.Linear(3, 3), shape=[3])
    with pytest.raises(
        OptionError, match=r"a Denoiser of azula: \(KarrasDenoiser(.*\n)+.* a function that gives it alone"
    ):
        AzulaField(module=(denoiser, nn.Identity()), shape=[3])
    with pytest.raises(OptionError, match=r"net\.eval\(\)"):
        AzulaField(module=denoise.KarrasDenoiser(Net(), noise.VPSchedule()), shape=[3])
    with pytest.raises(OptionError, match="'one_hot' needs `label`"):
        AzulaField(module=denoiser, shape=[3], one_hot=True)
    with pytest.raises(OptionError, match="'classes' is of classes: give their keyword, `label`, and nothing reads it"):
        AzulaField(module=denoiser, shape=[3], classes=4)
    with pytest.raises(OptionError, match="'null' is of prompts: give `conditions`"):
        AzulaField(module=denoiser, shape=[3], label="label", null=0)
    none = AzulaField(module=denoiser, shape=[3], label="label", classes=0, one_hot=True)
    with pytest.raises(OptionError, match="the denoiser knows none: classes = 0"):
        none.velocity(torch.randn(2, 3), torch.rand(2), Batch(torch.arange(2), torch.arange(2)))
    field = AzulaField(module=denoiser, shape=[3])
    with pytest.raises(OptionError, match="`label` is their keyword"):
        field.velocity(torch.randn(2, 3), torch.rand(2), Batch(torch.arange(2), torch.arange(2)))
