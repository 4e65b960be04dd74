"""Who the samples of a run are, and where each of them begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor

from kinetic import options
from kinetic._roles.batch import Batch
from kinetic._roles.dataset import Dataset, as_dataset
from kinetic._roles.field import VelocityField
from kinetic._roles.metric import Samples
from kinetic._roles.raised import naming
from kinetic._roles.tree import device_of
from kinetic._sample.integrate import MEMORY
from kinetic._sample.noise import noise
from kinetic.errors import OptionError, ShapeError, shown
from kinetic.types import State

_FEW = 2  # samples that every run takes at once, to try its parts

Classes = int | Sequence[str] | None
"""How many classes samples are asked for in turn, or the prompts that these are, or None."""


@attrs.frozen(eq=False)
class Draw:
    """Who the samples are: seed, classes, type and device, and the data they begin at in place of noise, if any.

    `prompts` are the classes in words, where they have any.
    """

    seed: int
    classes: int | None
    dtype: torch.dtype
    device: torch.device
    data: Dataset | None = None
    prompts: tuple[str, ...] | None = None

    def begin(self, field: VelocityField, ids: range, batch: Batch) -> State:
        """x0 of these samples, where the field begins their noise, or points of the data set.

        Raises:
            OutOfMemoryError: memory does not hold them.
            ComponentError: field or data raised an error of their own.
        """
        way = MEMORY if len(ids) > _FEW else f"It must hold some samples of shape {tuple(field.event_shape)} at once."
        with naming(f"where samples {ids.start} to {ids.stop - 1} begin", way):
            if self.data is None:
                return field.start(self.noise(ids, field.event_shape), batch)
            return self.data.read(ids.start, ids.stop).to(self.device, self.dtype)

    def more_noise(
        self, field: VelocityField, x0: State, batch: Batch
    ) -> Callable[[range], tuple[State, Batch]] | None:
        """The noise that samples begin with, by their ids; None where x0 of these is not N(0, I)."""
        ids = range(len(batch.ids))
        if self.data is not None or not torch.equal(x0, self.noise(ids, field.event_shape)):
            return None
        return lambda ids: (self.noise(ids, field.event_shape), self.batch(ids.start, ids.stop))

    def shown(self, batch: Batch, seen: Tensor, state: Tensor) -> Samples:
        """Samples on the device, once where they are seen as they were moved."""
        x = seen.to(self.device)
        return Samples(batch.ids, x, batch.condition, state=x if state is seen else state.to(self.device))

    def noise(self, ids: range, event_shape: torch.Size) -> Tensor:
        """Standard normal noise of these samples."""
        return noise(self.seed, ids, event_shape, self.dtype).to(self.device)

    def condition(self, start: int, stop: int) -> Tensor | None:
        """What each is asked to be, int64 `(n,)` on the CPU."""
        return None if self.classes is None else torch.arange(start, stop) % self.classes

    def batch(self, start: int, stop: int) -> Batch:
        """Their identity."""
        condition = self.condition(start, stop)
        ids = torch.arange(start, stop).to(self.device)
        return Batch(ids, None if condition is None else condition.to(self.device))


def draw_of(
    seed: int,
    classes: Classes,
    dtype: torch.dtype | None,
    device: str | torch.device,
    field: VelocityField,
    start: Tensor | Dataset | None = None,
) -> Draw:
    """Who they are, of the arguments of `Runner.run` and its field."""
    seed = options.check_integer("'seed'", seed, at_least=0)
    prompts = _prompts(classes)
    asked = len(prompts) if prompts else classes
    count = None if asked is None else options.check_integer("'classes'", asked, at_least=1)
    on = find_device(device, field)
    return Draw(seed, count, dtype or torch.get_default_dtype(), on, as_dataset(start), prompts)


def _prompts(classes: Any) -> tuple[str, ...] | None:
    """The classes, where they are texts."""
    if not isinstance(classes, Sequence):
        return None
    if isinstance(classes, str) or not classes or not all(isinstance(text, str) for text in classes):
        raise OptionError(f"'classes' must be an int >= 1, or a list of prompts, one or more: {shown(classes)}")
    return tuple(classes)


def find_device(device: str | torch.device, field: VelocityField | None = None) -> torch.device:
    """The device meant; "auto" is that of the field where it lies on an accelerator, else CUDA where there is one."""
    if device == "auto":
        own = device_of(field)
        if own is not None and own.type not in ("cpu", "meta"):
            return own
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        known = torch.device(device)
        torch.empty(0, device=known)
    except (RuntimeError, AssertionError) as error:
        here = ", ".join(["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))])
        raise OptionError(
            f"'device' must be one that torch has here, or \"auto\": {str(device)!r}\n  Here: {here}."
        ) from error
    return known


def check_start(data: Any, samples: int, field: VelocityField) -> None:
    """Refuse data that samples cannot begin at.

    Raises:
        OptionError, ShapeError: they are no data set, too few, or of another shape.
    """
    if data is None:
        return
    if not isinstance(data, Dataset):
        raise OptionError(f"'start' must be a Dataset, a tensor or None: {shown(data)}")
    if data.event_shape != field.event_shape:
        raise ShapeError(
            f"'start' holds points of shape {tuple(data.event_shape)}, {type(field).__name__} moves samples of shape "
            f"{tuple(field.event_shape)}"
        )
    if len(data) < samples:
        raise OptionError(f"'samples' must be at most {len(data)}, the points of 'start': {samples}")
