"""The energies of an unmodified pipeline: one `with` around its call."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, final

import attrs
import pyarrow as pa
import torch
from kinetic_energy import KPE
from torch import Tensor

from kinetic import EnergyMeter, Ledger, Schedule
from kinetic.errors import KineticError
from kinetic_diffusers.guidance import Watch, denoisers_of
from kinetic_diffusers.schedulers import METERED, MULTISTEP, Span, schedulers_of, span_of

_CLOCK = 1e-4  # how far the time that a network was told may lie from the noise level of the step
_EPS = 1e-7  # steps shorter than this are none
_NULLED = ("bending", "displacement")
_REST = 1e-3  # of the velocity: what guidance by one scale leaves unexplained at the most
_NO_PAIR = "The answers of the network are no pair like the velocity: the parts of guidance are left out."
_COMBINED = "The scheduler combines velocities of several steps: the parts of guidance are left out."


@attrs.define(eq=False)
class _Path:
    """The paths of one call of a pipeline, as far as they were walked."""

    ledger: Ledger
    t_start: float
    t_end: float
    edits: Tensor
    last: Tensor | None = None
    calls: int = 0
    clock_off: float = 0.0
    first: tuple[Span, Tensor, Tensor] | None = None
    parts: dict[str, Tensor] = attrs.field(factory=dict)
    whole: bool = True
    rest: float = 0.0


@final
class PipelineMeter:
    """What `metered` hands out.

    Attributes:
        energy: `{column: (n,)}` float64, a row an image, in the order in which the pipeline made them, as far as every
            call has the column; after the `with`. NaN where it is not known.
        notes: what a reader of the energies must know.
    """

    def __init__(self, meters: Mapping[str, EnergyMeter], schedule: Schedule | None, watch: Watch | None) -> None:
        self.energy: dict[str, Tensor] = {}
        self._meters, self._schedule, self._watch = meters, schedule, watch
        self._paths: list[_Path] = []
        self._open: dict[int, _Path] = {}
        self._notes: dict[str, None] = {}
        self.closed = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the energies must know, each once."""
        return tuple(self._notes)

    @property
    def table(self) -> pa.Table:
        """A row an image: `image`, and the columns of `energy`, null where one is not known."""
        columns = {name: pa.array(column.numpy(), from_pandas=True) for name, column in self.energy.items()}
        return pa.table({"image": pa.array(range(len(next(iter(self.energy.values()), ())))), **columns})

    def step(self, scheduler: Any, step: Any, output: Tensor, timestep: Any, sample: Tensor, keywords: Any) -> Any:
        """One step of a scheduler, weighed; `step` is its own."""
        _check_keywords(scheduler, keywords)
        fresh = scheduler.step_index is None
        span = span_of(scheduler, timestep)
        path = self._path(scheduler, fresh, span, sample)
        x0 = sample.detach().clone()  # some pipelines step on views, in place
        if path.last is not None:
            path.edits += (x0 != path.last.to(x0.dtype)).flatten(1).any(1).cpu()
        path.calls += 1
        path.clock_off = max(path.clock_off, abs(span.told - span.sigma))
        gain = self._gain(span, x0, output)
        shaped = output if gain is None else output * gain.to(output.dtype).view(-1, *[1] * (output.dim() - 1))
        self._guidance(path, span, output, gain, type(scheduler).__name__ in MULTISTEP)
        answer = step(shaped, timestep, sample, **keywords)
        x1 = answer[0] if isinstance(answer, tuple) else answer.prev_sample
        path.last = x1.detach().clone()
        self._enter(scheduler, path, span, x0, path.last, span.sign * shaped.detach())
        return answer

    def close(self) -> None:
        """End what was begun; the columns are those of all calls, one after the other."""
        self.closed = True
        tables = [self._columns(path) for path in self._paths if path.calls]
        names = [name for name in (tables[0] if tables else {}) if all(name in table for table in tables)]
        self.energy = {name: torch.cat([table[name] for table in tables]) for name in names}

    def _path(self, scheduler: Any, fresh: bool, span: Span, sample: Tensor) -> _Path:
        key = id(scheduler)
        if fresh or key not in self._open:
            ledger = Ledger(self._meters, sample, self._schedule)
            edits = torch.zeros(len(sample), dtype=torch.int64)
            self._open[key] = _Path(ledger, span.t0, span.t0, edits)
            self._paths.append(self._open[key])
            if self._schedule is not None and sample.dtype in (torch.float16, torch.bfloat16):
                self._note(f"Samples are {sample.dtype}: what a gain moves may drown in their rounding.")
        return self._open[key]

    def _gain(self, span: Span, x0: Tensor, output: Tensor) -> Tensor | None:
        if self._schedule is None:
            return None
        t = torch.full((len(x0),), span.at, dtype=torch.float64, device=x0.device)
        return self._schedule.gain(t, x0, span.sign * output)

    def _enter(self, scheduler: Any, path: _Path, span: Span, x0: Tensor, x1: Tensor, v: Tensor) -> None:
        if span.paired:
            path.first = (span, x0, v)
            return
        stages = [(span.at, v, 1.0)]
        if span.second and path.first is not None:
            before, x0, first = path.first
            stages, path.first = [(before.at, first, 0.5), (span.at, v, 0.5)], None
        if span.t1 - span.t0 > _EPS:
            if type(scheduler).__name__ in MULTISTEP:
                mean = (x1.double() - x0.double()) / (span.t1 - span.t0)
                stages = [(span.at, mean.to(torch.promote_types(x1.dtype, torch.float32)), 1.0)]
            stages = [(t, each.to(torch.promote_types(each.dtype, torch.float32)), w) for t, each, w in stages]
            path.ledger.add(max(span.t0, 0.0), min(span.t1, 1.0), x0, x1, stages)
            path.t_end = span.t1

    def _guidance(self, path: _Path, span: Span, output: Tensor, gain: Tensor | None, multistep: bool) -> None:
        if self._watch is None or not path.whole:
            return
        parts = None if multistep else self._watch.take(output)
        if parts is None:
            path.whole, path.parts = False, {}
            self._note(_COMBINED if multistep else _NO_PAIR)
            return
        path.rest = max(path.rest, parts.rest)
        weight = (span.t1 - span.t0) * (0.5 if span.paired or span.second else 1.0)
        square = 1.0 if gain is None else gain.double().cpu() ** 2
        for name, value in parts.energies().items():
            path.parts[name] = path.parts.get(name, 0.0) + weight * square * value

    def _columns(self, path: _Path) -> dict[str, Tensor]:
        columns = path.ledger.columns()
        walked = path.t_end - path.t_start
        if "displacement" in columns and "bending" in columns and 0 < walked < 1 - 1e-6:
            straight = columns["displacement"] / walked  # at constant speed in the time there was
            columns["bending"] += columns["displacement"] - straight
            columns["displacement"] = straight
        edited = path.edits > 0
        for name in _NULLED:
            if name in columns:
                columns[name] = columns[name].masked_fill(edited, torch.nan)
        self._say(path, bool(edited.any()), walked)
        n = len(edited)
        told = {"t_start": path.t_start, "t_end": path.t_end, "nfe": float(path.calls)}
        more = {name: torch.full((n,), value, dtype=torch.float64) for name, value in told.items()}
        return {**columns, **path.parts, **more, "edits": path.edits.double()}

    def _say(self, path: _Path, edited: bool, walked: float) -> None:
        if path.clock_off > _CLOCK:
            self._note(
                f"The network was told times up to {path.clock_off:.3g} off the noise level of its step (custom "
                "timesteps, or whole ones): energies are over the noise levels."
            )
        if path.rest > _REST:
            self._note(f"Guidance is more than a scale: up to {path.rest:.1%} of a velocity is left by the best one.")
        if edited:
            self._note("The pipeline changed states between steps: bending and displacement are not known there.")
        if path.first is not None:
            self._note("A path ended between the two halves of a Heun step, which is left out.")
        if walked < 1 - 1e-3:
            self._note(f"Paths go from t = {path.t_start:.4g} to {path.t_end:.4g}: their energy is that of this part.")

    def _note(self, words: str) -> None:
        self._notes[words] = None


@contextmanager
def metered(
    pipe: Any,
    schedule: Schedule | None = None,
    meters: Mapping[str, EnergyMeter] | None = None,
    parts: bool = False,
) -> Iterator[PipelineMeter]:
    """Weigh, and if asked shape, what an unmodified pipeline of diffusers makes in the `with`.

    Each step of its scheduler is entered over the noise levels sigma that it really has, t = 1 - sigma, with the
    velocity that it was handed, guidance included. Without a schedule no bit of an image changes. With one the velocity
    is multiplied by the gain, rounded to its own dtype, before the step.

    Args:
        pipe: a pipeline of diffusers, or of its modular ones: what has `components`.
        schedule: a gain on the velocity, or None.
        meters: `{name: EnergyMeter}`; KPE by default.
        parts: give the energies of both halves of classifier-free guidance too, where they can be seen.
    Yields:
        A meter, whose `energy`, `table` and `notes` are whole after the `with`.
    Raises:
        KineticError: a scheduler that is not on the list `ALLOWED`, draws noise, has noise levels above 1, is metered
            already, or is given times token by token.
    """
    schedulers = schedulers_of(pipe)
    watch = Watch() if parts else None
    meter = PipelineMeter({"kpe": KPE()} if meters is None else meters, schedule, watch)
    with ExitStack() as stack:
        if watch is not None:
            stack.enter_context(watch.on(denoisers_of(pipe)))
        for scheduler in schedulers:
            own = type(scheduler)
            scheduler.__class__ = _metered_class(own, meter)
            stack.callback(setattr, scheduler, "__class__", own)
        yield meter
    meter.close()


def _metered_class(own: type, meter: PipelineMeter) -> type:
    """A subclass of a scheduler's class that tells a meter of its steps; copies of the scheduler are of it too."""

    @functools.wraps(own.step)  # type: ignore[attr-defined]
    def step(self: Any, model_output: Tensor, timestep: Any, sample: Tensor, *args: Any, **keywords: Any) -> Any:
        plain = functools.partial(own.step, self)  # type: ignore[attr-defined]
        if meter.closed:
            return plain(model_output, timestep, sample, *args, **keywords)
        if args:
            raise KineticError("a metered scheduler takes model_output, timestep and sample, the rest by keyword")
        return meter.step(self, plain, model_output, timestep, sample, keywords)

    members = {"step": step, METERED: True, "__module__": own.__module__, "__qualname__": own.__qualname__}
    return type(own.__name__, (own,), members)


def _check_keywords(scheduler: Any, keywords: Mapping[str, Any]) -> None:
    if keywords.get("per_token_timesteps") is not None:
        raise KineticError(
            "the pipeline gives times token by token (per_token_timesteps): there is no one path to weigh"
        )
    if keywords.get("s_churn"):
        raise KineticError(f"{type(scheduler).__name__} was asked to add noise (s_churn): its paths have no energy")
