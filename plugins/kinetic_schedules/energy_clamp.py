"""A gain that holds the power of each sample in a band."""

from __future__ import annotations

import tomllib
from typing import Any, ClassVar, final

import attrs
import torch
from torch import Tensor

from kinetic import Schedule, options
from kinetic.errors import OptionError
from kinetic.precision import norms
from kinetic.types import PerSample, State


def _listed() -> Any:
    """A list of powers, kept as a tuple, or nothing."""
    return attrs.field(
        default=None,
        converter=lambda value: tuple(value) if isinstance(value, list) else value,
        metadata={options.BOUND: "a list of numbers >= 0, or nothing"},
    )


@final
@attrs.frozen(eq=False)
class EnergyClamp(Schedule):
    """The gain that brings the power P = 1/2 ||v||^2 of each sample into the band [low(t), high(t)]; 1 inside it.

    gain = sqrt(clamp(P, low, high) / P), at most `most`. Each of the k numbers of a band is of one of k equal intervals
    of time and holds at its middle; between middles the band is a straight line, beyond the last ones it stays.

    The band is data: numbers in the recipe, or a file that `python -m kinetic_schedules.band RUN ARM` writes, the
    quantiles of `power` over the samples of an arm that ran with the meter `power`. A sample that is slowed keeps
    noise, one that is hastened overshoots: read its `gain`.

    Args:
        low: the band's lower edge, in squared data units per unit time, one number or more.
        high: the upper edge, as many numbers.
        path: a TOML file with the keys `low` and `high`, in place of both.
    """

    adaptive: ClassVar[bool] = True
    low: tuple[float, ...] | None = _listed()
    high: tuple[float, ...] | None = _listed()
    path: str | None = options.text(None)
    most: float = options.number(2.0, at_least=1, doc="the largest gain")
    _band: Tensor = attrs.field(init=False, repr=False)  # a tensor, so that its hash is kept with the run

    def __attrs_post_init__(self) -> None:
        given = (self.low is None) + (self.high is None)
        if given == 1 or (given == 0) == (self.path is not None):
            raise OptionError("it needs the options 'low' and 'high', two lists, or 'path', a file of both")
        edges = {"low": self.low, "high": self.high} if self.path is None else _from_file(self.path)
        low, high = (_numbers(edges[name], name) for name in ("low", "high"))
        if len(low) != len(high):
            raise OptionError(f"'low' and 'high' must hold as many numbers: {len(low)} and {len(high)}")
        if any(a > b for a, b in zip(low, high, strict=True)):
            raise OptionError("'low' must nowhere be above 'high'")
        object.__setattr__(self, "_band", torch.tensor([low, high], dtype=torch.float64))

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return ()

    def gain(self, t: PerSample, x: State, v: State) -> PerSample:
        power = 0.5 * norms(v).square()
        low, high = self.band(t)
        wanted = torch.minimum(torch.maximum(power, low), high)
        gain = (wanted / power.clamp_min(torch.finfo(torch.float64).tiny)).sqrt().clamp_max(self.most)
        return torch.where(power > 0, gain, 1.0).to(t.dtype)

    def band(self, t: PerSample) -> Tensor:
        """The lower and the upper edge at times t `(m,)`, float64 `(2, m)`."""
        edges = self._band.to(t.device)
        last = edges.shape[1] - 1
        at = (t.double() * (last + 1) - 0.5).clamp(0, last)
        i = at.floor().long()
        return torch.lerp(edges[:, i], edges[:, (i + 1).clamp_max(last)], at - i)


def _numbers(values: Any, name: str) -> list[float]:
    right = isinstance(values, list | tuple) and len(values) > 0
    for value in values if right else ():
        right &= isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < torch.inf
    if not right:
        raise OptionError(f"{name!r} must be a list of numbers >= 0, one or more: {values!r}")
    return [float(value) for value in values]


def _from_file(location: str) -> dict[str, Any]:
    remedy = "`python -m kinetic_schedules.band RUN ARM -o FILE` writes one; `path` is relative to where you run."
    path = options.existing_file(location, what="a file of a band", remedy=remedy)
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"{path} cannot be read as a file of a band: {error}") from error
    if missing := [name for name in ("low", "high") if name not in held]:
        raise OptionError(f"{path} holds no key {missing[0]!r}: {', '.join(held) or 'it is empty'}")
    return held
