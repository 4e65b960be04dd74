"""Against the energy of a flow that is known."""

import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Gaussian
from kinetic_grids import EqualEnergy, Given
from kinetic_solvers import RK4, Euler

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
