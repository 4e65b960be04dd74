"""An unmodified pipeline, weighed by its scheduler's steps."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from kinetic_energy import KPE, GuidanceEnergy
from torch import nn

import kinetic
from kinetic.errors import OptionError
from kinetic_diffusers.allowed import Kind, diffusers, kind_of
from kinetic_diffusers.guidance_parts import GuidanceParts
from kinetic_diffusers.scheduler_path import SchedulerPath

_WATCH = "_kinetic_watch"
_DENOISERS = ("transformer", "unet")
_REST = 1e-3  # of the velocity: what one scale of guidance may leave


@contextmanager
def metered(
    pipe: Any,
    schedule: kinetic.Schedule | None = None,
    meters: Mapping[str, kinetic.EnergyMeter] | None = None,
    parts: bool = False,
) -> Iterator[kinetic.PathMeter]:
    """Weigh what a pipeline of diffusers does, as it stands: a row for each image or video it makes inside the `with`.

        with kinetic_diffusers.metered(pipe) as meter:
            images = pipe(prompt).images
        meter.energy["kpe"]

    The images are the same, bit for bit, unless a schedule shapes the velocity. Energies are integrals over the noise
    levels sigma that the scheduler really has, t = 1 - sigma, of the guided velocity it was given; for schedulers that
    combine velocities (UniPC, DPM++, DEIS), of the mean velocity of each step. Latent units, float64. `clock_off` is
    the largest difference of the time a step is named by and the time of its noise level.

    Args:
        pipe: a pipeline, a modular pipeline, or a scheduler around whose loop the `with` stands.
        schedule: a gain on the guided velocity, before the scheduler's step.
        meters: `{name: EnergyMeter}`; `{"kpe": KPE()}` by default.
        parts: whether to weigh the conditional and unconditional velocities too, see `GuidanceParts`.
    Raises:
        OptionError: a scheduler that is stochastic, or not known to follow a flow's velocity, see `ALLOWED`, or that
            is metered already; noise levels above 1, or times per token, once the pipeline asks for them.
        MissingPackageError: diffusers does not import.
    """
    schedulers = _schedulers(pipe)
    asked = {"kpe": KPE()} if meters is None else meters
    meter = kinetic.PathMeter(_with_parts(asked) if parts else asked, schedule)
    watch = _Watch(meter, GuidanceParts(meter) if parts else None)
    kinds = [kind_of(scheduler) for scheduler in schedulers]
    hooks = _hooks(pipe, watch.parts)
    for scheduler, kind in zip(schedulers, kinds, strict=True):
        watch.swap(scheduler, kind)
    try:
        yield meter
    finally:
        watch.restore()
        for hook in hooks:
            hook.remove()
        with torch.no_grad():
            watch.close()


def _with_parts(meters: Mapping[str, kinetic.EnergyMeter]) -> dict[str, kinetic.EnergyMeter]:
    known = any(isinstance(meter, GuidanceEnergy) for meter in meters.values())
    return {**meters} if known else {**meters, "guidance": GuidanceEnergy()}


class _Watch:
    """The schedulers whose class is swapped for one that enters their steps."""

    def __init__(self, meter: kinetic.PathMeter, parts: GuidanceParts | None) -> None:
        self.meter, self.parts, self.is_open = meter, parts, True
        self.swapped: list[tuple[Any, type]] = []
        self.paths: dict[int, SchedulerPath] = {}

    def swap(self, scheduler: Any, kind: Kind) -> None:
        """Give a scheduler a class of its own, whose copies are watched too."""
        cls = type(scheduler)
        self.swapped.append((scheduler, cls))
        own = {
            "step": self._stepping(cls.step, kind),
            _WATCH: self,
            "__module__": cls.__module__,
            "__doc__": cls.__doc__,
        }
        scheduler.__class__ = type(cls.__name__, (cls,), own)

    def restore(self) -> None:
        """Classes as they were; copies that pipelines made no longer look here."""
        self.is_open = False
        copies = [(path.scheduler, type(path.scheduler).__mro__[1]) for path in self.paths.values()]
        for scheduler, cls in [*copies, *self.swapped]:
            scheduler.__class__ = cls

    def close(self) -> None:
        """Enter what is unfinished."""
        for path in self.paths.values():
            path.close()
        self.meter.close()
        rest = float(self.meter.energy.get("guidance_residual", torch.zeros(1)).nan_to_num().max())
        if rest > _REST:
            self.meter.remark(f"Guidance is more than one scale, which leaves {rest:.1%} of it (guidance_residual).")

    def _stepping(self, original: Any, kind: Kind) -> Any:
        signature = inspect.signature(original)

        @functools.wraps(original)
        def step(scheduler: Any, *args: Any, **kwargs: Any) -> Any:
            if not self.is_open:
                return original(scheduler, *args, **kwargs)
            bound = signature.bind(scheduler, *args, **kwargs)
            with torch.no_grad():
                path = self._path(scheduler, kind)
                call = path.before(bound.arguments)
            result = original(*bound.args, **bound.kwargs)
            with torch.no_grad():
                path.after(call, result[0] if isinstance(result, tuple) else result.prev_sample)
            return result

        return step

    def _path(self, scheduler: Any, kind: Kind) -> SchedulerPath:
        if id(scheduler) not in self.paths:
            self.paths[id(scheduler)] = SchedulerPath(scheduler, kind, self.meter, self.parts)
            if len(self.paths) > 1:
                self.meter.remark(
                    "Several schedulers moved states: rows of one image are in several paths (column path)."
                )
        return self.paths[id(scheduler)]


def _schedulers(pipe: Any) -> list[Any]:
    """The schedulers of a pipeline, each once.

    Raises:
        OptionError: it has none, or one is metered already.
    """
    mixin = diffusers().SchedulerMixin
    parts = [pipe] if isinstance(pipe, mixin) else [*_components(pipe).values()]
    schedulers = list({id(part): part for part in parts if isinstance(part, mixin)}.values())
    if not schedulers:
        raise OptionError(f"'pipe' must be a pipeline of diffusers, or a scheduler: {type(pipe).__name__} has none")
    for scheduler in schedulers:
        watch = getattr(type(scheduler), _WATCH, None)
        if watch is not None and watch.is_open:
            raise OptionError(f"this {type(scheduler).__name__} is metered already: one `with` at a time")
        if watch is not None:  # a copy that outlived its `with`
            scheduler.__class__ = type(scheduler).__mro__[1]
    return schedulers


def _components(pipe: Any) -> dict[str, Any]:
    components = getattr(pipe, "components", None)
    return components if isinstance(components, dict) else dict(vars(pipe)) if hasattr(pipe, "__dict__") else {}


def _hooks(pipe: Any, parts: GuidanceParts | None) -> list[Any]:
    if parts is None:
        return []
    nets = {
        id(part): part
        for name, part in _components(pipe).items()
        if isinstance(part, nn.Module) and name.startswith(_DENOISERS)
    }
    if not nets:
        raise OptionError(
            f"'parts' asks for the answers of the network, and {type(pipe).__name__} has none called "
            f"{' or '.join(_DENOISERS)}: leave it out"
        )
    return [net.register_forward_hook(parts) for net in nets.values()]
