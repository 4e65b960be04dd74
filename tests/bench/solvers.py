"""What a step on a fixed grid costs beyond the calls of the model, against torchdiffeq and flow_matching."""

from __future__ import annotations

from collections.abc import Callable

import torch
from kinetic_energy import KPE
from kinetic_solvers import RK4, Euler, Heun, Midpoint
from timing import Table, race

from kinetic import Batch, VelocityField
from kinetic._sample.integrate import integrate

try:
    from torchdiffeq import odeint
except ImportError:
    odeint = None
try:
    from flow_matching.solver import ODESolver
    from flow_matching.utils import ModelWrapper
except ImportError:
    ODESolver = None

import attrs

_BATCH, _STEPS, _WIDTH = 256, 100, 64
_METHODS = (("euler", Euler), ("midpoint", Midpoint), ("heun", Heun), ("rk4", RK4))
_DIFFEQ = {"euler": "euler", "midpoint": "midpoint", "heun": "heun2", "rk4": "rk4"}


def _net() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(3, _WIDTH), torch.nn.SiLU(), torch.nn.Linear(_WIDTH, _WIDTH), torch.nn.SiLU(),
        torch.nn.Linear(_WIDTH, 2),
    )  # fmt: skip


def _by_hand(name: str, v: Callable[[torch.Tensor, float], torch.Tensor], x: torch.Tensor, steps: int) -> torch.Tensor:
    """The loops one would write oneself."""
    h = 1 / steps
    for k in range(steps):
        t = k * h
        if name == "euler":
            x = x + h * v(x, t)
        elif name == "midpoint":
            x = x + h * v(x + 0.5 * h * v(x, t), t + 0.5 * h)
        elif name == "heun":
            k1 = v(x, t)
            x = x + 0.5 * h * (k1 + v(x + h * k1, t + h))
        else:
            k1 = v(x, t)
            k2 = v(x + 0.5 * h * k1, t + 0.5 * h)
            k3 = v(x + 0.5 * h * k2, t + 0.5 * h)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + v(x + h * k3, t + h))
    return x


@torch.inference_mode()
def tables(quick: bool) -> list[Table]:
    """Overhead per step, in microseconds of CPU time, above the same number of calls of the same net."""
    steps, repeats = (5, 1) if quick else (_STEPS, 15)
    net, x0 = _net(), torch.randn(_BATCH, 2)
    clock = torch.zeros(_BATCH, 1)

    def model(x: torch.Tensor, t: float) -> torch.Tensor:
        return net(torch.cat([x, clock], 1))

    @attrs.frozen(eq=False)
    class Net(VelocityField):
        @property
        def event_shape(self) -> torch.Size:
            return torch.Size([2])

        def velocity(self, x: torch.Tensor, t: torch.Tensor, batch: Batch | None = None) -> torch.Tensor:
            return model(x, 0.0)

    rows = []
    for name, method in _METHODS:
        solver, calls = method(steps=steps), {"euler": 1, "midpoint": 2, "heun": 2, "rk4": 4}[name] * steps
        times = torch.linspace(0, 1, steps + 1)

        def alone(calls: int = calls) -> None:
            for _ in range(calls):
                model(x0, 0.0)

        def ours(solver: Euler = solver) -> None:
            for _ in solver.solve(lambda x, t, rows: model(x, 0.0), x0):
                pass

        def metered(solver: Euler = solver) -> None:
            batch = Batch(torch.arange(_BATCH))
            integrate(Net(), solver, None, {"kpe": KPE()}, x0, batch, lambda done: None)

        contestants: dict[str, Callable[[], object]] = {
            "alone": alone,
            "by hand": lambda name=name: _by_hand(name, model, x0, steps),
            "kinetic": ours,
            "kinetic, Runner with KPE": metered,
        }
        if odeint is not None:
            contestants["torchdiffeq"] = lambda name=name, times=times: odeint(
                lambda t, x: model(x, 0.0), x0, times, method=_DIFFEQ[name]
            )
            contestants["torchdiffeq, step_size"] = lambda name=name, times=times: odeint(
                lambda t, x: model(x, 0.0), x0, times[[0, -1]], method=_DIFFEQ[name], options={"step_size": 1 / steps}
            )
        if ODESolver is not None:

            class Wrapped(ModelWrapper):
                def forward(self, x: torch.Tensor, t: torch.Tensor, **extras: object) -> torch.Tensor:
                    return model(x, 0.0)

            peer = ODESolver(velocity_model=Wrapped(net))
            contestants["flow_matching"] = lambda name=name, peer=peer: peer.sample(
                x_init=x0, step_size=1 / steps, method=_DIFFEQ[name]
            )
        found = race(contestants, repeats)
        over = {other: (t.median - found["alone"].median) / steps * 1e6 for other, t in found.items()}
        peer_over = min((over[p] for p in over if p.startswith("torchdiffeq")), default=None)

        def cell(other: str, over: dict[str, float] = over) -> str:
            return f"{over[other]:.1f}" if other in over else "not installed"

        rows.append(
            [
                name,
                *(cell(other) for other in ("by hand", "kinetic", "kinetic, Runner with KPE")),
                *(cell(other) for other in ("torchdiffeq", "torchdiffeq, step_size", "flow_matching")),
                *(
                    f"{over[who] / peer_over:.2f}" if peer_over else ""
                    for who in ("kinetic", "kinetic, Runner with KPE")
                ),
            ]
        )
    return [
        Table(
            "Fixed grids: overhead of a step",
            ("method", "by hand", "kinetic", "kinetic, Runner with KPE", "torchdiffeq", "torchdiffeq, step_size",
             "flow_matching", "kinetic / torchdiffeq", "with KPE / torchdiffeq"),
            rows,
            f"Microseconds of CPU time a step beyond the calls of the net (3 layers, width {_WIDTH}, batch {_BATCH} x 2), "
            f"{steps} steps, medians of {repeats}. Ratios to the faster form of torchdiffeq. Goals: 0.25 without a meter, "
            "1 for Euler with KPE.",
        )
    ]  # fmt: skip
