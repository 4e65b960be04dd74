"""The Runner: noise in, samples with their energies and scores out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, final

import attrs
import torch
from torch import Tensor

from kinetic import options
from kinetic._evaluate.evaluate import dry_run, judge
from kinetic._roles.batch import Batch
from kinetic._roles.component import to_device
from kinetic._roles.field import VelocityField
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.metric import Metric, Samples, Score
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver
from kinetic._sample.integrate import Progress, clock_dtype, integrate
from kinetic._sample.noise import noise
from kinetic._sample.run import Run, Shard, ShardStore
from kinetic.errors import OptionError, ShapeError

_BATCH_ELEMENTS, _BATCH_SAMPLES = 2**22, 500


def _named(cls: type) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, Mapping) or not all(isinstance(part, cls) for part in value.values()):
            raise OptionError(f"{attribute.name!r} must map names to {cls.__name__}s: {value!r}")

    return check


@final
@attrs.frozen(eq=False)
class Runner:
    """Runs a field with a solver, weighs each sample with meters and judges the samples with metrics.

    Args:
        field: what moves the samples.
        solver: how they are moved.
        schedule: a gain on the velocity, or None.
        meters: `{name: EnergyMeter}`.
        metrics: `{name: Metric}`.

    Every run also gives the columns `nfe`, the velocities asked for, those the solver returns (see `Solver.solve`),
    `x0_sq` ||x0||^2, `x0_dot_x1` <x0, x1> and `x1_sq` ||x1||^2, and under a schedule `gain`, the mean gain
    I = int gain dt of each sample, and `noise_left`, the root mean square over its elements of what one more Euler step
    would still change, (1 - I) v(x, min(I, 1)).
    """

    field: VelocityField = options.component(VelocityField)
    solver: Solver = options.component(Solver)
    schedule: Schedule | None = options.component(Schedule, None)
    meters: Mapping[str, EnergyMeter] = attrs.field(factory=dict, validator=_named(EnergyMeter))
    metrics: Mapping[str, Metric] = attrs.field(factory=dict, validator=_named(Metric))

    def run(
        self,
        samples: int,
        seed: int = 0,
        batch: int | None = None,
        device: str | torch.device = "auto",
        *,
        classes: int | None = None,
        dtype: torch.dtype = torch.float32,
        store: ShardStore | None = None,
        progress: Progress | None = None,
    ) -> Run:
        """Draw, move, weigh and judge samples 0 to `samples` - 1.

        Args:
            samples: how many.
            seed: of the noise; each sample's noise depends on the seed and its id alone.
            batch: samples at a time; by default at most 500 samples and 4 Mi elements. It does not change a sample.
            device: a torch device, or "auto": CUDA where there is one.
            classes: ask sample i for class i mod `classes`; None asks for nothing.
            dtype: of the samples.
            store: where finished batches are kept and taken up again.
            progress: is told as the samples move.
        Raises:
            OptionError: a number out of range.
            ShapeError: parts that do not fit together, found before any sampling.
            NonFiniteError: the field returned NaN or infinity; finished batches are on the store.
        """
        samples = options.check_integer("'samples'", samples, at_least=1)
        seed = options.check_integer("'seed'", seed, at_least=0)
        batch = None if batch is None else options.check_integer("'batch'", batch, at_least=1)
        classes = None if classes is None else options.check_integer("'classes'", classes, at_least=1)
        place = find_device(device)
        on_device = self._moved(place)
        size = batch or batch_size(self.field.event_shape)
        with torch.inference_mode():
            on_device._dry_run(seed, classes, dtype, place)
            parts = list(
                on_device._parts(samples, seed, size, classes, dtype, place, store, progress or (lambda done: None))
            )
            details = on_device._judge(parts, classes, place)
        return Run(
            samples=torch.cat([part.samples for part in parts]),
            denoised=torch.cat([part.denoised for part in parts]),
            energy={name: torch.cat([part.energy[name] for part in parts]) for name in parts[0].energy},
            details=details,
            condition=_condition(0, samples, classes),
        )

    def dry_run(
        self,
        seed: int = 0,
        device: str | torch.device = "auto",
        *,
        classes: int | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Two samples' first velocity and one look of every metric: what does not fit together is said at once.

        `run` begins with it. Arguments and errors as there.
        """
        place = find_device(device)
        with torch.inference_mode():
            self._moved(place)._dry_run(seed, classes, dtype, place)

    def _moved(self, place: torch.device) -> Runner:
        return attrs.evolve(
            self,
            field=to_device(self.field, place),
            schedule=to_device(self.schedule, place),
            meters=to_device(dict(self.meters), place),
            metrics=to_device(dict(self.metrics), place),
        )

    def _parts(
        self,
        samples: int,
        seed: int,
        size: int,
        classes: int | None,
        dtype: torch.dtype,
        place: torch.device,
        store: ShardStore | None,
        progress: Progress,
    ) -> Iterator[Shard]:
        done = store.parts() if store else []
        start = 0
        while start < samples:
            stop = next((b for a, b in done if a == start), None)
            if store and stop is not None:
                part = store.load(start, stop)
                progress(stop - start)
            else:
                following = min((a for a, _ in done if a > start), default=samples)
                stop = min(start + size, following, samples)
                x0 = noise(seed, range(start, stop), self.field.event_shape, dtype)
                batch = Batch(torch.arange(start, stop), _condition(start, stop, classes))
                part = integrate(
                    self.field,
                    self.solver,
                    self.schedule,
                    self.meters,
                    x0.to(place),
                    batch_on(batch, place),
                    progress,
                )
                if store:
                    store.save(part)
            yield part
            start = part.stop

    def _judge(self, parts: list[Shard], classes: int | None, place: torch.device) -> dict[str, Score]:
        def batches() -> Iterator[Samples]:
            for part in parts:
                condition = _condition(part.start, part.stop, classes)
                x = part.samples.to(place)
                yield Samples(
                    torch.arange(part.start, part.stop).to(place),
                    x,
                    x if part.denoised is part.samples else part.denoised.to(place),
                    None if condition is None else condition.to(place),
                )

        return judge(self.metrics, batches())

    def _dry_run(self, seed: int, classes: int | None, dtype: torch.dtype, place: torch.device) -> None:
        x0 = noise(seed, range(2), self.field.event_shape, dtype).to(place)
        batch = batch_on(Batch(torch.arange(2), _condition(0, 2, classes)), place)
        v = self.field.velocity(x0, x0.new_zeros(2, dtype=clock_dtype(dtype)), batch)
        if v.shape != x0.shape or v.dtype != x0.dtype:
            raise ShapeError(
                f"{type(self.field).__name__} answered samples of shape {tuple(x0.shape)} and {x0.dtype} with "
                f"velocities of shape {tuple(v.shape)} and {v.dtype}; they must be the same"
            )
        dry_run(self.metrics, Samples(batch.ids, x0, x0, batch.condition))


def batch_size(event_shape: torch.Size) -> int:
    """Samples at a time where nobody said how many: at most 500, and 4 Mi elements."""
    return max(1, min(_BATCH_SAMPLES, _BATCH_ELEMENTS // max(1, event_shape.numel())))


def find_device(device: str | torch.device) -> torch.device:
    """The device meant; "auto" is CUDA where there is one, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError) as error:
        here = ", ".join(["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))])
        raise OptionError(
            f"'device' must be one that torch has here, or \"auto\": {str(device)!r}\n  Here: {here}."
        ) from error
    return place


def batch_on(batch: Batch, place: torch.device) -> Batch:
    """The batch on a device."""
    return Batch(batch.ids.to(place), None if batch.condition is None else batch.condition.to(place))


def _condition(start: int, stop: int, classes: int | None) -> Tensor | None:
    return None if classes is None else torch.arange(start, stop) % classes
