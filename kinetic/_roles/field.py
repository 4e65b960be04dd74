"""The abstract velocity field, and a field shaped by a schedule."""

from __future__ import annotations

import abc
from typing import final

import attrs
import torch

from kinetic import options
from kinetic._roles.batch import Batch
from kinetic._roles.component import Component
from kinetic._roles.parts import applied, gains, tell, told
from kinetic._roles.schedule import Schedule
from kinetic.types import PerSample, State


@attrs.frozen(eq=False)
class VelocityField(Component):
    """dx/dt = v(x, t), with t = 0 noise and t = 1 data. Convert other conventions here, once.

    A field owes a finite answer for every t in [0, 1]. One that is singular somewhere (the closed-form field at
    t = 1) guards itself; solvers do not step round it.
    """

    @property
    @abc.abstractmethod
    def event_shape(self) -> torch.Size:
        """Shape of one sample, and of the noise to draw."""

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Times in (0, 1) where the field is not smooth; adaptive solvers step onto them. Most have none."""
        return ()

    @property
    def t_end(self) -> float:
        """The time whose noise its samples still have when they arrive: 1, or less for a field that stops short.

        Such a field gives no velocity behind that time, but one at it: by one more step from there samples are
        denoised, so that scores can tell noise from an outcome.
        """
        return 1.0

    @property
    def time_map(self) -> str:
        """How the time and state of a model behind the field go with kinetic's, for the provenance; mostly nothing."""
        return ""

    def start(self, z: State, batch: Batch | None = None) -> State:
        """x0, where the path of a sample begins, of its noise z ~ N(0, I); z itself by default.

        A field whose noise is scaled gives T z. Energies, norms and the noise that a sample is put back to are of x0.

        Args:
            z: `(m, *event)`, standard normal.
            batch: who they are, as of `velocity`.
        Returns:
            `(m, *event)`, of z's dtype and on its device, each row from its own alone.
        """
        return z

    def seen(self, x: State) -> State:
        """What metrics and the report see of samples x; x itself by default, images where x are latents.

        Args:
            x: `(m, *event)`, samples as they were moved.
        Returns:
            `(m, ...)`, one for each, on x's device. Energies stay those of x.
        """
        return x

    @abc.abstractmethod
    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        """Velocity of each sample.

        Args:
            x: `(m, *event)`, where the samples are.
            t: `(m,)`, their times in [0, 1], of x's dtype (float32 where x is of lower precision).
            batch: who they are (ids, condition), or None for unconditional samples.
        Returns:
            `(m, *event)`, of x's dtype and on its device, in data units per unit time.
        """


@attrs.frozen(eq=False)
class FieldWrapper(VelocityField):
    """Another field but for its velocity: its shape, its breakpoints, where it begins, stops and how it is seen.

    A field that changes another one subclasses it and states its velocity alone.
    """

    field: VelocityField = options.component(VelocityField, doc="the field to change")

    @property
    def event_shape(self) -> torch.Size:
        return self.field.event_shape

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return self.field.breakpoints

    @property
    def t_end(self) -> float:
        return self.field.t_end

    def start(self, z: State, batch: Batch | None = None) -> State:
        return self.field.start(z, batch)

    def seen(self, x: State) -> State:
        return self.field.seen(x)


@final
@attrs.frozen(eq=False)
class Shaped(FieldWrapper):
    """A field times the gain of a schedule: v <- gain(t, x, v) v. The field still sees the unscaled t and x."""

    schedule: Schedule = options.component(Schedule, doc="its gain")

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return tuple(sorted({*self.field.breakpoints, *self.schedule.breakpoints}))

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        v = self.field.velocity(x, t, batch)
        gain = self.schedule.gain(t, x, v)
        shaped = v * gain.to(v.dtype).view(-1, *[1] * (v.dim() - 1))
        if self.schedule.adaptive:
            shaped = applied(shaped, self.schedule, gain)
        for schedule, inner in gains(v).items():
            shaped = applied(shaped, schedule, inner)
        parts = told(v)
        return tell(shaped, {name: gain.double() ** 2 * part for name, part in parts.items()}) if parts else shaped
