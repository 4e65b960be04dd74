"""Paths of a loop of one's own, weighed by watching the network it asks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from kinetic import options
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.parts import applied
from kinetic._roles.schedule import Schedule
from kinetic._sample.foreign_path import ForeignPath
from kinetic._sample.path_meter import PathMeter
from kinetic.errors import OptionError, ShapeError, shown
from kinetic.types import State

_SAME = 1e-9  # between two times that are one
_OFF = 1e-3  # of the length of an Euler step: how far from its end a state may be
_ROUNDINGS = 8  # of a state, in units of its dtype's precision


@attrs.frozen(eq=False)
class Convention:
    """How a network is asked for a velocity.

    Args:
        x, t: which argument of `forward` the state and the time are, by index or name.
        zero: what is at time 0, "noise" or "data".
        scale: what times of the unit interval are multiplied by: 1000 for a network made for 0 to 1000.
        output: which part of an answer that is a tuple or list; None for a tensor.
    """

    x: int | str
    t: int | str
    zero: str | None = options.choice("noise", "data")
    scale: float = options.number(1.0, above=0)
    output: int | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("x", "t"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | str):
                raise OptionError(f"{name!r} must be the index or the name of an argument: {shown(value)}")
        if self.output is not None:
            options.check_integer("'output'", self.output, at_least=0)

    def time(self, t: float) -> float:
        """The time of ours, 0 at noise and 1 at data, that theirs is."""
        t = t / self.scale
        return t if self.zero == "noise" else 1 - t

    def velocity(self, answer: Tensor) -> Tensor:
        """dx/dt in our time."""
        return answer if self.zero == "noise" else -answer

    def tensor(self, answer: Any) -> Tensor:
        """What of an answer is the velocity in their time."""
        part = answer
        if self.output is not None:
            several = isinstance(answer, tuple | list) and self.output < len(answer)
            part = answer[self.output] if several else None
        if not isinstance(part, Tensor):
            raise ShapeError(
                f"the network answered with {type(answer).__name__}, of which 'output' = {self.output} is no tensor\n"
                "  Give output=INDEX for one that answers with a tuple, and none for a tensor; for other answers call "
                "meter.add by hand."
            )
        return part

    def answer(self, answer: Any, part: Tensor) -> Any:
        """The answer with another velocity in it."""
        if self.output is None:
            return part
        parts = [part if i == self.output else each for i, each in enumerate(answer)]
        return type(answer)(*parts) if hasattr(answer, "_fields") else type(answer)(parts)


@contextmanager
def metered(
    module: nn.Module | None = None,
    meters: Mapping[str, EnergyMeter] = MappingProxyType({}),
    *,
    schedule: Schedule | None = None,
    zero: str | None = None,
    x: int | str = 0,
    t: int | str = 1,
    scale: float = 1.0,
    output: int | None = None,
    t_end: float = 1.0,
) -> Iterator[PathMeter]:
    """Weigh the paths of an Euler loop as it stands: `with kinetic.metered(net, meters=...) as meter:` around it.

    A call of the network at (x_i, t_i) and the next, at (x_j, t_j), are one step, with the velocity of the first; the
    step from the last call leads to `t_end`. A call at an earlier time begins a new path. So the energies of loops
    x += (t_j - t_i) v are exact, those of other loops a left-rectangle rule, which `edits` counts and `notes` says.
    Loops of another method say their steps themselves, `module` is None then: see `PathMeter.add`.

    Args:
        module: the network, asked for the velocity that the loop goes by: with guidance and all.
        meters: `{name: EnergyMeter}`.
        schedule: a gain that the network's answers are multiplied by, or None.
        zero: what is at its time 0, "noise" or "data"; to be said, since nothing is guessed.
        x, t, scale, output: how else it is asked: which arguments of `forward` state and time are, what times of the
            unit interval are multiplied by, which part of an answer that is a tuple is the velocity.
        t_end: where the loop ends, in (0, 1].
    Raises:
        OptionError: a value out of range, a module that is metered already, a network asked twice at one time.
        ShapeError: an answer, or a time, of another shape than the samples ask for.
    """
    if isinstance(t_end, bool) or not isinstance(t_end, int | float) or not 0 < t_end <= 1:
        raise OptionError(f"'t_end' must be a number > 0 and <= 1: {shown(t_end)}")
    meter = PathMeter(meters, schedule)
    if module is None:
        try:
            yield meter
        finally:
            meter.close()
        return
    convention = Convention(x=x, t=t, zero=zero, scale=scale, output=output)
    watch = _Watch(module, convention, meter, t_end)
    handle = watch.attach()
    try:
        yield meter
        with torch.no_grad():
            watch.finish()
    finally:
        handle.remove()
        meter.close()


@attrs.define(eq=False)
class _Watch:
    """A forward hook that takes each call for the beginning of a step."""

    module: nn.Module
    convention: Convention
    meter: PathMeter
    t_end: float
    path: ForeignPath | None = None
    x: State | None = None
    v: State | None = None

    def attach(self) -> Any:
        if not isinstance(self.module, nn.Module):
            raise OptionError(
                f"'module' must be an nn.Module, whose calls can be watched: {shown(self.module)}\n"
                "  Around a loop that asks a plain function, leave it out and call meter.add(t0, t1, x0, x1, v)."
            )
        if any(isinstance(hook, _Watch) for hook in self.module._forward_hooks.values()):
            raise OptionError(f"this {type(self.module).__name__} is metered already: one `with` at a time")
        return self.module.register_forward_hook(self, with_kwargs=True)

    def __call__(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], answer: Any) -> Any:
        with torch.no_grad():
            x = self._argument(self.convention.x, args, kwargs)
            time = self._time(self._argument(self.convention.t, args, kwargs), x)
            part = self.convention.tensor(answer)
            self._arrive(time, x)
            if part.shape != x.shape:
                raise ShapeError(f"a velocity of shape {tuple(part.shape)} for samples of shape {tuple(x.shape)}")
        gain = self.meter.shaping.at(time, x, self.convention.velocity(part))
        shaped = self.meter.shaping.times(part, gain)
        self.x, self.v = x.detach().clone(), self.convention.velocity(shaped).detach().clone()
        schedule = self.meter.shaping.schedule
        if gain is not None and schedule is not None and schedule.adaptive:
            applied(self.v, schedule, gain)
        return answer if shaped is part else self.convention.answer(answer, shaped)

    def finish(self) -> None:
        """The step from the last call."""
        if self.path is not None and self.x is not None and self.v is not None and self.path.t < self.t_end:
            self._step(self.t_end, self.x + self.v * (self.t_end - self.path.t), on_rule=True)
        self.path = None

    def _arrive(self, time: float, x: State) -> None:
        path = self.path
        if path is not None and x.shape == path.x.shape and abs(time - path.t) < _SAME:
            raise OptionError(
                f"the network was asked twice at t = {time:.6g}: this loop has several calls a step, which calls alone "
                "do not tell apart\n  Watch the module that joins them, or say the steps: leave 'module' out and call "
                "meter.add(t0, t1, x0, x1, v)."
            )
        if path is not None and x.shape == path.x.shape and time > path.t:
            self._step(time, x)
        else:
            if path is not None and x.shape == path.x.shape and path.t == path.start > time:
                self.meter.remark(
                    "The network is asked at falling times, and each call counts as a path of its own: it looks as if "
                    f"zero = {self.convention.zero!r} were the other way round."
                )
            self.finish()
            self.path = self.meter.begin(x, time)

    def _step(self, t1: float, x1: State, on_rule: bool = False) -> None:
        path, x0, v = self.path, self.x, self.v
        assert path is not None
        assert x0 is not None
        assert v is not None
        edited = torch.zeros_like(path.edits, dtype=torch.bool) if on_rule else _off(x0, x1, v, t1 - path.t)
        if bool(edited.any()):
            self.meter.remark(
                "The loop does not move by dt v from call to call (edits): these energies are a left-rectangle rule. "
                "For exact ones say the steps: meter.add(t0, t1, x0, x1, v)."
            )
        path.add(t1, x0, x1, [(path.t, v, 1.0)], edited)

    def _argument(self, which: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        forward: Callable[..., Any] = self.module.forward
        if isinstance(which, int):
            given = dict(enumerate(args))
            named: Mapping[Any, Any] = given
        else:
            named = inspect.signature(forward).bind(*args, **kwargs).arguments
            named = {**named, **named.get("kwargs", {}), **kwargs}
        if which not in named:
            raise OptionError(
                f"{type(self.module).__name__} was called without the argument {which!r}, which should be its state or "
                f"its time: {len(args)} by position, {', '.join(kwargs) or 'none'} by name"
            )
        return named[which]

    def _time(self, t: Any, x: Any) -> float:
        if not isinstance(x, Tensor) or x.dim() < 1:
            raise OptionError(f"the argument x = {self.convention.x!r} holds {type(x).__name__}, not a batch of states")
        times = torch.as_tensor(t, dtype=torch.float64).flatten()
        if times.numel() not in (1, len(x)) or not bool((times == times[0]).all()):
            raise ShapeError(
                f"the argument t = {self.convention.t!r} has the shape {tuple(torch.as_tensor(t).shape)} for {len(x)} "
                "samples: one time for all of them can be weighed"
            )
        time = self.convention.time(float(times[0]))
        if not -_OFF <= time <= 1 + _OFF:
            raise OptionError(
                f"the network was asked at t = {float(times[0]):.6g}, which is {time:.4g} by zero = "
                f"{self.convention.zero!r} and scale = {self.convention.scale:g}: times run from 0 to 1"
            )
        return min(max(time, 0.0), 1.0)


def _off(x0: State, x1: State, v: State, dt: float) -> Tensor:
    """Which samples are not where an Euler step leads, bool `(n,)`."""
    eps = max(torch.finfo(each.dtype).eps for each in (x0, v))
    x0, x1, v = (each.detach().double().flatten(1) for each in (x0, x1, v))
    allowed = _OFF * dt * v.norm(dim=1) + _ROUNDINGS * eps * x1.norm(dim=1)
    return (x1 - x0 - dt * v).norm(dim=1) > allowed
