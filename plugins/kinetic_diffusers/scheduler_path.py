"""The calls of one scheduler's `step`, entered as steps of a path."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import attrs
import torch
from torch import Tensor

import kinetic
from kinetic import PathMeter
from kinetic.errors import OptionError
from kinetic_diffusers.allowed import Kind
from kinetic_diffusers.guidance_parts import MEANS, PARTS, GuidanceParts

_ROUNDING = 1e-6  # of a noise level
_CLOCK = 1e-5  # of the unit time: what timesteps of float32 round


@attrs.define(eq=False)
class Call:
    """One call of `step`: at time t, from x, with the velocity v, and what of its guidance is averaged."""

    t: float
    x: Tensor
    v: Tensor
    means: Mapping[str, Tensor]


class SchedulerPath:
    """The paths of one scheduler, one after the other: each `set_timesteps` begins a new one.

    Time is t = 1 - sigma, sigma where the scheduler has its noise levels inverted, and v = dx/dt.

    Args:
        scheduler: the scheduler.
        kind: how its steps are weighed.
        meter: where they are entered.
        parts: the guidance parts of its velocities, or None.
    """

    def __init__(self, scheduler: Any, kind: Kind, meter: PathMeter, parts: GuidanceParts | None) -> None:
        self.scheduler, self.kind, self.meter, self.parts = scheduler, kind, meter, parts
        self.inverted = bool(scheduler.config.get("invert_sigmas", False))
        self.sigmas: list[float] = []
        self.first: Call | None = None

    def before(self, arguments: dict[str, Any]) -> Call:
        """Look at the arguments of a call, and put the gain of the schedule on its velocity, in place."""
        _refuse(type(self.scheduler).__name__, arguments)
        answer, x = arguments["model_output"], arguments["sample"]
        index = self._index(arguments["timestep"])
        if self.scheduler.step_index is None:
            self._begin(index, x)
        t = self._time(self.sigmas[index])
        if self.first is None and abs(t - self.path.t) > _ROUNDING:
            raise OptionError(
                f"{type(self.scheduler).__name__} steps from t = {t:.6g}, and its last step led to t = "
                f"{self.path.t:.6g}: steps that are repeated or left out are no path, and cannot be weighed"
            )
        velocity = self._velocity(answer)
        gain = self.meter.shaping.at(t, x, velocity)
        arguments["model_output"] = shaped = self.meter.shaping.times(answer, gain)
        if answer.dtype in (torch.bfloat16, torch.float16) and shaped is not answer:
            self.meter.remark(
                f"The gain of the schedule is rounded to {answer.dtype}, as are the states: what a weak schedule moves "
                "is less than these roundings. Compare in float32."
            )
        v, means = self._velocity(shaped).detach(), dict[str, Tensor]()
        if self.parts is not None:
            numbers = self.parts.take(answer, combined=self.kind.stages == "mean")
            square = 1.0 if gain is None else gain.double().square()
            kinetic.tell(v, {name: numbers[name] * square for name in PARTS})
            means = {name: numbers[name] for name in MEANS}
        return Call(t, x.detach().clone(), v, means)

    def after(self, call: Call, x1: Tensor) -> None:
        """Enter a call by where it led."""
        index = self.scheduler.step_index - 1
        if self.kind.stages == "pair":
            self._enter_of_pair(call, x1, index)
            return
        t1 = self._time(self.sigmas[index + 1])
        v = call.v if self.kind.stages == "one" or t1 == call.t else (x1 - call.x).to(torch.float32) / (t1 - call.t)
        self._add(t1, call, x1, [(call.t, v.to(x1.device), 1.0)])
        self._average(call, t1 - call.t)

    def close(self) -> None:
        """Enter the Euler step of a pair that was left in the middle."""
        if self.first is not None:
            first, self.first = self.first, None
            self._add(self.next_t, first, self.predicted, [(first.t, first.v, 1.0)])

    def _enter_of_pair(self, call: Call, x1: Tensor, index: int) -> None:
        if self.first is None:
            t1, last = self._time(self.sigmas[index + 1]), index + 2 == len(self.sigmas)
            if last:  # to sigma = 0 it steps as Euler does
                self._add(t1, call, x1, [(call.t, call.v, 1.0)])
            else:
                self.first, self.next_t, self.predicted = call, t1, x1.detach().clone()
            self._average(call, (t1 - call.t) * (1.0 if last else 0.5))
            return
        first, self.first = self.first, None
        t1 = self._time(self.sigmas[index])
        edited = self.path.apart(first.x)
        moved = (self.predicted.to(call.x.dtype) != call.x).flatten(1).any(1)
        self.path.add(t1, first.x, x1, [(first.t, first.v, 0.5), (t1, call.v, 0.5)], edited | moved)
        self._average(call, 0.5 * (t1 - first.t))

    def _average(self, call: Call, dt: float) -> None:
        for name, value in call.means.items():
            before = self.path.more.get(name, torch.zeros_like(self.path.edits))
            self.path.more[name] = before + value * (dt / self.duration)

    def _add(self, t1: float, call: Call, x1: Tensor, stages: Any) -> None:
        self.path.add(t1, call.x, x1, stages)

    def _begin(self, index: int, x: Tensor) -> None:
        self.close()
        self.sigmas = self.scheduler.sigmas.double().tolist()
        ahead = self.sigmas[index:]
        name = type(self.scheduler).__name__
        if max(ahead) > 1 + _ROUNDING or min(ahead) < -_ROUNDING:
            raise OptionError(
                f"{name} has noise levels up to sigma = {max(ahead):.4g}: a flow from noise to data has them in [0, 1]"
                "\n  Its states x are no points between noise and data; x / (1 + sigma) at t = 1 / (1 + sigma) are."
            )
        times = [self._time(sigma) for sigma in ahead]
        if any(b < a for a, b in itertools.pairwise(times)):
            raise OptionError(
                f"{name} has noise levels that do not fall from step to step: paths from noise to data can be weighed "
                f"alone, not {[round(sigma, 4) for sigma in ahead]}"
            )
        self.path = self.meter.begin(x, times[0])
        self.path.more["clock_off"] = torch.full_like(self.path.edits, self._clock_off(index))
        self.duration = times[-1] - times[0]

    def _index(self, timestep: Any) -> int:
        for index in (self.scheduler.step_index, self.scheduler.begin_index):
            if index is not None:
                return int(index)
        if isinstance(timestep, Tensor):
            timestep = timestep.to(self.scheduler.timesteps.device)
        return int(self.scheduler.index_for_timestep(timestep))

    def _time(self, sigma: float) -> float:
        return min(max(sigma if self.inverted else 1 - sigma, 0.0), 1.0)

    def _velocity(self, answer: Tensor) -> Tensor:
        return answer if self.inverted else -answer

    def _clock_off(self, index: int) -> float:
        """How far the times that name the steps, which networks are told, are from those of the noise levels."""
        told = self.scheduler.timesteps[index:].double().tolist()
        scale = self.scheduler.config.num_train_timesteps
        off = max(abs(t / scale - sigma) for t, sigma in zip(told, self.sigmas[index:], strict=False))
        if off > _CLOCK:
            self.meter.remark(
                f"{type(self.scheduler).__name__} names its steps by times up to {off:.2g} from those of its noise "
                "levels (clock_off): the network is told these, and energies are over the noise levels."
            )
        return off


def _refuse(name: str, arguments: Mapping[str, Any]) -> None:
    if arguments.get("per_token_timesteps") is not None:
        raise OptionError(
            f"{name} was called with per_token_timesteps: parts of one sample at different times have no common path, "
            "and cannot be weighed"
        )
    if arguments.get("s_churn") and name == "FlowMatchHeunDiscreteScheduler":
        raise OptionError(
            f"{name} was called with s_churn = {arguments['s_churn']}: stochastic paths cannot be weighed"
        )
