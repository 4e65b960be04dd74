"""Against the conditional entropy of Gaussian and of discrete data, by formula."""

import math

import pytest
import torch
from kinetic_fields import Empirical, Gaussian
from kinetic_grids import Entropic
from kinetic_solvers import Euler

from kinetic import Runner, TensorData
from kinetic._sample.calibrate import measured


def calibrated(field, fine=400, paths=200):
    runner = Runner(field=field, solver=Euler(steps=1))
    asked = {"paths": paths, "fine": fine, "smoothing": 0.0, "seed": 3, "dtype": torch.float64}
    return measured(runner, Entropic, **asked)


def test_the_density_is_the_fall_of_the_entropy_of_gaussian_data():
    """H(x1 | x_t) = d/2 log(2 pi e var) with var = std^2 (1-t)^2/s_t^2, so -dH/dt = d std^2 t/((1-t) s_t^2)."""
    std, fine = 2.0, 1000
    t = (torch.arange(fine, dtype=torch.float64) + 0.5) / fine
    rate = std**2 * t / ((1 - t) * ((1 - t) ** 2 + (std * t) ** 2))
    density = calibrated(Gaussian(std=std), fine)
    ratio = (density / rate)[50:-20]
    assert (ratio / ratio.mean()).tolist() == pytest.approx([1.0] * len(ratio), abs=0.03)


def test_of_two_points_the_entropy_that_falls_is_log_2():
    """The rate itself, not only its shape: int -dH/dt dt = log 2, which one bit is."""
    data = torch.tensor([[3.0], [-3.0]], dtype=torch.float64)
    runner = Runner(field=Empirical(TensorData(data)), solver=Euler(steps=1))
    from kinetic._sample.calibrate import ShortSteps, _Counter

    fine = 800
    walker = Runner(field=runner.field, solver=ShortSteps(fine), meters={"it": _Counter(Entropic, fine)})
    counts = walker.run(2000, seed=1, dtype=torch.float64).energy["counted"].mean(0)
    assert Entropic.density(counts).mean().item() == pytest.approx(math.log(2), rel=0.03)
