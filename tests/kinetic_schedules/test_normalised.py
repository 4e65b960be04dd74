import math

import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Empirical, Gaussian
from kinetic_schedules import KTS, Constant, EnergyClamp, Normalised, VelocityDeficit
from kinetic_solvers import RK4, Euler, Heun, Midpoint, Tsit5

from kinetic import Runner
from kinetic._sample.noise import noise
from kinetic.errors import OptionError
from kinetic.testing import check_schedule

LANDING = KTS(alpha=0.0, beta=0.05)
MEAN = 1 - 0.05 * 0.4 * (math.expm1(3) / 3 - 1)  # I of LANDING, in closed form


def test_the_gain_is_divided_by_its_integral():
    t = torch.tensor([0.0, 0.3, 0.6, 0.9, 1.0], dtype=torch.float64)
    gain = Normalised(LANDING).gain(t, t, t)
    assert gain.tolist() == pytest.approx((LANDING.gain(t, t, t) / MEAN).tolist(), rel=1e-12)
    assert Normalised(VelocityDeficit(alpha=0.3, beta=2.0)).gain(t, t, t)[0] == pytest.approx(1.3 / 1.1, rel=1e-12)
    check_schedule(Normalised(LANDING))


@pytest.mark.parametrize("solver", [Euler(steps=10), Midpoint(steps=7), Heun(steps=9), RK4(steps=5)])
def test_on_the_grid_of_its_solver_no_noise_is_left_and_nothing_is_denoised(solver):
    run, plain = (
        Runner(Gaussian(size=2), solver, schedule).run(5, dtype=torch.float64)
        for schedule in (Normalised(LANDING, solver), LANDING)
    )
    assert run.energy["gain"].tolist() == pytest.approx([1.0] * 5, abs=1e-12)
    assert run.energy["noise_left"].tolist() == [0.0] * 5
    assert run.denoised is run.samples
    assert [*run.views] == [*Runner(Gaussian(size=2), solver).run(5, dtype=torch.float64).views]
    assert (plain.energy["noise_left"] > 0).all()


def test_of_a_constant_velocity_nothing_is_left_and_of_one_atom_the_known_product():
    """One atom: x1 - a = (x0 - a) prod_k (1 - g_k / (N - k))."""
    point, solver = torch.randn(1, 4, dtype=torch.float64), Euler(steps=100)
    schedule = Normalised(KTS(alpha=0.0, beta=0.02), solver)
    run = Runner(Empirical(point), solver, schedule, {"kpe": KPE()}).run(3, dtype=torch.float64)
    t = torch.arange(100, dtype=torch.float64) / 100
    gains = schedule.gain(t, t, t)
    assert float(gains.mean()) == pytest.approx(1.0, abs=1e-14)
    left = float(torch.prod(1 - gains / (100 - torch.arange(100))))
    x0 = noise(0, range(3), (4,), torch.float64)
    assert ((run.samples - point) / (x0 - point)).flatten().tolist() == pytest.approx([left] * 12, rel=1e-9)
    exact = Runner(Gaussian(size=2, mean=3.0, std=1e-9), Tsit5(rtol=1e-8, atol=1e-8), Normalised(LANDING))
    gain = exact.run(2, dtype=torch.float64).energy["gain"]
    assert gain.tolist() == pytest.approx([1.0] * 2, abs=1e-4)


def test_gains_without_an_integral_that_is_known_before_are_refused():
    with pytest.raises(OptionError, match="whose integral is known before a path is walked: EnergyClamp looks at"):
        Normalised(EnergyClamp(low=[1.0], high=[2.0]))
    with pytest.raises(OptionError, match="'schedule' must have a mean gain above 0 to be divided by: 0"):
        Normalised(Constant(0.0))
