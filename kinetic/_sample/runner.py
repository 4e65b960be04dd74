"""The Runner: noise in, samples with their energies and scores out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, final

import attrs
import torch
from torch import Tensor

from kinetic import options
from kinetic._display import Displayed
from kinetic._evaluate.evaluate import Views, check_data, dry_run, evaluate
from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._evaluate.views import PLAIN
from kinetic._roles.column import described
from kinetic._roles.dataset import Dataset
from kinetic._roles.field import VelocityField
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.metric import Metric, Samples, Score
from kinetic._roles.raised import naming
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver
from kinetic._roles.tree import to_device
from kinetic._sample.batch_size import MEMORY, batch_size
from kinetic._sample.check_parts import Findings, check_parts
from kinetic._sample.columns import OWN
from kinetic._sample.draw import Classes, Draw, check_start, draw_of
from kinetic._sample.dynamics import Dynamics
from kinetic._sample.gathered import Gathered
from kinetic._sample.heap import Heap
from kinetic._sample.integrate import Progress, integrate, renoise
from kinetic._sample.run import Run
from kinetic._sample.shard import Shard, ShardStore, blocks
from kinetic.errors import OptionError


def _named(cls: type) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, Mapping) or not all(isinstance(part, cls) for part in value.values()):
            raise OptionError(f"{attribute.name!r} must map names to {cls.__name__}s: {value!r}")

    return check


def _not_energy(instance: Any, attribute: attrs.Attribute[Any], value: Mapping[str, Metric]) -> None:
    if "energy" in value:
        raise OptionError("no metric may be called 'energy', which files call the columns of the meters")


@final
@attrs.frozen(eq=False, repr=False)
class Runner(Displayed):
    """Runs a field with a solver, weighs each sample with meters and judges the samples with metrics.

    Args:
        field: what moves the samples.
        solver: how they are moved.
        schedule: a gain on the velocity, or None.
        meters: `{name: EnergyMeter}`.
        metrics: `{name: Metric}`.

    Every run also gives the columns `nfe`, the velocities asked for, those the solver returns (see `Solver.solve`),
    `x0_sq` ||x0||^2, `x0_dot_x1` <x0, x1> and `x1_sq` ||x1||^2. Where a schedule, the field (`VelocityField.t_end`) or
    the solver (a column `t_end`) may stop short, `gain` is the mean gain I = int gain dt of each sample, the time whose
    noise it still has, and `noise_left` the root mean square over its elements of what one more Euler step would still
    change, (1 - I) v(x, I). Where that is more than 0 every metric is asked a second time, about the samples after it.
    """

    field: VelocityField = options.component(VelocityField)
    solver: Solver = options.component(Solver)
    schedule: Schedule | None = options.component(Schedule, None)
    meters: Mapping[str, EnergyMeter] = attrs.field(factory=dict, validator=_named(EnergyMeter))
    metrics: Mapping[str, Metric] = attrs.field(factory=dict, validator=[_named(Metric), _not_energy])

    def run(
        self,
        samples: int,
        seed: int = 0,
        batch: int | None = None,
        device: str | torch.device = "auto",
        *,
        classes: Classes = None,
        dtype: torch.dtype | None = None,
        start: Tensor | Dataset | None = None,
        store: ShardStore | None = None,
        features: SharedFeatures | None = None,
        progress: Progress | None = None,
    ) -> Run:
        """Draw, move, weigh and judge samples 0 to `samples` - 1.

        Args:
            samples: how many.
            seed: of the noise; each sample's noise depends on the seed and its id alone.
            batch: samples at a time; by default at most 500 samples and 4 Mi elements, and on CUDA what half of the
                free memory holds at 1000 times their bytes. It does not change a sample.
            device: a torch device, or "auto": that of the field where it lies on an accelerator, else CUDA where there
                is one.
            classes: ask sample i for class i mod `classes`; of a list of prompts for prompt i mod their number, as
                class; None asks for nothing.
            dtype: of the samples; torch's default by default.
            start: data whose point i is where sample i begins, in place of noise; `VelocityField.start` is not asked.
            store: where finished batches are kept and taken up again.
            features: what feature spaces computed for other runs of the same components.
            progress: called as the samples move.
        Raises:
            OptionError: a number out of range, or data of a metric that are not finite, or images out of [-1, 1].
            ShapeError: parts that do not fit together, noticed before any sampling.
            NonFiniteError: the field returned NaN or infinity for every sample. Where it did for some, they are left
                out of scores and evidence, and `Run.notes` names them.
            ComponentError, OutOfMemoryError: a part raised an error of its own, or memory ran out; finished blocks are
                in the store.
        """
        samples, batch = options.check_integer("'samples'", samples, at_least=1), _checked(batch)
        draw, features = draw_of(seed, classes, dtype, device, self.field, start), features or SharedFeatures()
        check_start(draw.data, samples, self.field)
        here, gathered = self.to_device(draw.device), Gathered(store)
        with torch.no_grad():
            findings = here._dry_run(draw, features)
            spans = blocks(samples, batch or here.block(draw.device, draw.dtype))
            shards = gathered.passing(here._shards(spans, draw, store, progress or (lambda done: None)))
            views = here._judged(shards, draw, features)
        return here._run(gathered, views, findings, draw.condition(0, samples), draw.prompts)

    def fill(
        self,
        store: ShardStore,
        spans: Iterable[tuple[int, int]],
        seed: int = 0,
        device: str | torch.device = "auto",
        *,
        classes: Classes = None,
        dtype: torch.dtype | None = None,
        start: Tensor | Dataset | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Draw and move the samples of some blocks that a store does not hold yet, and keep them there.

        `run` with the same store finds them. Nothing is judged.

        Args:
            store: where finished blocks are kept.
            spans: the (start, stop) of the blocks.
            seed, device, classes, dtype, start, progress: as of `run`.
        """
        draw = draw_of(seed, classes, dtype, device, self.field, start)
        with torch.no_grad():
            deque(self.to_device(draw.device)._shards(spans, draw, store, progress or (lambda done: None)), maxlen=0)

    def block(self, device: torch.device, dtype: torch.dtype | None = None) -> int:
        """How many samples are drawn at a time where no number is given; see `run`."""
        return batch_size(self.field.event_shape, device, dtype or torch.get_default_dtype())

    def dry_run(
        self,
        seed: int = 0,
        device: str | torch.device = "auto",
        *,
        classes: Classes = None,
        dtype: torch.dtype | None = None,
        start: Tensor | Dataset | None = None,
        features: SharedFeatures | None = None,
    ) -> tuple[str, ...]:
        """Two samples through field, solver, schedule, meters and metrics, before any is drawn.

        The field is asked for five velocities: of two samples at t = 0, twice at t = 1/2, of one of them alone, and a
        moment later; and where these begin at N(0, I) and hold less than 2048 elements, of up to 256 at t = 0. One that
        hardly changes until t = 1/2 is asked at its end too, one with a network in training mode up to 15 times more
        there. Solver and meters walk along the first. All data that metrics compare with are looked at. `run` begins
        with it. Arguments and errors as there.

        Returns:
            What does not stop a run, but should be known: a field that answers differently when asked twice, or alone,
            or that does not point from noise to data at t = 0.
        """
        draw = draw_of(seed, classes, dtype, device, self.field, start)
        check_start(draw.data, 2, self.field)
        with torch.no_grad():
            return self.to_device(draw.device)._dry_run(draw, features or SharedFeatures()).warnings

    def control(
        self,
        run: Run,
        gain: Tensor,
        seed: int = 0,
        batch: int | None = None,
        device: str | torch.device = "auto",
        *,
        classes: Classes = None,
        start: Tensor | Dataset | None = None,
        features: SharedFeatures | None = None,
    ) -> dict[str, Score]:
        """What the metrics say of a run's samples put back to the noise of another run, and denoised from there.

        Each sample x of this runner's `run` (the denoised one, where noise was left) becomes I x + (1 - I) x0, x0 the
        noise it came from, and goes through the step (1 - I) v that denoised the other run. A score of that other run's
        denoised samples is to be compared with this: the step changes scores by itself.

        Args:
            run: what this runner gave with the same seed, batch and classes.
            gain: I of each sample of the other run, `(n,)`; NaN leaves a sample out.
            seed, batch, device, classes, start, features: as of `run`.
        Returns:
            `{metric: Score}`.
        """
        draw, batch = draw_of(seed, classes, run.state.dtype, device, self.field, start), _checked(batch)
        here = self.to_device(draw.device)
        size = batch or batch_size(here.field.event_shape, draw.device, draw.dtype)

        def batches() -> Iterator[Views]:
            for first, stop in blocks(len(run.samples), size):
                batch, rows = draw.batch(first, stop), slice(first, stop)
                x0 = draw.begin(here.field, range(first, stop), batch)
                field = Dynamics.of(here.field, here.schedule, batch, x0).field
                x = renoise(field, run.denoised_state[rows].to(draw.device), x0, gain[rows].to(draw.device), batch)
                keep = (run.finite[rows] & gain[rows].isfinite()).nonzero().flatten().to(draw.device)
                if len(keep):
                    x = x if len(keep) == len(x) else x[keep]
                    kept = batch.take(keep)
                    yield {PLAIN: Samples(kept.ids, here.field.seen(x), kept.condition, state=x)}

        with torch.no_grad():
            return evaluate(here.metrics, batches(), features)[PLAIN]

    def to_device(self, device: torch.device, memo: dict[int, Any] | None = None) -> Runner:
        """The runner with all parts on a device; what they share they share there. `memo` as of `tree.rebuild`."""
        memo = {} if memo is None else memo
        parts = {field.name: getattr(self, field.name) for field in attrs.fields(Runner)}
        here = {name: to_device(part, device, memo) for name, part in parts.items()}
        return self if all(here[name] is parts[name] for name in parts) else attrs.evolve(self, **here)

    def _shards(
        self, spans: Iterable[tuple[int, int]], draw: Draw, store: ShardStore | None, progress: Progress
    ) -> Iterator[Shard]:
        heap = Heap()
        for start, stop in spans:
            shard = store.load(start, stop) if store else None
            if shard is None:
                batch = draw.batch(start, stop)
                x0 = draw.begin(self.field, range(start, stop), batch)
                with naming(f"samples {start} to {stop - 1}", MEMORY):
                    shard = integrate(self.field, self.solver, self.schedule, self.meters, x0, batch, progress)
                if store:
                    store.save(shard)
            else:
                progress(stop - start)
            yield shard
            heap.passed(shard.nbytes)

    def _judged(self, shards: Iterable[Shard], draw: Draw, features: SharedFeatures) -> dict[str, dict[str, Score]]:
        """What the metrics say of all shards, which are drawn here; without metrics no sample goes to the device."""
        if self.metrics:
            return evaluate(self.metrics, draw.views(shards), features)
        deque(shards, maxlen=0)
        return {}

    def _dry_run(self, draw: Draw, features: SharedFeatures) -> Findings:
        batch = draw.batch(0, 2)
        x0 = draw.begin(self.field, range(2), batch)
        dry_run(self.metrics, Samples(batch.ids, self.field.seen(x0), batch.condition, state=x0), features)
        noise = draw.more_noise(self.field, x0, batch)
        findings = check_parts(self.field, self.solver, self.schedule, self.meters, x0, batch, noise)
        check_data(self.metrics, features)
        return findings

    def _run(
        self,
        gathered: Gathered,
        views: dict[str, dict[str, Score]],
        findings: Findings,
        condition: Tensor | None,
        prompts: tuple[str, ...] | None,
    ) -> Run:
        energy = gathered.energy()
        kinds = {name: "energy" if name in findings.metered else "count" for name in energy}
        metered = [column for meter in self.meters.values() for column in meter.described]
        return Run(
            **gathered.samples(),
            energy=energy,
            views=views,
            condition=condition,
            prompts=prompts,
            described=described([*metered, *self.solver.described, *OWN], kinds),
            terms={name: terms for meter in self.meters.values() for name, terms in meter.terms.items()},
            warnings=findings.warnings,
            metrics=self.metrics,
        )


def _checked(batch: int | None) -> int | None:
    return None if batch is None else options.check_integer("'batch'", batch, at_least=1)
