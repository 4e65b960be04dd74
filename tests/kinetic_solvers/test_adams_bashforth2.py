"""Adams-Bashforth 2 against its formula."""

import math

import torch
from kinetic_solvers import AdamsBashforth2


def test_the_weights_integrate_a_velocity_linear_in_time_exactly_after_the_first_step():
    """v = 1 + 2t has the integral h (1 + t0 + t1) over every step, on any grid."""
    x0 = torch.zeros(2, 1, dtype=torch.float64)
    for step in AdamsBashforth2(steps=9, grid="cosine").solve(lambda x, t, rows: (1 + 2 * t)[:, None], x0):
        exact = step.dt * (1 + step.t0 + step.t1)
        assert (step.x1 - step.x0)[:, 0].sub(exact).abs().max() < 1e-14


def test_a_step_is_the_one_of_the_formula():
    steps = list(AdamsBashforth2(steps=4).solve(lambda x, t, rows: x * t[:, None], torch.ones(1, 1).double()))
    x1, x2 = steps[1].x0.item(), steps[2].x0.item()
    assert steps[2].x1.item() == x2 + 0.25 * (1.5 * (x2 * 0.5) - 0.5 * (x1 * 0.25))


def test_it_costs_one_velocity_a_step_and_one_more():
    asked = []

    def velocity(x, t, rows):
        asked.append(t[0].item())
        return x

    list(AdamsBashforth2(steps=6).solve(velocity, torch.ones(1, 1)))
    assert len(asked) == 7
    assert max(asked) < 1


def test_it_runs_on_a_field_that_lives_on_the_unit_circle():
    x0 = torch.tensor([[1.0, 0.0]], dtype=torch.float64)

    def turn(x, t, rows):
        return math.pi * torch.stack([-x[:, 1], x[:, 0]], 1)

    *_, last = AdamsBashforth2(steps=400).solve(turn, x0)
    assert (last.x1 - torch.tensor([[-1.0, 0.0]])).abs().max() < 1e-4
