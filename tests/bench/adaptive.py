"""Dopri5 with a step for each sample, against torchdiffeq's with one step for all and torchode's with its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from kinetic_digits import Digits
from kinetic_fields import Empirical
from kinetic_solvers import Dopri5, Tsit5
from timing import Table, race
from torch import Tensor

from kinetic.types import is_all

try:
    from torchdiffeq import odeint
except ImportError:
    odeint = None
try:
    import torchode
except ImportError:
    torchode = None

Field = Callable[[Tensor, Tensor], Tensor]


def mixture(x: Tensor, t: Tensor) -> Tensor:
    """The exact velocity to eight Gaussians of standard deviation 0.3 on a circle of radius 3; t `(m,)`."""
    angle = torch.arange(8, dtype=x.dtype) * (torch.pi / 4)
    means, t = 3 * torch.stack([angle.cos(), angle.sin()], 1), t[:, None]
    variance = (1 - t) ** 2 + (0.3 * t) ** 2
    weights = torch.softmax(-(x[:, None] - t[..., None] * means).square().sum(2) / (2 * variance), 1)
    offset = (weights[..., None] * (x[:, None] - t[..., None] * means)).sum(1)
    return weights @ means + (t * 0.09 - (1 - t)) / variance * offset


def fields(quick: bool) -> dict[str, tuple[Field, Tensor]]:
    """Name: velocity and noise, in float64."""
    torch.manual_seed(0)
    digits = Empirical(Digits(size=60 if quick else None))
    return {
        "2-D mixture": (mixture, torch.randn(16 if quick else 128, 2, dtype=torch.float64)),
        "digits, closed form to t = .95": (  # a stage at t = 1 needs the memory of a batch, which no peer has
            lambda x, t: 0.95 * digits.velocity(x.view(-1, 1, 8, 8), 0.95 * t).flatten(1),
            torch.randn(8 if quick else 128, 64, dtype=torch.float64),
        ),
    }


class _Counted:
    """A velocity that counts calls, and rows asked for."""

    def __init__(self, field: Field) -> None:
        self.field, self.calls, self.rows = field, 0, 0

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        self.calls, self.rows = self.calls + 1, self.rows + len(x)
        return self.field(x, t)


def _ours(solver: Dopri5 | Tsit5, field: Field, x0: Tensor) -> Tensor:
    x = x0.clone()
    for step in solver.solve(lambda x, t, rows: field(x, t), x0):
        x = step.x1 if is_all(step.rows) else x.index_put((step.rows,), step.x1)
    return x


def _torchode(field: Field, x0: Tensor, tolerance: float) -> Tensor:
    term = torchode.ODETerm(lambda t, y: field(y, t))
    method = torchode.Dopri5(term=term)
    control = torchode.IntegralController(atol=tolerance, rtol=tolerance, term=term)
    problem = torchode.InitialValueProblem(
        y0=x0, t_eval=torch.tensor([0.0, 1.0], dtype=x0.dtype).expand(len(x0), -1).contiguous()
    )
    return torchode.AutoDiffAdjoint(method, control).solve(problem).ys[:, -1]


@torch.inference_mode()
def tables(quick: bool) -> list[Table]:
    """Rows evaluated, CPU time, error reached, and how far one sample depends on the others."""
    rows = []
    for name, (field, x0) in fields(quick).items():
        truth = _ours(Dopri5(rtol=1e-11, atol=1e-11, max_steps=10000), field, x0)
        for tolerance in (1e-3, 1e-5):
            contestants: dict[str, Callable[[Field, Tensor], Tensor]] = {
                "kinetic dopri5": lambda f, x, tol=tolerance: _ours(Dopri5(rtol=tol, atol=tol), f, x),
                "kinetic tsit5": lambda f, x, tol=tolerance: _ours(Tsit5(rtol=tol, atol=tol), f, x),
            }
            if odeint is not None:
                contestants["torchdiffeq dopri5"] = lambda f, x, tol=tolerance: odeint(
                    lambda t, y: f(y, t.expand(len(y))), x, torch.tensor([0.0, 1.0], dtype=x.dtype), rtol=tol, atol=tol
                )[-1]
            if torchode is not None:
                contestants["torchode dopri5"] = lambda f, x, tol=tolerance: _torchode(f, x, tol)
            times = race(
                {who: lambda run=run, field=field, x0=x0: run(field, x0) for who, run in contestants.items()},
                1 if quick else 7,
            )
            counts: dict[str, Any] = {}
            for who, run in contestants.items():
                counted = _Counted(field)
                end = run(counted, x0)
                alone = run(field, x0[3:4])
                error = (end - truth).square().mean(1).sqrt().median().item()
                counts[who] = counted.calls, counted.rows, error, (end[3] - alone[0]).abs().max().item()
            base = "torchdiffeq dopri5" if odeint is not None else "kinetic dopri5"
            for who, (calls, asked, error, apart) in counts.items():
                rows.append(
                    [f"{name}, {tolerance:g}", who, str(calls), str(asked), f"{asked / counts[base][1]:.2f}",
                     str(times[who]), f"{times[who].median / times[base].median:.2f}", f"{error:.1e}", f"{apart:.0e}"]
                )  # fmt: skip
    return [
        Table(
            "Adaptive steps",
            ("field, tolerance", "who", "calls", "rows asked for", "rows / torchdiffeq", "CPU time", "time / torchdiffeq",
             "median error of x1", "one sample: batch against alone"),
            rows,
            "Root mean square error against a tolerance of 1e-11, float64. Goals for dopri5: rows at most 0.8, time at most "
            "1.1 of torchdiffeq's; a sample independent of its batch to 1e-12.",
        )
    ]  # fmt: skip
