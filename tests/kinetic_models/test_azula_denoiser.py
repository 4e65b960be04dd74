"""Denoisers of azula, held against its own samplers."""

import itertools

import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_grids import Given
from kinetic_models import AzulaField
from kinetic_solvers import Euler
from torch import nn

from kinetic import Batch, Runner
from kinetic.errors import OptionError


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


def test_along_a_rectified_schedule_euler_is_azulas(azula):
    denoise, noise, sample = azula
    denoiser = denoise.KarrasDenoiser(Net(), noise.RectifiedSchedule()).double().eval()
    field = AzulaField(module=denoiser, shape=[3])
    start, stop, n = 0.95, 0.05, 9
    a, b = denoiser.schedule(torch.linspace(start, stop, n + 1, dtype=torch.float64))
    t = a / (a + b)
    x1 = torch.randn(5, 3, dtype=torch.float64)
    ours = x1
    for t0, t1 in itertools.pairwise(t):
        ours = ours + (t1 - t0) * field.velocity(ours, t0.expand(5))
    a0, b0 = denoiser.schedule(torch.tensor(start, dtype=torch.float64))
    with torch.no_grad():
        theirs = sample.DDIMSampler(denoiser, start=start, stop=stop, steps=n, silent=True)(x1 * (a0 + b0))
    a1, b1 = denoiser.schedule(torch.tensor(stop, dtype=torch.float64))
    assert torch.allclose(ours, theirs.double() / (a1 + b1), atol=2e-6)


@pytest.mark.parametrize("name", ["VPSchedule", "VESchedule", "CosineSchedule", "RectifiedSchedule"])
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
    assert torch.allclose(field.velocity(x, t), expected, atol=1e-5)
    assert name in field.time_map
    run = Runner(field, Euler(steps=4, grid=Given(times=[0.0, 0.2, 0.5, 0.8, 1.0]))).run(3, dtype=torch.float64)
    assert run.warnings == ()


def test_what_is_no_denoiser_is_named(azula):
    denoise, noise, _ = azula
    with pytest.raises(OptionError, match="'module' must be a Denoiser of azula, with a schedule: Linear"):
        AzulaField(module=nn.Linear(3, 3), shape=[3])
    with pytest.raises(OptionError, match=r"net\.eval\(\)"):
        AzulaField(module=denoise.KarrasDenoiser(Net(), noise.VPSchedule()), shape=[3])
    field = AzulaField(module=denoise.KarrasDenoiser(Net(), noise.VPSchedule()).eval(), shape=[3])
    with pytest.raises(OptionError, match="`label` is their keyword"):
        field.velocity(torch.randn(2, 3), torch.rand(2), Batch(torch.arange(2), torch.arange(2)))
