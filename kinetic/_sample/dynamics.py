"""What a solver integrates: the field, shaped, asked on behalf of a batch."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from kinetic._roles.batch import Batch
from kinetic._roles.field import Shaped, VelocityField
from kinetic._roles.parts import gains
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Stage
from kinetic.types import PerSample, Rows, State, is_all


@attrs.define(eq=False)
class Dynamics:
    """`velocity(x, t, rows)` of a batch; counts how often it is asked, and knows the gain of what it answered.

    Args:
        field: the field without its gain.
        schedules: what multiplies it.
        batch: who the samples are.
        clock: the dtype of the times the field is asked at.
    """

    field: VelocityField
    schedules: tuple[Schedule, ...]
    batch: Batch
    clock: torch.dtype
    _shaped: VelocityField
    _part: Tensor
    _whole: int = 0

    @classmethod
    def of(
        cls, field: VelocityField, schedule: Schedule | None, batch: Batch, x0: State, listening: bool = False
    ) -> Dynamics:
        """Of a field and a schedule; a field that is `Shaped` is taken apart. `listening` as of `Batch`."""
        shaped = Shaped(field, schedule) if schedule else field
        schedules = [schedule] if schedule else []
        while isinstance(field, Shaped):
            schedules.append(field.schedule)
            field = field.field
        calls = torch.zeros(len(x0), dtype=torch.int64, device=x0.device)
        fresh = Batch(batch.ids, batch.condition, listening=listening)
        return cls(field, tuple(schedules), fresh, clock_dtype(x0.dtype), shaped, calls)

    def __call__(self, x: State, t: PerSample, rows: Rows) -> State:
        t = t if t.dtype == self.clock else t.to(self.clock)
        if is_all(rows):
            self._whole += 1
            return self._shaped.velocity(x, t, self.batch)
        self._part[rows] += 1
        return self._shaped.velocity(x, t, self.batch.take(rows))

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Times in (0, 1) where the velocity is not smooth."""
        return self._shaped.breakpoints

    @property
    def calls(self) -> PerSample:
        """Velocities asked for, sample by sample, int64 `(n,)`."""
        return self._part + self._whole

    @property
    def rows(self) -> PerSample | None:
        """Rows that networks were asked for, int64 `(n,)`, where a field says that they are not one a velocity."""
        more = self.batch.more_rows
        return None if more is None else self.calls + more

    @property
    def may_stop_short(self) -> bool:
        """Whether noise may be left at the end of the path."""
        return bool(self.schedules) or self.field.t_end < 1

    def gain(self, stage: Stage, x: State) -> PerSample:
        """The gain of one velocity of a step from x, float64 `(m,)`: 0 behind the end of a field that stops short."""
        gain = torch.ones_like(stage.t)
        if self.field.t_end < 1:
            gain = (stage.t.to(self.clock) <= self.field.t_end).double()  # as the field saw the time
        known = gains(stage.v)
        for schedule in self.schedules:
            own = known[schedule] if schedule in known else schedule.gain(stage.t, x, stage.v)
            gain = gain * own.double()
        return gain


def clock_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype of the times a field is asked at: that of the samples, float32 where they are of lower precision."""
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
