"""Classifier-free guidance."""

from __future__ import annotations

from typing import final

import attrs
import torch

from kinetic import Batch, FieldWrapper, VelocityField, options
from kinetic.errors import OptionError
from kinetic.types import PerSample, State
from kinetic_fields.guidance import combined

_TINY = 1e-8  # as CFG-Zero* has it


@final
@attrs.frozen(eq=False)
class Guided(FieldWrapper):
    """Classifier-free guidance, v = v_u + scale (v_c - v_u), of a field that answers with and without a condition.

    scale = 1 is the conditional field, 0 the unconditional one; each velocity costs two of the field's: the column
    `rows`. Energies are those of the guided velocity, the one travelled; the meter `guidance` tells its parts.

    `interval`: from `start_t` to `stop_t` alone, elsewhere v = v_c, at the cost of one; the meter `guidance` counts v_c
    as v_u there.
    `rescale`: v <- phi v std(v_c) / std(v) + (1 - phi) v, std over the elements of a sample.
    `zero_star`: v_u is first scaled to s* v_u, s* = <v_c, v_u> / (||v_u||^2 + 1e-8) of each sample, and v = 0 before
    `zero_until`, which CFG-Zero* sets to the end of its first step. The field is asked there all the same, and the
    noise it then leaves is left: as published, samples stand at x0 when they set off at `zero_until`.
    `channels`: only the first ones are guided, the others are v_c (SiT guides 3 of 4).

    Raises:
        OptionError: samples without a condition: there is nothing to guide to.

    Source: Ho & Salimans, arXiv 2207.12598; interval: Kynkaanniemi et al., arXiv 2404.07724; rescale: Lin et al., arXiv
    2305.08891; CFG-Zero*: Fan et al., arXiv 2503.18886.
    """

    field: VelocityField = options.component(VelocityField, doc="the field to guide")
    scale: float = options.number(1.5, doc="strength of the guidance")
    start_t: float = options.number(0.0, at_least=0, below=1, doc="when guidance begins")
    stop_t: float = options.number(1.0, above=0, at_most=1, doc="when it ends; at 1 it does not")
    rescale: float = options.number(0.0, at_least=0, at_most=1, doc="phi, how far to the spread of v_c")
    zero_star: bool = options.flag(False, doc="scale v_u to fit v_c first")
    zero_until: float = options.number(0.0, at_least=0, below=1, doc="v = 0 before this time")
    channels: int | None = options.integer(None, at_least=1, doc="how many are guided; all of them")

    def __attrs_post_init__(self) -> None:
        if self.start_t >= self.stop_t:
            raise OptionError(f"'start_t' must be before 'stop_t': {self.start_t:g} and {self.stop_t:g}")
        shape = self.field.event_shape
        if self.rescale and shape.numel() < 2:
            raise OptionError(
                f"'rescale' is by the spread over the elements of a sample, of which there is {shape.numel()}"
            )
        if self.channels is not None and (len(shape) < 2 or self.channels > shape[0]):
            raise OptionError(f"'channels' must be at most those of samples of shape {tuple(shape)}: {self.channels}")

    @property
    def breakpoints(self) -> tuple[float, ...]:
        own = {self.start_t, self.stop_t, self.zero_until} - {0.0, 1.0}
        return tuple(sorted({*self.field.breakpoints, *own}))

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        if batch is None or batch.condition is None:
            raise OptionError(
                "guidance needs something to guide to, and the samples are asked for nothing\n  Under [run], "
                "`classes = N` asks sample i for class i mod N; in Python, `Runner.run(..., classes=N)`."
            )
        conditional = self.field.velocity(x, t, batch)
        inside = (t >= self.start_t) & ((t < self.stop_t) | (self.stop_t == 1))
        batch.count(torch.where(inside, 2, 1))
        free = conditional
        if bool(inside.all()):
            free = self.field.velocity(x, t, batch.unconditional())
        elif bool(inside.any()):
            rows, free = inside.nonzero()[:, 0], conditional.clone()
            free[rows] = self.field.velocity(x[rows], t[rows], batch.take(rows).unconditional())
        return self._combined(conditional, free, t, batch.listening)

    def _combined(self, c: State, u: State, t: PerSample, listening: bool) -> State:
        every = (-1, *[1] * (c.dim() - 1))
        if self.zero_star:
            along = (c * u).flatten(1).sum(1) / (u.square().flatten(1).sum(1) + _TINY)
            u = torch.where((u == c).flatten(1).all(1).view(every), u, along.view(every) * u)
        if self.channels is not None:
            u = torch.cat([u[:, : self.channels], c[:, self.channels :]], 1)
        if self.rescale:
            v = torch.lerp(u, c, self.scale)
            spread = c.flatten(1).std(1) / v.flatten(1).std(1).clamp_min(torch.finfo(v.dtype).tiny)
            size = (1 + self.rescale * (spread - 1)).view(every)  # exactly 1 where nothing was guided
            c, u = size * c, size * u
        if self.zero_until:
            moving = (t >= self.zero_until).view(every)
            c, u = (torch.where(moving, each, 0) for each in (c, u))
        return combined(c, u, self.scale, listening)
