"""Against the energy of a flow that is known."""

import math

import attrs
import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Gaussian
from kinetic_grids import EqualEnergy, Given
from kinetic_solvers import RK4, AdamsBashforth2, Euler

import kinetic
from kinetic import Runner
from kinetic._roles.calibrated import spread
from kinetic._sample.calibrate import measured

STD = 2.0


def calibrated(steps, fine=400):
    runner = Runner(field=Gaussian(std=STD), solver=Euler(steps=1))
    asked = {"paths": 50, "fine": fine, "smoothing": 0.0, "seed": 3, "dtype": torch.float64}
    return spread(measured(runner, EqualEnergy, **asked), steps)


@pytest.mark.parametrize("steps", [2, 5, 10])
def test_the_times_are_quantiles_of_the_power(steps):
    """1/2 ||v||^2 = 1/2 s'(t)^2 ||x0||^2 with s' = (std^2 t - (1 - t))/s_t."""
    t = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    power = (STD**2 * t - (1 - t)) ** 2 / ((1 - t) ** 2 + (STD * t) ** 2)
    assert calibrated(steps) == pytest.approx(spread(power, steps), abs=1e-3)


def test_each_step_costs_the_same_share_of_the_kinetic_path_energy():
    whole = Runner(field=Gaussian(std=STD), solver=RK4(steps=400), meters={"kpe": KPE()})
    kpe = whole.run(50, seed=3, dtype=torch.float64).energy["kpe"].mean()
    times = calibrated(5, fine=1000)
    parts = []
    for split in times[1:-1]:
        meter = {"kpe": KPE(split=split)}
        fine = Given(sorted({k / 400 for k in range(401)} | {split}))
        runner = Runner(field=Gaussian(std=STD), solver=RK4(steps=len(fine._points) - 1, grid=fine), meters=meter)
        parts.append((runner.run(50, seed=3, dtype=torch.float64).energy["early"].mean() / kpe).item())
    assert parts == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=3e-3)


@attrs.frozen(eq=False)
class Mixture(kinetic.VelocityField):
    """The exact velocity to eight Gaussians of standard deviation 0.1 on a circle of radius 3."""

    event_shape = torch.Size([2])

    def velocity(self, x, t, batch=None):
        angle = torch.arange(8, dtype=x.dtype) * (math.pi / 4)
        means, t = 3 * torch.stack([angle.cos(), angle.sin()], 1), t[:, None]
        variance = (1 - t) ** 2 + (0.1 * t) ** 2
        weights = torch.softmax(-(x[:, None] - t[..., None] * means).square().sum(2) / (2 * variance), 1)
        mean = weights @ means
        return mean + (t * 0.01 - (1 - t)) / variance * (x - t * mean)


def test_at_ten_steps_of_a_mixture_it_halves_the_error_of_the_uniform_grid_on_other_noise():
    def ends(solver):
        return Runner(field=Mixture(), solver=solver).run(300, seed=1, dtype=torch.float64).samples

    asked = {"paths": 100, "fine": 100, "smoothing": 0.005, "seed": 2, "dtype": torch.float64}
    density = measured(Runner(field=Mixture(), solver=Euler(steps=1)), EqualEnergy, **asked)
    truth = ends(RK4(steps=200))
    calibrated, uniform = (
        (ends(AdamsBashforth2(steps=10, grid=grid)) - truth).norm(dim=1).mean().item()
        for grid in (Given(spread(density, 10)), "uniform")
    )
    assert calibrated < uniform / 2
