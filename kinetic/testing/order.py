"""How fast a solver converges, as its steps become finer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import attrs
import torch
from torch import Tensor

from kinetic._roles.solver import Solver
from kinetic.testing.check import Allowances, broken, promised, say
from kinetic.testing.probe import EXACT
from kinetic.testing.walk import Walk, bend, noise, walk

_FINE, _SLACK = 1e-10, 0.4


@promised("solver")
def check_order(solver: Solver, allow: Allowances) -> None:
    """x1 converges at the order that the solver declares as `order`, at first order at least."""
    _check_order(solver, "x1", lambda done: (done.final - _exact(noise())[0]).abs().max())


@promised("solver")
def check_energy_order(solver: Solver, allow: Allowances) -> None:
    """The energy converges at the order that the solver declares as `order`, at first order at least."""
    _check_order(solver, "the energy", lambda done: (done.energy - _exact(noise())[1]).abs().max())


def _check_order(solver: Solver, what: str, error_of: Callable[[Walk], Tensor]) -> None:
    if bool((walk(solver, bend, noise()).end < 1 - EXACT).any()):
        return  # it stops short on purpose: there is no end to compare with
    declared = float(getattr(solver, "order", 1))
    errors = [float(error_of(walk(each, bend, noise()))) for each in refined(solver)]
    if len(errors) == 1:
        longest = max(float(step.dt.max()) for step in walk(solver, bend, noise()).steps)
        came = f"it is wrong by {errors[0]:.3g} with steps up to {longest:.3g}"
        say(errors[0] <= 20 * longest, solver, f"finds {what} of (1 + t) sin x", came, _WRONG)
        return
    orders = [math.log2(max(a, 1e-300) / max(b, 1e-300)) for a, b in itertools.pairwise(errors)]
    if max(orders[-2:]) < declared - _SLACK and errors[-1] > _FINE:
        broken(
            solver,
            f"converges in {what} at order {declared:g} or more",
            f"with twice the steps each the errors are {', '.join(f'{each:.3g}' for each in errors)}, "
            f"order {max(orders[-2:]):.2f}",
            _WRONG,
        )


_WRONG = "Look at the weights and at the times and points of its velocities, or declare another `order`."


def refined(solver: Solver) -> Sequence[Solver]:
    """The solver with 16, 32, ... 256 steps, or itself where no option of it says how many."""
    steps = len(walk(solver, bend, noise()).steps)
    for given, change in _numbers(solver):
        try:
            if len(walk(change(2 * given), bend, noise()).steps) > 1.5 * steps:
                return [change(n) for n in (16, 32, 64, 128, 256)]
        except (ValueError, TypeError):  # a number it cannot have
            continue
    return [solver]


def _numbers(component: Any) -> list[tuple[int, Callable[[int], Any]]]:
    """The options that are whole numbers, its own and those of solvers inside, each with what changes it."""
    changes: list[tuple[int, Callable[[int], Any]]] = []
    for field in attrs.fields(type(component)):
        value = getattr(component, field.name)
        if not field.init:
            continue
        if type(value) is int:
            changes.append((value, partial(_evolved, component, field.alias, int)))
        elif isinstance(value, Solver):
            changes += [(n, partial(_evolved, component, field.alias, change)) for n, change in _numbers(value)]
    return changes


def _evolved(component: Any, option: str, value_of: Callable[[int], Any], n: int) -> Any:
    return attrs.evolve(component, **{option: value_of(n)})


def _exact(x0: Tensor) -> tuple[Tensor, Tensor]:
    """x1 and the energy of `bend`, by 40 nodes of Gauss and Legendre."""
    import numpy as np

    nodes, weights = (torch.tensor(each) for each in np.polynomial.legendre.leggauss(40))
    energy = torch.zeros(len(x0), dtype=torch.float64)
    for node, weight in zip((0.5 + 0.5 * nodes).tolist(), (0.5 * weights).tolist(), strict=True):
        v = (1 + node) * torch.sin(_at(x0, node))
        energy += 0.5 * weight * v.square().sum(1)
    return _at(x0, 1.0), energy


def _at(x0: Tensor, t: float) -> Tensor:
    return 2 * torch.atan(torch.tan(0.5 * x0) * math.exp(t + 0.5 * t * t))
