"""The path of one batch whose steps another program makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import torch
from torch import Tensor

from kinetic._roles.meter import EnergyMeter
from kinetic._roles.parts import gains
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Stage, Step
from kinetic._sample.accounts import Accounts
from kinetic._sample.dynamics import clock_dtype
from kinetic._sample.integrate import joined
from kinetic.errors import OptionError, ShapeError
from kinetic.types import ALL, PerSample, State

Stages = Sequence[tuple[float, State, float]]
"""`(t, v, weight)` of each velocity of a step, as of `Stage`; the weights sum to 1."""


@attrs.frozen(eq=False)
class Gain:
    """The gain of a schedule, or of none."""

    schedule: Schedule | None

    @property
    def may_stop_short(self) -> bool:
        """Whether noise may be left at the end of the path."""
        return self.schedule is not None

    def gain(self, stage: Stage, x: State) -> PerSample:
        """The gain of one velocity of a step from x, float64 `(m,)`."""
        if self.schedule is None:
            return torch.ones_like(stage.t)
        own = gains(stage.v).get(self.schedule)
        return (self.schedule.gain(stage.t, x, stage.v) if own is None else own).double()

    def at(self, t: float, x: State, v: State) -> PerSample | None:
        """The gain `(n,)` at one time, in float32 or better; None where nothing is multiplied."""
        if self.schedule is None:
            return None
        times = torch.full((len(x),), t, dtype=clock_dtype(x.dtype), device=x.device)
        return self.schedule.gain(times, x, v)

    @staticmethod
    def times(v: State, gain: PerSample | None) -> State:
        """A velocity times its gain, rounded once, to its own dtype; itself where there is none."""
        if gain is None:
            return v
        exact = torch.promote_types(v.dtype, torch.float32)
        return (v.to(exact) * gain.to(exact).view(-1, *[1] * (v.dim() - 1))).to(v.dtype)


class ForeignPath:
    """Accounts of one batch, fed with the steps of a loop that is not ours.

    Args:
        meters: `{name: EnergyMeter}`.
        gain: what multiplied the velocity.
        x0: `(n, *event)`, where the samples begin; it is copied, since loops write into their own state.
        t0: the time at which they do.
    """

    def __init__(self, meters: Mapping[str, EnergyMeter], gain: Gain, x0: State, t0: float) -> None:
        self.start = self.t = t0
        self.x = x0.detach().clone()
        self.accounts = Accounts(meters, gain, self.x, t0)
        self.edits = torch.zeros_like(self.accounts.zeros)
        self.velocities = 0
        self.more: dict[str, Tensor] = {}
        self._closed: dict[str, Tensor] | None = None

    def continues(self, t0: float, x0: State) -> bool:
        """Whether a step from here is the next of this path."""
        return abs(t0 - self.t) < _SAME_TIME and x0.shape == self.x.shape

    def add(self, t1: float, x0: State, x1: State, stages: Stages, edited: Tensor | None = None) -> None:
        """Enter the step from where the samples are in time to t1.

        Args:
            t1: when the step ends; one of length 0 moves the samples and costs nothing.
            x0, x1: `(n, *event)`, from where to where.
            stages: the velocities it was built from.
            edited: bool `(n,)`, which samples something else than the path moved; by default those whose x0 is not
                where the step before has left them.
        Raises:
            ShapeError: x0, x1 or a velocity of another shape than the path began with.
            OptionError: t1 lies before the time reached.
        """
        x0, x1 = x0.detach(), x1.detach()
        for x in (x0, x1, *(v for _, v, _ in stages)):
            if x.shape != self.x.shape:
                raise ShapeError(
                    f"the path began with states of shape {tuple(self.x.shape)}, and a step of it has "
                    f"{tuple(x.shape)}: paths whose states change their shape cannot be weighed"
                )
        if t1 < self.t:
            raise OptionError(f"a step must end after t = {self.t:.6g}, where it begins: {t1:.6g} (t = 1 is data)")
        self.edits = self.edits + (self.apart(x0) if edited is None else edited)
        self.velocities += len(stages)
        if t1 > self.t:
            begin, end = self._at(self.t), self._at(t1)
            made = tuple(Stage(self._at(t), v.detach() if v.requires_grad else v, weight) for t, v, weight in stages)
            self.accounts.add(Step(ALL, begin, end, x0, x1, made, span=(self.t, t1)))
        self.x, self.t = x1.clone(), t1

    def apart(self, x: State) -> Tensor:
        """Which samples are not where the last step left them, nor there rounded to half precision, bool `(n,)`."""
        differ = [
            (self.x.to(rounded).to(x.dtype) != x).flatten(1).any(1)
            for rounded in {x.dtype, torch.bfloat16, torch.float16}
        ]
        return torch.stack(differ).all(0)

    def columns(self) -> dict[str, Tensor]:
        """`{column: (n,) or (n, k)}` float64 on the CPU, of the path so far."""
        if self._closed is not None:
            return self._closed
        zeros, x0 = self.accounts.zeros, self.accounts.x0
        end, time = self.x.double(), self.accounts.clock - self.start
        own = {"t_start": zeros + self.start, "t_end": self.accounts.clock, "edits": self.edits, **self.more}
        joined_by_path = (self.edits == 0).view(-1, *[1] * (end.dim() - 1))
        of_meters = self.accounts.columns(torch.where(joined_by_path, end, torch.nan), time)
        first, last = x0.double().flatten(1), end.flatten(1)
        columns = {"nfe": zeros + self.velocities, **joined("the path", own, of_meters)}
        columns |= {name: columns.pop(name) for name in own}  # behind those of the meters
        columns |= {"x0_sq": first.square().sum(1), "x0_dot_x1": (first * last).sum(1), "x1_sq": last.square().sum(1)}
        columns["gain"] = self.accounts.gain
        return {name: column.double().cpu() for name, column in columns.items()}

    def close(self) -> None:
        """Keep the columns and let go of the states."""
        self._closed = self.columns()
        del self.accounts, self.x

    def _at(self, t: float) -> PerSample:
        return torch.full_like(self.accounts.zeros, t)


_SAME_TIME = 1e-6
