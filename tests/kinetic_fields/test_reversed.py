import torch
from kinetic_energy import KPE
from kinetic_fields import Empirical, Gaussian, Reversed
from kinetic_solvers import RK4, Euler

from kinetic import Runner
from kinetic._sample.noise import noise
from kinetic.testing import check_field


def test_it_keeps_the_promises_of_a_field():
    check_field(Reversed(Gaussian(size=3, mean=0.2, std=0.5)))


def test_a_gaussian_flow_returns_its_noise_at_the_energy_it_cost():
    field = Gaussian(size=4, mean=0.4, std=0.6)
    forth = Runner(field, RK4(steps=60), meters={"kpe": KPE()}).run(9, dtype=torch.float64)
    back = Runner(Reversed(field), RK4(steps=60), meters={"kpe": KPE()}).run(9, dtype=torch.float64, start=forth.state)
    assert (back.state - noise(0, range(9), (4,), torch.float64)).abs().max() < 1e-6
    assert (back.energy["kpe"] - forth.energy["kpe"]).abs().max() < 1e-6


def test_there_and_back_again():
    points, field = torch.randn(7, 4, dtype=torch.float64), Gaussian(size=4, mean=-0.3, std=1.4)
    noisy = Runner(Reversed(field), RK4(steps=60)).run(7, dtype=torch.float64, start=points)
    again = Runner(field, RK4(steps=60)).run(7, dtype=torch.float64, start=noisy.state)
    assert (again.state - points).abs().max() < 1e-6


def test_breakpoints_are_turned_round():
    field = Reversed(Empirical(torch.randn(5, 2)))
    assert field.breakpoints == tuple(sorted(1 - t for t in field.field.breakpoints))
    x = torch.randn(3, 2)
    at = torch.full((3,), 0.25)
    assert torch.equal(field.velocity(x, at), -field.field.velocity(x, 1 - at))
    assert Runner(field, Euler(steps=2)).run(2).state.isfinite().all()
