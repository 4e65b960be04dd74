"""One field until a time, another from then on."""

from __future__ import annotations

from typing import final

import attrs
import torch

from kinetic import Batch, VelocityField, options
from kinetic.errors import ShapeError
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class Hybrid(VelocityField):
    """v(x, t) = early(x, t) for t < tau, late(x, t) from tau on. Each sample is asked of one field alone.
    A path begins where `early` says, and ends and is seen as `late` says.

    With the closed-form field early and a net late it tells when the net's own errors matter: where the paths have
    chosen their data point by tau, the net can only land on it.

    Source: the hybrid models of Bertrand et al., On the Closed-Form of Flow Matching, arXiv 2506.03719.
    """

    early: VelocityField = options.component(VelocityField, doc="the field before tau")
    late: VelocityField = options.component(VelocityField, doc="the field from tau on")
    tau: float = options.number(0.3, above=0, below=1, doc="when the second takes over")

    def __attrs_post_init__(self) -> None:
        if self.early.event_shape != self.late.event_shape:
            shapes = tuple(self.early.event_shape), tuple(self.late.event_shape)
            raise ShapeError(f"'early' moves samples of shape {shapes[0]}, 'late' of shape {shapes[1]}")

    @property
    def event_shape(self) -> torch.Size:
        return self.early.event_shape

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return tuple(sorted({*self.early.breakpoints, self.tau, *self.late.breakpoints}))

    @property
    def t_end(self) -> float:
        return self.late.t_end

    def start(self, z: State, batch: Batch | None = None) -> State:
        return self.early.start(z, batch)

    def seen(self, x: State) -> State:
        return self.late.seen(x)

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        late = t >= self.tau
        if bool(late.all()):
            return self.late.velocity(x, t, batch)
        if not bool(late.any()):
            return self.early.velocity(x, t, batch)
        v = torch.empty_like(x)
        for field, chosen in ((self.early, ~late), (self.late, late)):
            rows = chosen.nonzero()[:, 0]
            v[rows] = field.velocity(x[rows], t[rows], None if batch is None else batch.take(rows))
        return v
