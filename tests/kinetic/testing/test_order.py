"""Orders of convergence are measured right, on the solvers whose order is known."""

import math

import pytest
import torch
from kinetic_solvers import RK4, Dopri5, Doubled, Euler, Heun

from kinetic.testing.order import _exact, refined
from kinetic.testing.walk import bend, noise, walk


def test_the_exact_end_and_energy_are_those_of_very_fine_steps():
    x1, energy = _exact(noise())
    done = walk(RK4(steps=400), bend, noise())
    assert torch.allclose(done.final, x1, atol=1e-9)
    assert torch.allclose(done.energy, energy, atol=1e-9)


@pytest.mark.parametrize(("solver", "order"), [(Euler(), 1), (Heun(), 2), (RK4(), 4)])
def test_twice_the_steps_divide_the_error_by_two_to_the_order(solver, order):
    x1, energy = _exact(noise())
    for of in (lambda done: done.final - x1, lambda done: done.energy - energy):
        coarse, fine = (float(of(walk(each, bend, noise())).abs().max()) for each in refined(solver)[1:3])
        assert math.log2(coarse / fine) == pytest.approx(order, abs=0.4)


def test_the_number_of_steps_is_found_by_what_it_does_not_by_its_name():
    assert [len(walk(each, bend, noise()).steps) for each in refined(Euler())] == [16, 32, 64, 128, 256]
    assert [len(walk(each, bend, noise()).steps) for each in refined(Doubled(Euler()))][:2] == [16, 32]
    adaptive = Dopri5()
    assert refined(adaptive) == [adaptive]
