"""The Runner: noise in, samples with their energies and scores out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, final

import attrs
import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from kinetic import options
from kinetic._batch import Batch
from kinetic._component import moved
from kinetic._field import Shaped, VelocityField
from kinetic._meter import EnergyMeter
from kinetic._metric import Metric, Samples, Score
from kinetic._noise import noise
from kinetic._schedule import Schedule
from kinetic._solver import Solver, Step
from kinetic._types import ALL, PerSample, Rows, State
from kinetic.errors import KineticError, NonFiniteError, OptionError, ShapeError

Progress = Callable[[float], None]
"""Told how many samples' worth of path has been walked since it was last told."""

_BATCH_ELEMENTS, _BATCH_SAMPLES = 2**22, 500


@final
@attrs.frozen(eq=False)
class Part:
    """The finished samples of one batch, on the CPU.

    Args:
        start: id of the first; ids are consecutive.
        samples, denoised: `(n, *event)`; see `Samples`.
        energy: `{column: (n,) or (n, k)}` float64.
    """

    start: int
    samples: Tensor
    denoised: Tensor
    energy: Mapping[str, Tensor]

    @property
    def stop(self) -> int:
        """One past the id of the last."""
        return self.start + len(self.samples)


class Shelf(Protocol):
    """Where a run keeps its finished parts, and finds those of a run that was cut short."""

    def parts(self) -> list[tuple[int, int]]:
        """The (start, stop) of every part on the shelf, in order."""

    def load(self, start: int, stop: int) -> Part:
        """One of them."""

    def save(self, part: Part) -> None:
        """Keep a part, whole or not at all."""


@final
@attrs.frozen(eq=False)
class Run:
    """What came of one run.

    Args:
        samples: `(n, *event)`, the samples, ids 0 to n - 1, on the CPU.
        denoised: `(n, *event)`, after the guard's extra Euler step; see `Samples`.
        energy: `{column: (n,)}` float64 from the meters, `(n, k)` for a curve.
        scores: `{metric: {name: value}}`.
        details: `{metric: Score}`, with intervals, per-sample columns and notes.
        condition: int64 `(n,)` class of each sample, or None.
    """

    samples: Tensor
    denoised: Tensor
    energy: Mapping[str, Tensor]
    details: Mapping[str, Score]
    condition: Tensor | None = None

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """The value of every score."""
        return {metric: {n: e.value for n, e in score.values.items()} for metric, score in self.details.items()}

    @property
    def table(self) -> pa.Table:
        """A row per sample: `sample`, `class` where there is one, energies, and scores as `metric.column`."""
        columns: dict[str, Any] = {"sample": pa.array(np.arange(len(self.samples)))}
        if self.condition is not None:
            columns["class"] = pa.array(self.condition.numpy())
        for name, column in self.energy.items():
            columns[name] = _arrow(column)
        for metric, score in self.details.items():
            for name, column in score.columns.items():
                columns[f"{metric}.{name}"] = _arrow(column)
        return pa.table(columns)


def _arrow(column: Tensor) -> pa.Array:
    values = column.numpy()
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


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

    Every run also gives the columns `x0_sq` ||x0||^2, `x0_dot_x1` <x0, x1> and `x1_sq` ||x1||^2, and under a schedule
    `gain`, the mean gain I = int gain dt of each sample, and `noise_left`, the root mean square over its elements of
    what one more Euler step would still change, (1 - I) v(x, min(I, 1)).
    """

    field: VelocityField = options.component("field")
    solver: Solver = options.component("solver")
    schedule: Schedule | None = options.component("schedule", None)
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
        shelf: Shelf | None = None,
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
            shelf: where finished batches are kept and taken up again.
            progress: is told as the samples move.
        Raises:
            OptionError: a number out of range.
            ShapeError: parts that do not fit together, found before any sampling.
            NonFiniteError: the field returned NaN or infinity; finished batches are on the shelf.
        """
        for name, value, least in (("samples", samples, 1), ("seed", seed, 0), ("batch", batch or 1, 1)):
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise OptionError(f"{name!r} must be an int >= {least}: {value!r}")
        if classes is not None and (not isinstance(classes, int) or isinstance(classes, bool) or classes < 1):
            raise OptionError(f"'classes' must be an int >= 1: {classes!r}")
        place = find_device(device)
        crew = attrs.evolve(
            self,
            field=moved(self.field, place),
            schedule=moved(self.schedule, place),
            meters=moved(dict(self.meters), place),
            metrics=moved(dict(self.metrics), place),
        )
        numel = max(1, self.field.event_shape.numel())
        size = batch or max(1, min(_BATCH_SAMPLES, _BATCH_ELEMENTS // numel))
        with torch.inference_mode():
            crew._rehearse(seed, classes, dtype, place)
            parts = list(
                crew._parts(samples, seed, size, classes, dtype, place, shelf, progress or (lambda done: None))
            )
            details = crew._judge(parts, classes, place)
        return Run(
            samples=torch.cat([part.samples for part in parts]),
            denoised=torch.cat([part.denoised for part in parts]),
            energy={name: torch.cat([part.energy[name] for part in parts]) for name in parts[0].energy},
            details=details,
            condition=_condition(0, samples, classes),
        )

    def _parts(
        self,
        samples: int,
        seed: int,
        size: int,
        classes: int | None,
        dtype: torch.dtype,
        place: torch.device,
        shelf: Shelf | None,
        progress: Progress,
    ) -> Iterator[Part]:
        done = shelf.parts() if shelf else []
        start = 0
        while start < samples:
            stop = next((b for a, b in done if a == start), None)
            if shelf and stop is not None:
                part = shelf.load(start, stop)
                progress(stop - start)
            else:
                following = min((a for a, _ in done if a > start), default=samples)
                stop = min(start + size, following, samples)
                x0 = noise(seed, range(start, stop), self.field.event_shape, dtype)
                batch = Batch(torch.arange(start, stop), _condition(start, stop, classes))
                part = self._travel(x0.to(place), moved_batch(batch, place), progress)
                if shelf:
                    shelf.save(part)
            yield part
            start = part.stop

    def _travel(self, x0: State, batch: Batch, progress: Progress) -> Part:
        field = Shaped(self.field, self.schedule) if self.schedule else self.field
        low = x0.dtype in (torch.float16, torch.bfloat16)
        time_dtype = torch.float32 if low else x0.dtype

        def velocity(x: State, t: PerSample, rows: Rows) -> State:
            return field.velocity(x, t.to(time_dtype), batch.take(rows))

        books = _Books(self.meters, len(x0), x0.device)
        x = x0
        for step in self.solver.solve(velocity, x0):
            books.enter(step, self.schedule)
            x = step.x1 if _is_all(step.rows) else _put(x, step.rows, step.x1, first=x is x0)
            progress(_share(step, len(x0)))
        books.check(x, batch.ids)
        gain = books.gain
        energy: dict[str, Tensor] = {}
        for name, meter in self.meters.items():
            for column, value in meter.columns(books.sums[name], x0, x).items():
                if column in energy:
                    raise OptionError(f"two meters give the column {column!r}: {name!r} and one before it")
                energy[column] = value
        first, last = x0.double().flatten(1), x.double().flatten(1)
        energy |= {"x0_sq": first.square().sum(1), "x0_dot_x1": (first * last).sum(1), "x1_sq": last.square().sum(1)}
        denoised = x
        if self.schedule:
            rest = (1 - gain).clamp_min(0).to(time_dtype)
            v = self.field.velocity(x, 1 - rest, Batch(batch.ids, batch.condition))
            change = v * rest.to(v.dtype).view(-1, *[1] * (v.dim() - 1))
            denoised = x + change
            energy |= {"gain": gain, "noise_left": change.double().flatten(1).square().mean(1).sqrt()}
        return Part(
            start=int(batch.ids[0]),
            samples=x.cpu(),
            denoised=denoised.cpu(),
            energy={name: value.double().cpu() for name, value in energy.items()},
        )

    def _judge(self, parts: list[Part], classes: int | None, place: torch.device) -> dict[str, Score]:
        details = {}
        for name, metric in self.metrics.items():
            with _naming(f"metric {name!r}"):
                state = metric.begin()
                for part in parts:
                    condition = _condition(part.start, part.stop, classes)
                    ids = torch.arange(part.start, part.stop)
                    state = metric.observe(
                        state,
                        Samples(
                            ids.to(place),
                            part.samples.to(place),
                            part.denoised.to(place),
                            None if condition is None else condition.to(place),
                        ),
                    )
                details[name] = metric.finish(state)
        return details

    def _rehearse(self, seed: int, classes: int | None, dtype: torch.dtype, place: torch.device) -> None:
        """Two samples' first velocity and one look of every metric, so that what does not fit is said at once."""
        x0 = noise(seed, range(2), self.field.event_shape, dtype).to(place)
        batch = moved_batch(Batch(torch.arange(2), _condition(0, 2, classes)), place)
        low = dtype in (torch.float16, torch.bfloat16)
        v = self.field.velocity(x0, x0.new_zeros(2, dtype=torch.float32 if low else dtype), batch)
        if v.shape != x0.shape or v.dtype != x0.dtype:
            raise ShapeError(
                f"{type(self.field).__name__} answered samples of shape {tuple(x0.shape)} and {x0.dtype} with "
                f"velocities of shape {tuple(v.shape)} and {v.dtype}; they must be the same"
            )
        for name, metric in self.metrics.items():
            with _naming(f"metric {name!r}"):
                metric.observe(metric.begin(), Samples(batch.ids, x0, x0, batch.condition))


class _Books:
    """The accounts of one batch: what the meters add, the mean gain, and when something stopped being finite."""

    def __init__(self, meters: Mapping[str, EnergyMeter], n: int, device: torch.device) -> None:
        self.meters = meters
        self.sums: dict[str, dict[str, Tensor]] = {name: {} for name in meters}
        self.zeros = torch.zeros(n, dtype=torch.float64, device=device)
        self.gain = self.zeros.clone()
        self.until = self.zeros.clone()  # up to when each sample's energy was finite

    def enter(self, step: Step, schedule: Schedule | None) -> None:
        for name, meter in self.meters.items():
            for account, add in meter.adds(step).items():
                sums = self.sums[name]
                if account not in sums:
                    sums[account] = self.zeros.new_zeros(len(self.zeros), *add.shape[1:])
                _add(sums[account], step.rows, add)
        if schedule:
            gains = [schedule.gain(stage.t, step.x0, stage.v).double() for stage in step.stages]
            _add(self.gain, step.rows, step.mean(gains) * step.dt)
        _add(self.until, step.rows, torch.where(step.energy.isfinite(), step.dt, 0.0))

    def check(self, x: State, ids: Tensor) -> None:
        bad = ~torch.isfinite(x.flatten(1)).all(1) | (self.until < 1 - 1e-9)
        if bool(bad.any()):
            raise NonFiniteError(ids[bad].tolist(), float(self.until[bad].min()))


def find_device(device: str | torch.device) -> torch.device:
    """The device meant; "auto" is CUDA where there is one, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError) as error:
        raise OptionError(f"'device' must be one that torch has here, or \"auto\": {str(device)!r}") from error
    return place


def moved_batch(batch: Batch, place: torch.device) -> Batch:
    """The batch on a device."""
    return Batch(batch.ids.to(place), None if batch.condition is None else batch.condition.to(place))


def _condition(start: int, stop: int, classes: int | None) -> Tensor | None:
    return None if classes is None else torch.arange(start, stop) % classes


def _is_all(rows: Rows) -> bool:
    return isinstance(rows, slice) and rows == ALL


def _add(account: Tensor, rows: Rows, value: Tensor) -> None:
    if _is_all(rows):
        account += value
    else:
        account[rows] += value.to(account.dtype)


def _put(x: State, rows: Rows, x1: State, first: bool) -> State:
    x = x.clone() if first else x
    x[rows] = x1
    return x


def _share(step: Step, n: int) -> float:
    return float(step.dt.sum()) if not _is_all(step.rows) else float(step.dt[0]) * n


@contextlib.contextmanager
def _naming(what: str) -> Iterator[None]:
    try:
        yield
    except KineticError as error:
        error.args = (f"{what}: {error.args[0]}", *error.args[1:])
        raise
