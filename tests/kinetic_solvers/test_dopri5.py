"""The tableau of Dopri5 satisfies its order conditions, and both rules converge at their orders."""

import math

import pytest
import torch
from kinetic_solvers import Dopri5
from kinetic_solvers.runge_kutta import moved_by

from kinetic import Stage


def test_order_conditions_hold_up_to_order_four_for_both_rules(order_conditions):
    tableau = Dopri5().tableau
    for b in (tableau.b, tableau.embedded):
        for rows in order_conditions(tableau, b).values():
            assert all(left == pytest.approx(right, abs=1e-13) for left, right in rows)


def test_stage_times_are_the_row_sums():
    tableau = Dopri5().tableau
    assert list(tableau.c[1:]) == pytest.approx([sum(row) for row in tableau.a], abs=1e-13)


def test_the_last_stage_is_the_end_of_the_step():
    tableau = Dopri5().tableau
    assert tableau.a[-1] == tableau.b[:-1]
    assert (tableau.b[-1], tableau.c[-1]) == (0, 1)


@pytest.mark.parametrize(("rule", "order"), [("b", 5), ("embedded", 4)])
def test_fixed_steps_of_a_rule_converge_at_its_order(rule, order):
    """dx/dt = -2 t x^2 has x(1) = x0/(1 + x0)."""
    tableau, errors = Dopri5().tableau, []
    for steps in (20, 40):
        x0 = torch.tensor([[0.5], [1.0], [2.0]], dtype=torch.float64)
        x, h = x0, 1 / steps
        for k in range(steps):
            stages = []
            for c, a in zip(tableau.c, ((), *tableau.a), strict=True):
                t = torch.full((3,), (k + c) * h, dtype=torch.float64)
                at = moved_by(x, h, a, stages)
                stages.append(Stage(t, -2 * t[:, None] * at**2, 0.0))
            x = moved_by(x, h, getattr(tableau, rule), stages)
        errors.append((x - x0 / (1 + x0)).norm().item())
    assert math.log2(errors[0] / errors[1]) > order - 0.4
