"""DPM-Solver++(2M) against a transcription of algorithm 2 of its paper."""

import math

import pytest
import torch
from kinetic_solvers import DPMSolver, Euler


def by_the_paper(velocity, x, times):
    """Algorithm 2 of arXiv 2211.01095 with alpha = t, sigma = 1 - t, in its own terms: lambda, h, r, e^{-h}."""

    def lam(t):
        return math.log(t / (1 - t)) if 0 < t < 1 else math.copysign(math.inf, t - 0.5)

    old = None
    for k in range(len(times) - 1):
        s, t = times[k], times[k + 1]
        data = x + (1 - s) * velocity(x, torch.full((len(x),), s, dtype=x.dtype), slice(None))
        h = lam(t) - lam(s)
        mixed = data
        if old is not None and math.isfinite(h) and times[k - 1] > 0:
            r = (lam(s) - lam(times[k - 1])) / h
            mixed = (1 + 1 / (2 * r)) * data - 1 / (2 * r) * old
        x = (1 - t) / (1 - s) * x - t * math.expm1(-h) * mixed
        old = data
    return x


@pytest.mark.parametrize("grid", ["uniform", "cosine"])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 11])
def test_it_walks_the_path_of_the_paper(steps, grid):
    def velocity(x, t, rows):
        return torch.cos(3 * x) - x * t[:, None]

    x0 = torch.randn(5, 3, dtype=torch.float64)
    solver = DPMSolver(steps=steps, grid=grid)
    *_, last = solver.solve(velocity, x0)
    assert (last.x1 - by_the_paper(velocity, x0, solver.times())).abs().max() < 1e-13


def test_a_constant_data_prediction_is_followed_exactly_at_any_number_of_steps():
    point = torch.randn(1, 4, dtype=torch.float64)
    x0 = torch.randn(6, 4, dtype=torch.float64)
    walked = list(DPMSolver(steps=5).solve(lambda x, t, rows: (point - x) / (1 - t[:, None]), x0))
    assert (walked[-1].x1 - point).abs().max() < 1e-13
    energy = sum(step.energy for step in walked)
    assert (energy - 0.5 * (point - x0).square().sum(1)).abs().max() < 1e-12


def test_two_steps_are_eulers():
    x0 = torch.randn(4, 2, dtype=torch.float64)
    ends = [list(s(steps=2).solve(lambda x, t, rows: -x * (1 + t[:, None]), x0))[-1].x1 for s in (DPMSolver, Euler)]
    assert (ends[0] - ends[1]).abs().max() < 1e-15


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("grid", ["uniform", "cosine", "edm-rho"])
def test_a_step_weighs_velocities_it_was_given_at_their_times_and_few_of_them(grid, dtype):
    asked = {}

    def velocity(x, t, rows):
        asked[t[0].item()] = v = torch.cos(3 * x) - x * t[:, None]
        return v

    for step in DPMSolver(steps=50, grid=grid).solve(velocity, torch.randn(4, 3, dtype=dtype)):
        assert all(stage.v is asked[stage.t[0].item()] for stage in step.stages)
        assert sum(stage.weight for stage in step.stages) == pytest.approx(1, abs=1e-14)
        assert len(step.stages) <= (20 if dtype == torch.float64 else 12)


def test_the_third_step_on_a_uniform_grid_has_the_weights_of_the_formula():
    """Steps two and three of ten: c = 1/(2r), and the velocities of the step before times c h/(1 - t)."""

    def log_snr(t):
        return math.log(t / (1 - t))

    walked = list(DPMSolver(steps=10).solve(lambda x, t, rows: x, torch.ones(1, 1, dtype=torch.float64)))
    c = [0.5 * (log_snr((k + 1) / 10) - log_snr(k / 10)) / (log_snr(k / 10) - log_snr((k - 1) / 10)) for k in (2, 3)]
    assert [stage.weight for stage in walked[2].stages] == pytest.approx([1 + c[0], -c[0]])
    shared = c[1] * 0.1 / 0.7
    expected = [1 + c[1], shared * (1 + c[0]) - c[1] * 0.8 / 0.7, -shared * c[0]]
    assert [stage.weight for stage in walked[3].stages] == pytest.approx(expected)


def test_it_costs_one_velocity_a_step():
    asked = []
    list(DPMSolver(steps=6).solve(lambda x, t, rows: asked.append(1) or x, torch.ones(1, 1)))
    assert len(asked) == 6
