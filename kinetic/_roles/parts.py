"""What a velocity was made of: numbers that a field tells of it, and a meter asks."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from kinetic._roles.schedule import Schedule
from kinetic.types import PerSample, State

_NAME, _GAINS = "kinetic_parts", "kinetic_gains"


def tell(v: State, parts: Mapping[str, PerSample]) -> State:
    """v itself, with what it was made of: `{name: (m,)}`, squares of velocities, which a gain g multiplies by g^2.

    A field tells it where its batch says that somebody listens (`Batch.listening`). It goes with this very tensor: a
    solver that hands it on as the `v` of a `Stage` hands it on too, one that makes another tensor of it does not.
    """
    setattr(v, _NAME, dict(parts))
    return v


def told(v: State) -> Mapping[str, PerSample]:
    """What was told of a velocity; nothing where nothing was."""
    parts: Mapping[str, Tensor] = getattr(v, _NAME, {})
    return parts


def applied(v: State, schedule: Schedule, gain: PerSample) -> State:
    """v itself, after it was multiplied by the gain `(m,)` of a schedule, with that gain; it goes with this tensor."""
    setattr(v, _GAINS, {**getattr(v, _GAINS, {}), schedule: gain})
    return v


def gains(v: State) -> Mapping[Schedule, PerSample]:
    """The gains a velocity was multiplied by, as far as they came along with it."""
    known: Mapping[Schedule, Tensor] = getattr(v, _GAINS, {})
    return known
