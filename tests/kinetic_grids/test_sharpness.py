"""Against the formula of SharpEuler on a flow whose acceleration is known."""

import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_grids import Sharpness, Uniform
from kinetic_solvers import Euler

from kinetic import Runner
from kinetic._roles.calibrated import spread
from kinetic._sample.calibrate import measured

STD = 2.0


def calibrated(steps, field=None, fine=400):
    runner = Runner(field=field or Gaussian(std=STD), solver=Euler(steps=1))
    asked = {"paths": 50, "fine": fine, "smoothing": 0.0, "seed": 3, "dtype": torch.float64}
    return spread(measured(runner, Sharpness, **asked), steps)


def by_formula(steps, fine=100_000):
    """x_t = s_t x0 with s_t^2 = (1-t)^2 + std^2 t^2, so ||dv/dt|| = std^2 s_t^-3 ||x0||, of which the root is taken."""
    t = (torch.arange(fine, dtype=torch.float64) + 0.5) / fine
    return spread(((1 - t) ** 2 + (STD * t) ** 2) ** -0.75, steps)


@pytest.mark.parametrize("steps", [2, 5, 10, 31])
def test_the_times_are_quantiles_of_the_root_of_the_acceleration(steps):
    assert calibrated(steps) == pytest.approx(by_formula(steps), abs=1e-3)


def test_more_short_steps_bring_it_nearer_to_the_formula():
    far, near = (max(abs(a - b) for a, b in zip(calibrated(8, fine=k), by_formula(8), strict=True)) for k in (50, 400))
    assert near < far / 5


def test_where_the_flow_is_sharp_eulers_error_is_less_than_on_the_uniform_grid():
    """To N(0, 0.05^2) paths turn where they arrive; the last step leads to x1 = 0.05 x0."""
    field = Gaussian(std=0.05)
    errors = []
    for times in (calibrated(10, field), Uniform().times(10)):
        from kinetic_grids import Given

        run = Runner(field=field, solver=Euler(steps=10, grid=Given(times))).run(64, seed=0, dtype=torch.float64)
        x0 = run.energy["x0_sq"].sqrt()
        errors.append((run.energy["x1_sq"].sqrt() - 0.05 * x0).abs().mean().item())
    assert errors[0] < errors[1] / 2
