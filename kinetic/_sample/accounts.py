"""The accounts of one batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from kinetic._roles.meter import EnergyMeter
from kinetic._roles.solver import Stage, Step
from kinetic.errors import ShapeError
from kinetic.types import PerSample, Rows, State, is_all


class Shaping(Protocol):
    """What is known of the gain of a motion."""

    @property
    def may_stop_short(self) -> bool:
        """Whether noise may be left at the end of the path."""

    def gain(self, stage: Stage, x: State) -> PerSample:
        """The gain of one velocity of a step from x, float64 `(m,)`."""


class Accounts:
    """What the meters add, the mean gain, and how far each sample is.

    Args:
        meters: `{name: EnergyMeter}`.
        dynamics: what multiplies the velocity.
        x0: `(n, *event)`, where the samples begin.
        start: the time at which they do; the noise they have then is that of this time.
    """

    def __init__(self, meters: Mapping[str, EnergyMeter], dynamics: Shaping, x0: State, start: float = 0.0) -> None:
        self.meters, self.dynamics, self.x0 = meters, dynamics, x0
        self.sums: dict[str, dict[str, Tensor]] = {name: {} for name in meters}
        self.zeros = torch.zeros(len(x0), dtype=torch.float64, device=x0.device)
        self.shaped = self.clock = self.zeros + start

    @property
    def gain(self) -> Tensor:
        """I = int gain dt up to where each sample is, float64 `(n,)`: the time whose noise it has."""
        return self.shaped if self.dynamics.may_stop_short else self.clock

    def add(self, step: Step) -> None:
        """Enter one step."""
        everyone, m = is_all(step.rows), step.x0.shape[0]
        for name, meter in self.meters.items():
            sums = self.sums[name]
            for account, add in meter.adds(step).items():
                if add.shape[:1] != (m,):
                    raise ShapeError(f"meter {name!r} adds {tuple(add.shape)} to {account!r} for {m} samples")
                if account not in sums:
                    sums[account] = self.zeros.new_zeros(len(self.zeros), *add.shape[1:])
                sums[account] = sums[account] + add if everyone else _added(sums[account], step.rows, add)
        if self.dynamics.may_stop_short:
            gained = step.mean(lambda stage: self.dynamics.gain(stage, step.x0)) * step.dt
            self.shaped = self.shaped + gained if everyone else _added(self.shaped, step.rows, gained)
        self.clock = step.t1 if everyone else self.clock.index_put((step.rows,), step.t1)  # type: ignore[arg-type]

    def columns(self, x1: State, duration: PerSample | None = None) -> dict[str, Mapping[str, Tensor]]:
        """What each meter makes of its accounts, also where no sample has made a step.

        `duration` as of `EnergyMeter.columns_over`; None for whole paths.
        """
        t = self.zeros[:0]
        for name in [name for name, sums in self.sums.items() if not sums]:
            nothing = Step(t.long(), t, t, self.x0[:0], self.x0[:0], (Stage(t, self.x0[:0], 1.0),))
            for account, add in self.meters[name].adds(nothing).items():
                self.sums[name][account] = self.zeros.new_zeros(len(self.zeros), *add.shape[1:])
        if duration is None:
            return {name: meter.columns(self.sums[name], self.x0, x1) for name, meter in self.meters.items()}
        return {name: meter.columns_over(self.sums[name], self.x0, x1, duration) for name, meter in self.meters.items()}


def _added(account: Tensor, rows: Rows, value: Tensor) -> Tensor:
    account = account.clone()
    account[rows] += value.to(account.dtype)
    return account
