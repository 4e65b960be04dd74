"""The accounts of one batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from kinetic._roles.meter import EnergyMeter
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Stage, Step
from kinetic.types import Rows, State, is_all


class Accounts:
    """What the meters add, the mean gain, and how far each sample is."""

    def __init__(self, meters: Mapping[str, EnergyMeter], n: int, device: torch.device) -> None:
        self.meters = meters
        self.sums: dict[str, dict[str, Tensor]] = {name: {} for name in meters}
        self.zeros = torch.zeros(n, dtype=torch.float64, device=device)
        self.gain, self.clock = self.zeros, self.zeros

    def start(self, x0: State) -> None:
        """Give every meter its accounts, even where no sample has made a step."""
        t = self.zeros[:0]
        for name in [name for name, sums in self.sums.items() if not sums]:
            nothing = Step(t.long(), t, t, x0[:0], x0[:0], (Stage(t, x0[:0], 1.0),))
            for account, add in self.meters[name].adds(nothing).items():
                self.sums[name][account] = self.zeros.new_zeros(len(self.zeros), *add.shape[1:])

    def add(self, step: Step, schedule: Schedule | None) -> None:
        everyone = is_all(step.rows)
        for name, meter in self.meters.items():
            sums = self.sums[name]
            for account, add in meter.adds(step).items():
                if account not in sums:
                    sums[account] = self.zeros.new_zeros(len(self.zeros), *add.shape[1:])
                sums[account] = sums[account] + add if everyone else _added(sums[account], step.rows, add)
        if schedule:
            mean = step.mean(lambda stage: schedule.gain(stage.t, step.x0, stage.v).double())
            self.gain = self.gain + mean * step.dt if everyone else _added(self.gain, step.rows, mean * step.dt)
        self.clock = step.t1 if everyone else self.clock.index_put((step.rows,), step.t1)  # type: ignore[arg-type]


def _added(account: Tensor, rows: Rows, value: Tensor) -> Tensor:
    account = account.clone()
    account[rows] += value.to(account.dtype)
    return account
