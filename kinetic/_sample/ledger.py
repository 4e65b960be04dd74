"""The accounts of paths that somebody else walks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NoReturn, final

import attrs
import torch
from torch import Tensor, nn

from kinetic._roles.batch import Batch
from kinetic._roles.field import VelocityField
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Stage, Step
from kinetic._sample.accounts import Accounts
from kinetic._sample.dynamics import Dynamics
from kinetic._sample.integrate import joined
from kinetic.errors import KineticError, OptionError, ShapeError
from kinetic.types import ALL, PerSample, State

_ROUNDING = 1e-5  # of times in float32


@final
@attrs.frozen(eq=False)
class _Elsewhere(VelocityField):
    """The field of a path that somebody else walks: nobody asks it."""

    event_shape: torch.Size

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> NoReturn:
        raise KineticError("the velocity of a path that is walked elsewhere is not known here")


@final
class Ledger:
    """What meters say of a batch whose steps are told one by one, as the `Runner` would have entered them.

    Args:
        meters: `{name: EnergyMeter}`.
        x0: `(n, *event)`, where the paths begin. It is copied.
        schedule: the gain that the velocities were multiplied by, for the column `gain`, or None.
    """

    def __init__(self, meters: Mapping[str, EnergyMeter], x0: State, schedule: Schedule | None = None) -> None:
        self.x0 = self.x1 = x0.detach().clone()
        batch = Batch(torch.arange(len(x0), device=x0.device))
        self._accounts = Accounts(meters, Dynamics.of(_Elsewhere(x0.shape[1:]), schedule, batch, x0), self.x0)
        self._schedule = schedule

    def add(self, t0: float, t1: float, x0: State, x1: State, stages: Sequence[tuple[float, State, float]]) -> None:
        """Enter one step from x0 at t0 to x1 at t1, by velocities `(t, v, weight)`; the weights sum to 1.

        Raises:
            OptionError: t1 is not above t0, or a weight or a time is no number.
            ShapeError: x0, x1 and the velocities are not of the shape of the paths.
        """
        if not 0 <= t0 < t1 <= 1 or abs(sum(weight for *_, weight in stages) - 1) > 1e-6:
            raise OptionError(
                f"a step leads from t0 to a later t1 in [0, 1], by weights that sum to 1: {t0:g} to {t1:g}, weights "
                f"{[weight for *_, weight in stages]}"
            )
        for each in (x0, x1, *(v for _, v, _ in stages)):
            if each.shape != self.x0.shape:
                raise ShapeError(f"a step of paths of shape {tuple(self.x0.shape)} was told {tuple(each.shape)}")
        self.x1 = x1.detach().clone()
        told = tuple(Stage(self._clock(t), v.detach(), weight) for t, v, weight in stages)
        start, stop = self._clock(t0), self._clock(t1)
        self._accounts.add(Step(ALL, start, stop, x0.detach(), self.x1, told, span=(t0, t1)))

    def columns(self) -> dict[str, Tensor]:
        """The columns of the meters, `{column: (n,)}` float64 on the CPU, and `gain` where there is a schedule."""
        columns = joined("", {}, self._accounts.columns(self.x1))
        if self._schedule is not None:
            columns["gain"] = self._accounts.gain
        return {name: column.double().cpu() for name, column in columns.items()}

    def _clock(self, t: float) -> Tensor:
        return torch.full((len(self.x0),), t, dtype=torch.float64, device=self.x0.device)


@final
class LoopMeter:
    """What `metered` hands out: the energies of the paths of a loop by hand, once the `with` is left."""

    def __init__(self, meters: Mapping[str, EnergyMeter]) -> None:
        self.energy: dict[str, Tensor] = {}
        self._meters = meters
        self._ledger: Ledger | None = None
        self._before: tuple[float, State, State] | None = None

    def look(self, t: float, x: State, v: State) -> None:
        """One call of the network: the step before it ends here."""
        if self._before is not None:
            self._add(t, x)
        self._before = t, x.detach().clone(), v.detach().clone()

    def finish(self, x1: State | None = None) -> None:
        """End the paths at t = 1, by the step of Euler that the last velocity makes, or at samples x1 there."""
        if self._before is not None and self._before[0] < 1:
            t0, x0, v = self._before
            self._add(1.0, x0 + (1 - t0) * v if x1 is None else x1)
        self._before = None
        if self._ledger is not None:
            self.energy = self._ledger.columns()

    def _add(self, t: float, x: State) -> None:
        assert self._before is not None
        t0, x0, v = self._before
        self._ledger = self._ledger or Ledger(self._meters, x0)
        self._ledger.add(t0, t, x0, x, [(t0, v, 1.0)])


def _argument(who: str, which: int | str, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Tensor:
    try:
        return torch.as_tensor(keywords[which] if isinstance(which, str) else args[which])
    except (KeyError, IndexError):
        raise OptionError(
            f"{who} was called without the argument {which!r}\n  Say which argument is x and which is t, by place or "
            "keyword: metered(..., x=0, t='timestep')."
        ) from None


def _unit(times: Tensor, scale: float) -> float:
    """The one time of a call."""
    s = float(times.max())
    if float(times.min()) < s:
        raise OptionError("a loop that gives samples several times in one call cannot be metered: tell a Ledger")
    if not -_ROUNDING <= s <= 1 + _ROUNDING:
        raise OptionError(f"times must lie in [0, 1]: {s:g} after division by scale = {scale:g}")
    return min(max(s, 0.0), 1.0)


@contextmanager
def metered(
    module: nn.Module,
    meters: Mapping[str, EnergyMeter],
    *,
    zero: Literal["noise", "data"],
    x: int | str = 0,
    t: int | str = 1,
    scale: float = 1.0,
) -> Iterator[LoopMeter]:
    """Weigh the paths of a sampling loop of your own, which calls `module` once a step and is left as it is.

    A step goes from one call to the next, with the first one's velocity, by the left rectangle rule: exact for Euler's
    method. The last one ends at t = 1. For methods of more stages tell the steps to a `Ledger`. One loop in one `with`;
    the batch stays the same.

    Args:
        module: a network that predicts the velocity, called with x and t. It runs unchanged.
        meters: `{name: EnergyMeter}`.
        zero: what its time 0 is; where it is data its velocity is dx/ds with s = 1 - t.
        x, t: which argument each is, by its place or its keyword.
        scale: what its times are multiplied by, such as 1000.
    Yields:
        A meter; its `energy` is `{column: (n,)}` after the `with`.
    Raises:
        OptionError: a time out of range, or several times in one call.
        ShapeError: the module answered with something else than a velocity of x's shape.
    """
    if zero not in ("noise", "data"):
        raise OptionError(f"'zero' must be 'noise' or 'data': {zero!r}")
    meter = LoopMeter(meters)

    def look(_: nn.Module, args: tuple[Any, ...], keywords: dict[str, Any], answer: Any) -> None:
        state, times = (_argument(type(module).__name__, each, args, keywords) for each in (x, t))
        if not isinstance(answer, Tensor) or answer.shape != state.shape:
            got = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
            raise ShapeError(f"{type(module).__name__} answered x of shape {tuple(state.shape)} with {got}")
        s = _unit(times.double() / scale, scale)
        meter.look(s, state, answer) if zero == "noise" else meter.look(1 - s, state, -answer)

    handle = module.register_forward_hook(look, with_kwargs=True)
    try:
        yield meter
    finally:
        handle.remove()
    meter.finish()
