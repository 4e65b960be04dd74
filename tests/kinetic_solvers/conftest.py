"""Butcher's order conditions, for every method's own file, and a flow whose end and energy are known."""

import math

import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Gaussian

from kinetic import Runner
from kinetic._sample.noise import noise

MEAN, STD = 0.7, 0.4


@pytest.fixture
def order_conditions():
    """order_conditions(tableau, b=None): left sides and what they must equal, grouped by order, up to order 4."""
    return _order_conditions


def _order_conditions(tableau, b=None):
    a = [[0.0] * len(tableau.c)] + [[*row, *[0.0] * (len(tableau.c) - len(row))] for row in tableau.a]
    b, c, n = b or tableau.b, tableau.c, range(len(tableau.c))
    ac = [sum(a[i][j] * c[j] for j in n) for i in n]
    return {
        1: [(sum(b), 1)],
        2: [(sum(b[i] * c[i] for i in n), 1 / 2)],
        3: [(sum(b[i] * c[i] ** 2 for i in n), 1 / 3), (sum(b[i] * ac[i] for i in n), 1 / 6)],
        4: [
            (sum(b[i] * c[i] ** 3 for i in n), 1 / 4),
            (sum(b[i] * c[i] * ac[i] for i in n), 1 / 8),
            (sum(b[i] * a[i][j] * c[j] ** 2 for i in n for j in n), 1 / 12),
            (sum(b[i] * a[i][j] * ac[j] for i in n for j in n), 1 / 24),
        ],
    }


@pytest.fixture
def gaussian_flow():
    """gaussian_flow(solver, n=20, **more): a run on the Gaussian flow in float64, its true ends and energies."""

    def walk(solver, n=20, schedule=None, **more):
        field = Gaussian(size=3, mean=MEAN, std=STD)
        runner = Runner(field=field, solver=solver, schedule=schedule, meters={"kpe": KPE()})
        run = runner.run(n, dtype=torch.float64, device="cpu", **more)
        return run, *_truth(noise(0, range(n), (3,), torch.float64))

    return walk


def _truth(x0):
    """x1 and KPE of the Gaussian flow, by hand: x_t = t m + s_t x0, s_t^2 = (1-t)^2 + t^2 std^2."""
    from scipy.integrate import quad

    def s_dot(t):
        return (t * STD**2 - (1 - t)) / math.sqrt((1 - t) ** 2 + (t * STD) ** 2)

    square = quad(lambda t: s_dot(t) ** 2, 0, 1, epsabs=1e-14, epsrel=1e-13)[0]
    d = x0.shape[1]
    energy = 0.5 * d * MEAN**2 + MEAN * (STD - 1) * x0.sum(1) + 0.5 * x0.square().sum(1) * square
    return MEAN + STD * x0, energy
