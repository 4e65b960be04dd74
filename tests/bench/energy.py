"""How many velocities a path energy within 1% costs, by solver."""

from __future__ import annotations

import torch
from adaptive import Field, fields
from kinetic_solvers import RK4, AdamsBashforth2, Dopri5, DPMSolver, Euler, Heun, Midpoint, Tsit5
from timing import Table
from torch import Tensor

from kinetic import Solver

_BUDGETS = (8, 16, 32, 64, 128, 256, 512)
_CALLS = {Euler: 1, AdamsBashforth2: 1, DPMSolver: 1, Midpoint: 2, Heun: 2, RK4: 4}


def _energy(solver: Solver, field: Field, x0: Tensor) -> tuple[Tensor, float]:
    """KPE of each sample, and velocities asked for, on average."""
    energy, asked = torch.zeros(len(x0), dtype=torch.float64), 0

    def velocity(x: Tensor, t: Tensor, rows: Tensor | slice) -> Tensor:
        nonlocal asked
        asked += len(x)
        return field(x, t)

    for step in solver.solve(velocity, x0):
        energy[step.rows] += step.energy
    return energy, asked / len(x0)


@torch.inference_mode()
def tables(quick: bool) -> list[Table]:
    """The 95th percentile of the relative error of the KPE, at each budget."""
    rows = []
    budgets = _BUDGETS[:2] if quick else _BUDGETS
    for name, (field, x0) in fields(quick).items():
        truth, _ = _energy(Dopri5(rtol=1e-11, atol=1e-11, max_steps=10000), field, x0)
        for method, calls in _CALLS.items():
            worst = []
            for budget in budgets:
                found, _ = _energy(method(steps=max(1, budget // calls), grid="uniform"), field, x0)
                worst.append(((found - truth) / truth).abs().quantile(0.95).item())
            enough = next((str(b) for b, error in zip(budgets, worst, strict=True) if error <= 0.01), "more")
            rows.append([name, method.__name__, *(f"{error:.1%}" for error in worst), enough])
        for method in (Dopri5, Tsit5):
            for tolerance in (1e-2, 1e-3, 1e-4, 1e-5):
                found, asked = _energy(method(rtol=tolerance, atol=tolerance), field, x0)
                worst95 = ((found - truth) / truth).abs().quantile(0.95).item()
                if worst95 <= 0.01:
                    break
            blank = [""] * len(budgets)
            rows.append([name, f"{method.__name__}, {tolerance:g} ({worst95:.1%})", *blank, f"{asked:.0f}"])
    return [
        Table(
            "Error of the path energy, 95th percentile, by velocities asked for",
            ("field", "solver", *map(str, budgets), "within 1% from"),
            rows,
            "Uniform grids, energies by the solver's own weights, no further velocity; for adaptive pairs the loosest of "
            "four tolerances that is within 1%. Against dopri5 at 1e-11. Goal: midpoint or RK4 within 1% at 32.",
        )
    ]
