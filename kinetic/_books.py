"""The accounts of one batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from kinetic._meter import EnergyMeter
from kinetic._schedule import Schedule
from kinetic._solver import Step
from kinetic.errors import NonFiniteError
from kinetic.types import Rows, State, is_all


class Books:
    """What the meters add, the mean gain, and when something stopped being finite."""

    def __init__(self, meters: Mapping[str, EnergyMeter], n: int, device: torch.device) -> None:
        self.meters = meters
        self.sums: dict[str, dict[str, Tensor]] = {name: {} for name in meters}
        self.zeros = torch.zeros(n, dtype=torch.float64, device=device)
        self.gain = self.zeros.clone()
        self.until = self.zeros.clone()  # up to when each sample's energy was finite

    def enter(self, step: Step, schedule: Schedule | None) -> None:
        for name, meter in self.meters.items():
            for account, add in meter.adds(step).items():
                sums = self.sums[name]
                if account not in sums:
                    sums[account] = self.zeros.new_zeros(len(self.zeros), *add.shape[1:])
                _add(sums[account], step.rows, add)
        if schedule:
            mean = step.mean(lambda stage: schedule.gain(stage.t, step.x0, stage.v).double())
            _add(self.gain, step.rows, mean * step.dt)
        _add(self.until, step.rows, torch.where(step.energy.isfinite(), step.dt, 0.0))

    def check(self, x: State, ids: Tensor, stopped: Tensor | None = None) -> None:
        short = self.until < 1 - 1e-9
        bad = ~torch.isfinite(x.flatten(1)).all(1) | (short if stopped is None else short & ~stopped)
        if bool(bad.any()):
            raise NonFiniteError(ids[bad].tolist(), float(self.until[bad].min()))


def _add(account: Tensor, rows: Rows, value: Tensor) -> None:
    if is_all(rows):
        account += value
    else:
        account[rows] += value.to(account.dtype)
