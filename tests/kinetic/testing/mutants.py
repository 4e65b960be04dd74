"""Broken components, each with the checks that it fails: all others it passes."""

import random
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import torch

import kinetic
from kinetic import Column, Estimate, Samples, Score, Stage, Step, options
from kinetic.errors import OptionError

ALL = slice(None)
N = 6


@attrs.frozen(eq=False)
class Mutant:
    """A broken component.

    Args:
        what: is wrong with it.
        component: the component.
        fails: the names of the checks it fails: the one for this fault, then what follows from it.
        allow: for `checks`.
    """

    what: str
    component: Any
    fails: tuple[str, ...]
    allow: dict = attrs.field(factory=dict)

    def __str__(self):
        return f"{self.fails[0]}: {self.what}"


def refuse(asked):
    raise OptionError("no")


# ---------------------------------------------------------------- solvers


@attrs.frozen(eq=False)
class S(kinetic.Solver):
    """A solver.

    Args:
        how: what it does.
        steps: number of steps.
        order: that it declares.
    """

    how: Callable
    steps: int = 4
    order: int = 1

    def solve(self, velocity, x0):
        return self.how(self, velocity, x0)


def at(time, x):
    return torch.full((len(x),), time, dtype=torch.float64)


def euler(
    self,
    velocity,
    x0,
    before=lambda x, t, rows: (x, t, rows),
    after=lambda step, k: step,
    begin=0,
    until=None,
    ends=lambda: None,
    change=lambda v, k: v,
):
    x, n = x0, self.steps
    for k in range(begin, n if until is None else until(n)):
        t0, t1 = at(k / n, x), at((k + 1) / n, x)
        v = change(velocity(*before(x, t0, ALL)), k)
        x1 = x + v / n
        step = after(Step(ALL, t0, t1, x, x1, (Stage(t0, v, 1.0),)), k)
        yield step
        x = step.x1
    return ends()


def variant(**given):
    return S(lambda self, velocity, x0: euler(self, velocity, x0, **given))


def in_place(self, velocity, x0):
    steps = list(euler(self, velocity, x0.clone()))
    x0 += 1
    yield from steps


def shifted_stages(self, velocity, x0):
    x, n = x0, self.steps
    for k in range(n):
        t0, t1 = at(k / n, x), at((k + 1) / n, x)
        shift = min(0.25, k / n, 1 - k / n)
        stages = tuple(Stage(t0 + s, velocity(x, t0 + s, ALL), 0.5) for s in (-shift, shift))
        x1 = x + 0.5 * (stages[0].v + stages[1].v) / n
        yield Step(ALL, t0, t1, x, x1, stages)
        x = x1


def mean_stage(self, velocity, x0):
    x, n = x0, self.steps
    for k in range(n):
        t0, t1 = at(k / n, x), at((k + 1) / n, x)
        first = velocity(x, t0, ALL)
        v = 0.5 * (first + velocity(x + first / n, t1, ALL))
        yield Step(ALL, t0, t1, x, x + v / n, (Stage(t0, v, 1.0),))
        x = x + v / n


def heavy_weights(self, velocity, x0):
    """Two stages of weights 0.5 and 0.6, and x1 of these weights over their sum less than promised."""
    for step in euler(self, velocity, x0):
        stage = step.stages[0]
        yield attrs.evolve(step, stages=(stage.weighed(0.5), Stage(stage.t, stage.v, 0.6)))


def wide(self, velocity, x0):
    """States become float64 after the first step."""
    for step in euler(self, velocity, x0):
        yield attrs.evolve(step, x1=step.x1.double())


def flat(self, velocity, x0):
    yield from euler(self, velocity, x0.flatten(1))


def by_the_first(x, t, rows):
    return x + 1e-6 * (len(x) > 1) * float(x.flatten()[0] > x[-1].flatten()[0]), t, rows


SOLVERS = [
    Mutant("writes to x0", S(in_place), ("x0_kept",)),
    Mutant("asks at times in float32", variant(before=lambda x, t, rows: (x, t.float(), rows)), ("asks",)),
    Mutant(
        "asks at t above 1",
        variant(before=lambda x, t, rows: (x, t + (t > 0.7), rows)),
        ("asks", "stage_times", "order", "energy_order"),
    ),
    Mutant(
        "begins at the second step",
        S(lambda s, v, x: euler(s, v, x, begin=1)),
        ("steps_join", "rows_asked", "straight"),
    ),
    Mutant("stops before the end", variant(until=lambda n: n - 1), ("ends",)),
    Mutant("says a wrong t_end", variant(ends=lambda: {"t_end": torch.full((N,), 0.5).double()}), ("ends",)),
    Mutant("weights that sum to 1.1", S(heavy_weights), ("weights", "step_is_its_stages", "straight", "energy_order")),
    Mutant(
        "x1 beside its stages", variant(after=lambda s, k: attrs.evolve(s, x1=s.x1 + 1e-6)), ("step_is_its_stages",)
    ),
    Mutant("a mean as a stage", S(mean_stage, order=2), ("stages_asked",)),
    Mutant(
        "a stage of another time",
        variant(after=lambda s, k: attrs.evolve(s, stages=(attrs.evolve(s.stages[0], t=s.t1),))),
        ("stage_times",),
    ),
    Mutant(
        "asks for other rows", variant(before=lambda x, t, rows: (x, t, torch.arange(len(x)).flip(0))), ("rows_asked",)
    ),
    Mutant(
        "a span of two steps",
        variant(after=lambda s, k: attrs.evolve(s, span=(k / 4, k / 4 + 0.5))),
        ("straight", "energy_order"),
    ),
    Mutant(
        "pulls samples to their mean",
        variant(before=lambda x, t, rows: (x + 1e-6 * (x.mean(0) - x), t, rows)),
        ("rows_alone",),
    ),
    Mutant("looks which sample is first", variant(before=by_the_first), ("rows_permuted",)),
    Mutant("float32 to float64", S(wide), ("dtype_kept",)),
    Mutant("flattens images", S(flat), ("shape_kept",)),
    Mutant("a column of the Runner's", variant(ends=lambda: {"nfe": torch.zeros(N)}), ("columns",)),
    Mutant("a column that says nothing", variant(ends=lambda: {"whim": torch.zeros(N)}), ("columns",)),
    Mutant("declares order 2 and has 1", S(euler, order=2), ("order", "energy_order")),
    Mutant(
        "always asks at t = 0",
        variant(before=lambda x, t, rows: (x, 0 * t, rows)),
        ("order", "energy_order", "stage_times"),
    ),
    Mutant("stages that average right and square wrong", S(shifted_stages), ("energy_order",)),
]


# ---------------------------------------------------------------- fields


@attrs.frozen(eq=False)
class F(kinetic.VelocityField):
    """A field.

    Args:
        how: its velocity.
        begin: where it starts.
        points: its breakpoints.
        end: its t_end.
    """

    how: Callable
    begin: Callable = lambda z: z
    points: Any = ()
    end: float = 1.0
    event_shape = torch.Size([3])

    @property
    def breakpoints(self):
        return self.points

    @property
    def t_end(self):
        return self.end

    def start(self, z, batch=None):
        return self.begin(z)

    def velocity(self, x, t, batch=None):
        return self.how(x, t[:, None], batch)


class Net(torch.nn.Module):
    """Doubles in training mode."""

    def __init__(self, *parts):
        super().__init__()
        self.parts = torch.nn.Sequential(torch.nn.Linear(3, 3), *parts)

    def forward(self, x, t):
        return self.parts(x) * (1 + self.training)


@attrs.frozen(eq=False)
class NetField(kinetic.VelocityField):
    """A field of a net.

    Args:
        net: the net.
    """

    net: torch.nn.Module
    event_shape = torch.Size([3])

    def velocity(self, x, t, batch=None):
        return self.net(x, t)


def scaled(x, t, batch):
    x.mul_(2)
    return -0.5 * x


def sorted_by_ids(x, t, batch):
    return -x[batch.ids.argsort()]


CLASSES = torch.arange(N)
FIELDS = [
    Mutant("a column of v only", F(lambda x, t, b: -x[:, :1]), ("shape",)),
    Mutant("float32 for all", F(lambda x, t, b: -x.float()), ("dtype",)),
    Mutant("float32 to float64", F(lambda x, t, b: -x.double()), ("dtype",)),
    Mutant("NaN at t = 1", F(lambda x, t, b: x / (1 - t) * (t == 1) - x), ("finite",)),
    Mutant("NaN at t = 1/2", F(lambda x, t, b: -x + 0 / (t - 0.5)), ("finite",)),
    Mutant("NaN at t = 0", F(lambda x, t, b: -x + 0 * t.log()), ("finite",)),
    Mutant("x changed in place", F(scaled), ("x_kept",)),
    Mutant("the mean of the batch", F(lambda x, t, b: x.mean(0) - x), ("rows_alone",)),
    Mutant("rows reversed", F(lambda x, t, b: -x.flip(0)), ("rows_alone", "rows_permuted")),
    Mutant("rows in the order of ids", F(sorted_by_ids), ("rows_permuted",)),
    Mutant("the time of the first row for all", F(lambda x, t, b: -x * t[:1]), ("times_of_rows",)),
    Mutant(
        "the condition of the first row for all",
        F(lambda x, t, b: -x * (1 + b.condition[0])),
        ("conditions",),
        {"condition": CLASSES},
    ),
    Mutant("a net in training mode", NetField(Net()), ("train_mode",)),
    Mutant(
        "dropout",
        NetField(Net(torch.nn.Dropout(0.5))),
        ("train_mode", "rows_alone", "rows_permuted", "times_of_rows", "random_state", "same_again"),
    ),
    Mutant("breakpoints as a list", F(lambda x, t, b: -x, points=[0.5]), ("breakpoints",)),
    Mutant("t_end = 0", F(lambda x, t, b: -x, end=0.0), ("breakpoints",)),
    Mutant("a jump of t nowhere said", F(lambda x, t, b: -x * (1 + (t > 0.37))), ("jumps",)),
    Mutant("start in float64", F(lambda x, t, b: -x, begin=lambda z: z.double() * 2), ("start_and_seen",)),
    Mutant("start of the whole batch", F(lambda x, t, b: -x, begin=lambda z: z - z.mean(0)), ("start_and_seen",)),
]


# ---------------------------------------------------------------- schedules


@attrs.frozen(eq=False)
class G(kinetic.Schedule):
    """A schedule.

    Args:
        how: its gain.
        points: its breakpoints.
    """

    how: Callable
    points: Any = ()

    @property
    def breakpoints(self):
        return self.points

    def gain(self, t, x, v):
        return self.how(t, x, v)


def halved(t, x, v):
    v.mul_(0.5)
    return torch.ones_like(t)


SCHEDULES = [
    Mutant("a breakpoint behind 1", G(lambda t, x, v: 1 + 0 * t, points=(1.5,)), ("breakpoints",)),
    Mutant(
        "one number", G(lambda t, x, v: torch.ones(())), ("shape", "rows_alone", "rows_permuted", "jumps", "finite")
    ),
    Mutant("whole numbers", G(lambda t, x, v: torch.ones(len(t), dtype=torch.int64)), ("shape",)),
    Mutant("infinite at 1", G(lambda t, x, v: (1 - t) ** -0.1), ("finite",)),
    Mutant("negative early", G(lambda t, x, v: t - 0.1), ("not_negative",)),
    Mutant("halves v in place", G(halved), ("arguments_kept",)),
    Mutant("the mean time", G(lambda t, x, v: 1 + t.mean() + 0 * t), ("rows_alone",)),
    Mutant("times sorted", G(lambda t, x, v: 1 + t.sort().values), ("rows_permuted", "rows_alone")),
    Mutant("looks at v and does not say so", G(lambda t, x, v: 1 / (1 + v.square().sum(1))), ("adaptive",)),
    Mutant("a jump nowhere said", G(lambda t, x, v: 1 + (t >= 0.37).to(t.dtype)), ("jumps",)),
    Mutant("a jump elsewhere than said", G(lambda t, x, v: 1 + (t >= 0.37).to(t.dtype), points=(0.5,)), ("jumps",)),
    Mutant(
        "rounded where float32 is", G(lambda t, x, v: 1 + t + (t.dtype == torch.float32) * 0.1), ("single_precision",)
    ),
]


# ---------------------------------------------------------------- meters


@attrs.frozen(eq=False)
class M(kinetic.EnergyMeter):
    """A meter.

    Args:
        how: what a step adds.
        gives: the columns.
        over: the columns over a time.
        columns_described: what it says of them.
        sums_of: its terms.
    """

    how: Callable = lambda step: {"a": step.energy}
    gives: Callable = lambda sums, x0, x1: {"fuss": sums["a"]}
    over: Callable | None = None
    columns_described: tuple = (Column("fuss", "Fuss a path makes.", "energy"),)
    sums_of: dict = attrs.field(factory=dict)

    @property
    def described(self):
        return self.columns_described

    @property
    def terms(self):
        return self.sums_of

    def adds(self, step):
        return self.how(step)

    def columns(self, sums, x0, x1):
        return self.gives(sums, x0, x1)

    def columns_over(self, sums, x0, x1, duration):
        return self.columns(sums, x0, x1) if self.over is None else self.over(sums, duration)


def moved(sums, x0, x1):
    x1.add_(1)
    return {"fuss": sums["a"]}


def emptied(sums, x0, x1):
    total = sums["a"].clone()
    sums["a"].zero_()
    return {"fuss": total}


def doubled_v(step):
    energy = step.energy.clone()
    step.stages[-1].v.mul_(1.0 + 1e-9)
    return {"a": energy}


METERS = [
    Mutant(
        "an account for each step",
        M(lambda s: {f"a{float(s.t0[0]):.1f}": s.energy}, lambda sums, x0, x1: {"fuss": sum(sums.values())}),
        ("accounts", "additive"),
    ),
    Mutant(
        "a number for the batch",
        M(lambda s: {"a": s.energy.sum()[None]}, lambda sums, x0, x1: {"fuss": sums["a"] + 0 * x0[:, 0]}),
        ("accounts", "adds_alone", "columns_alone"),
    ),
    Mutant("a share of the batch", M(lambda s: {"a": s.dt * s.energy / s.energy.sum()}), ("adds_alone",)),
    Mutant("dt twice", M(lambda s: {"a": s.energy * s.dt}), ("additive",)),
    Mutant("the square root of the energy", M(lambda s: {"a": s.energy.sqrt()}), ("additive",)),
    Mutant("the number of steps", M(lambda s: {"a": torch.ones_like(s.dt)}), ("additive",)),
    Mutant("another number with span", M(lambda s: {"a": s.energy * (1 + (s.span is not None))}), ("span",)),
    Mutant(
        "squares of half floats where they are float32",
        M(lambda s: {"a": s.energy * (1 + 0.01 * (s.x0.dtype == torch.float32))}),
        ("single_precision",),
    ),
    Mutant("writes to x1", M(gives=moved), ("arguments_kept",)),
    Mutant("writes to its sums", M(gives=emptied), ("arguments_kept",)),
    Mutant("writes to v", M(doubled_v), ("arguments_kept", "adds_alone", "additive")),
    Mutant("no column", M(gives=lambda sums, x0, x1: {}, columns_described=()), ("columns",)),
    Mutant("a column of a cube", M(gives=lambda s, x0, x1: {"fuss": s["a"].view(-1, 1, 1)}), ("columns",)),
    Mutant("NaN", M(gives=lambda s, x0, x1: {"fuss": s["a"] * torch.nan}), ("finite",)),
    Mutant("a rank", M(gives=lambda s, x0, x1: {"fuss": s["a"].argsort().argsort().double()}), ("columns_alone",)),
    Mutant("less its mean", M(gives=lambda s, x0, x1: {"fuss": s["a"] - s["a"].mean()}), ("columns_alone",)),
    Mutant(
        "another column over time 1", M(over=lambda sums, duration: {"fuss": sums["a"] + duration}), ("columns_over",)
    ),
    Mutant(
        "a column of the Runner's",
        M(gives=lambda s, x0, x1: {"nfe": s["a"]}, columns_described=(Column("nfe", "Mine.", "energy"),)),
        ("reserved",),
    ),
    Mutant(
        "the status of a solver",
        M(gives=lambda s, x0, x1: {"status": s["a"]}, columns_described=(Column("status", "Mine.", "energy"),)),
        ("reserved",),
    ),
    Mutant("a column that says nothing", M(columns_described=()), ("described",)),
    Mutant("no sentence", M(columns_described=(Column("fuss", "", "energy"),)), ("described",)),
    Mutant("terms that do not add up", M(sums_of={"fuss": {"x0_sq": 0.5, "x1_sq": 0.5}}), ("terms",)),
]


# ---------------------------------------------------------------- metrics


@attrs.frozen(eq=False)
class Q(kinetic.Metric):
    """A metric that keeps (sum, count, ids, numbers, depth).

    Args:
        see: the state of a batch.
        join: two states to one.
        judge: the score of a state.
        word: what it says.
        add: to observe one more batch.
        look: what `check` does.
        start: the state before any.
    """

    see: Callable = lambda s: (float(s.x.double().sum()), len(s.ids), 0)
    join: Callable = lambda a, b: (a[0] + b[0], a[1] + b[1], 0)
    judge: Callable = lambda state: Score({"brightness": Estimate(state[0] / max(1, state[1]))})
    word: tuple = (Column("brightness", "How bright it is."),)
    start: Callable = lambda: None
    add: Callable | None = None
    look: Callable = lambda samples: None

    @property
    def described(self):
        return self.word

    def check(self, samples):
        self.look(samples)

    def begin(self):
        return self.start()

    def observe(self, state, samples):
        if self.add is not None:
            return self.add(state, samples)
        new = self.see(samples)
        return new if state is None else self.join(state, new)

    def merge(self, a, b):
        return b if a is None else a if b is None else self.join(a, b)

    def finish(self, state):
        return self.judge(state)


@attrs.frozen(eq=False)
class R(kinetic.SampleMetric):
    """A metric of rows.

    Args:
        how: its columns.
        word: what it says.
    """

    how: Callable
    word: tuple = (Column("brightness", "How bright it is."),)

    @property
    def described(self):
        return self.word

    def columns(self, samples):
        return {"brightness": self.how(samples.x.flatten(1).double())}


def first_of(samples):
    i = int(samples.ids.argmin())
    return (float(samples.x[i].double().sum()), 1, 0)


@attrs.frozen(eq=False)
class K(kinetic.Metric):
    """A metric of lists; `fault` says where it goes wrong.

    Args:
        fault: where.
    """

    fault: str = ""
    described = (Column("brightness", "How bright it is."),)

    def begin(self):
        return ([], 1.0) if self.fault == "begin" else ([], 0.0)

    def observe(self, state, samples):
        rows = [(int(i), float(x.double().sum())) for i, x in zip(samples.ids, samples.x, strict=True)]
        if self.fault == "observe":
            state[0].extend(rows)
            return (list(state[0]), state[1])
        if self.fault == "samples":
            samples.x.add_(1e-3)
        if self.fault == "order" and not state[0]:
            rows = [(rows[0][0], rows[0][1] * 1.001), *rows[1:]]
        return (state[0] + rows, state[1] + (1e-3 if self.fault == "batches" and state[0] else 0.0))

    def merge(self, a, b):
        depth = 0.0
        if self.fault == "merge":
            return (a[0] if b[0] and a[0] else a[0] + b[0], 0.0)
        if self.fault == "either" and a[0] and b[0]:
            depth = 1e-3 * (a[0][0] > b[0][0]) if self.fault == "either" else 0.0
        if self.fault == "three" and a[0] and b[0]:
            depth = 1e-3 if a[1] == b[1] == 0 else 0.5
            return (a[0] + b[0], depth)
        if self.fault == "writes":
            a[0].extend(b[0])
            return (list(a[0]), 0.0)
        if self.fault == "begin":
            return (a[0] + b[0], 0.5 * (a[1] + b[1]) if a[0] and b[0] else a[1] + b[1])
        return (a[0] + b[0], a[1] + b[1] + depth)

    def finish(self, state):
        rows, extra = sorted(state[0]), state[1]
        if self.fault == "three":
            extra = 1.0 if extra == 0.5 else 0.0
        if self.fault == "begin":
            extra = extra - 1.0
        ids, values = (torch.tensor(each) for each in zip(*rows, strict=True))
        if self.fault == "ids":
            ids = torch.arange(len(ids)) + 1
        columns = {} if self.fault == "order" else {"brightness": values}
        return Score({"brightness": Estimate(sum(v for _, v in rows) / len(rows) + extra)}, ids, columns)


METRICS = [
    Mutant("a sum less per batch", K("batches"), ("batches",)),
    Mutant("the first sample counts more", K("order"), ("order", "merge", "merge_of_three")),
    Mutant("a merge that forgets one", K("merge"), ("merge", "merge_either_way", "merge_of_three")),
    Mutant("a merge that keeps the order", K("either"), ("merge_either_way",)),
    Mutant("a merge that is right once", K("three"), ("merge_of_three",)),
    Mutant("an empty state that counts", K("begin"), ("merge_of_empty",)),
    Mutant("a list extended when it observes", K("observe"), ("states_kept",)),
    Mutant("a list extended when it merges", K("writes"), ("states_kept",)),
    Mutant("samples written to", K("samples"), ("samples_kept",)),
    Mutant("ids of its own", K("ids"), ("ids",)),
    Mutant(
        "a rank in the batch",
        R(lambda x: x.mean(1) - x.mean()),
        ("columns_of_ids", "batches", "merge", "merge_of_three"),
    ),
    Mutant("nothing said of it", R(lambda x: x.mean(1), word=()), ("described",)),
    Mutant("a check that refuses two", Q(look=refuse), ("two_samples",)),
]


# ---------------------------------------------------------------- feature spaces


@attrs.frozen(eq=False)
class V(kinetic.FeatureSpace):
    """A feature space.

    Args:
        how: its features.
        says: its preprocessing.
        tabled: its table.
    """

    how: Callable = lambda x: x.flatten(1)
    says: Callable = lambda: ""
    tabled: Callable | None = None

    @property
    def preprocessing(self):
        return self.says()

    def features(self, x):
        return self.how(x)

    def table(self, data):
        return kinetic.FeatureSpace.table(self, data) if self.tabled is None else self.tabled(self, data)


@attrs.frozen(eq=False)
class W(kinetic.FeatureSpace):
    """A feature space of a net.

    Args:
        net: the net.
    """

    net: torch.nn.Module

    def features(self, x):
        return self.net(x.flatten(1)[:, :3], 0)


def added(x):
    vectors = x.flatten(1).clone()
    x.add_(1)
    return vectors


def padded(x):
    flat = x.flatten(1)
    return torch.cat([flat, flat[:, :1]], 1) if len(x) == 1 else flat


COUNTED = iter(range(10**9))
FEATURES = [
    Mutant("images, not vectors", V(lambda x: x), ("shape", "table")),
    Mutant("one feature more of one sample", V(padded), ("width", "rows_alone")),
    Mutant(
        "the logarithm of nothing",
        V(lambda x: x.flatten(1) + 0 * x.flatten(1).square().sum(1, keepdim=True).log()),
        ("finite",),
    ),
    Mutant(
        "constant samples over their spread", V(lambda x: x.flatten(1) / x.flatten(1).std(1, keepdim=True)), ("finite",)
    ),
    Mutant("samples written to", V(added), ("x_kept",)),
    Mutant("less the mean of the batch", V(lambda x: x.flatten(1) - x.flatten(1).mean(0)), ("rows_alone", "many")),
    Mutant(
        "the last row blank",
        V(lambda x: torch.cat([x[:-1], x[-1:] * (len(x) == 1)]).flatten(1)),
        ("rows_alone", "rows_permuted", "many"),
    ),
    Mutant(
        "rows sorted", V(lambda x: x.flatten(1)[x.flatten(1)[:, 0].argsort()]), ("rows_permuted", "rows_alone", "many")
    ),
    Mutant("a block's rest left out", V(lambda x: torch.cat([x[:16], 0 * x[16:]]).flatten(1)), ("many",)),
    Mutant("a net in training mode", W(Net()), ("train_mode",)),
    Mutant(
        "a table of other numbers", V(tabled=lambda self, data: 2 * kinetic.FeatureSpace.table(self, data)), ("table",)
    ),
    Mutant("another word each time", V(says=lambda: f"{next(COUNTED)}"), ("preprocessing",)),
]


# ---------------------------------------------------------------- data sets


@attrs.frozen(eq=False)
class D(kinetic.Dataset):
    """A data set.

    Args:
        how: points start to stop.
        n: how many.
        labelled: its labels.
        index: its take.
        cut: its blocks.
        event: the shape of a point.
    """

    how: Callable = lambda start, stop: LINE[start:stop]
    n: int = 20
    labelled: Callable = lambda: None
    index: Callable = kinetic.Dataset.take
    cut: Callable = kinetic.Dataset.blocks
    event: tuple = (2,)

    @property
    def event_shape(self):
        return torch.Size(self.event)

    @property
    def labels(self):
        return self.labelled()

    def __len__(self):
        return self.n

    def read(self, start, stop):
        return self.how(start, stop)

    def take(self, index):
        return self.index(self, index)

    def blocks(self, size):
        return self.cut(self, size)


LINE = torch.arange(20, dtype=torch.float32)[:, None].expand(-1, 2) / 20
IMAGES = torch.arange(20, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
SHIFTED = iter(range(10**9))


def jittered(start, stop):
    return LINE[start:stop] + 1e-3 * (stop - start)


DATASETS = [
    Mutant("no point", D(n=0), ("length", "shape", "read_again")),
    Mutant("points of another shape", D(event=(3,)), ("shape", "take_twice")),
    Mutant("whole numbers", D(lambda a, b: (20 * LINE[a:b]).long()), ("finite",)),
    Mutant("a NaN", D(lambda a, b: LINE[a:b].where(LINE[a:b] != 0.25, torch.nan)), ("finite", "read_again", "blocks")),
    Mutant("bytes as floats", D(lambda a, b: IMAGES[a:b], event=(1, 2, 2)), ("images_in_range",)),
    Mutant("points by how many are read", D(jittered), ("read_again",)),
    Mutant(
        "blocks numbered by themselves",
        D(cut=lambda s, k: enumerate(b for _, b in kinetic.Dataset.blocks(s, k))),
        ("blocks",),
    ),
    Mutant(
        "blocks without the rest",
        D(cut=lambda s, k: ((i, b) for i, b in kinetic.Dataset.blocks(s, k) if len(b) == k)),
        ("blocks",),
    ),
    Mutant("take in order", D(index=lambda s, i: LINE[i.sort().values]), ("take", "take_twice")),
    Mutant("a repeated index once", D(index=lambda s, i: LINE[list(dict.fromkeys(i.tolist()))]), ("take_twice",)),
    Mutant("labels as floats", D(labelled=lambda: torch.zeros(20)), ("labels",)),
    Mutant("a label too few", D(labelled=lambda: torch.zeros(19, dtype=torch.int64)), ("labels",)),
    Mutant(
        "labels shifted between reads",
        D(labelled=lambda: torch.arange(20).roll(next(SHIFTED) % 7)),
        ("labels_stay", "same_again"),
    ),
]


# ---------------------------------------------------------------- grids


@attrs.frozen(eq=False)
class T(kinetic.TimeGrid):
    """A grid.

    Args:
        how: its times.
    """

    how: Callable

    def times(self, steps):
        return self.how(steps)


CALLS = iter(range(10**9))
GRIDS = [
    Mutant("refuses all", T(refuse), ("some_steps",)),
    Mutant("a tuple", T(lambda n: tuple(k / n for k in range(n + 1))), ("floats",)),
    Mutant("a time too few", T(lambda n: [0.0, 1.0] if n != 50 else [0.0, 0.5, 1.0]), ("count",)),
    Mutant("begins at 0.01", T(lambda n: [max(0.01, k / n) for k in range(n + 1)]), ("ends",)),
    Mutant("ends beside 1", T(lambda n: [k / n * (1 - 1e-12) for k in range(n + 1)]), ("ends",)),
    Mutant("a time twice", T(lambda n: [0.0] * n + [1.0]), ("rises",)),
]


# ---------------------------------------------------------------- of any role


@attrs.frozen(eq=False, slots=False)
class Dict(kinetic.Schedule):
    """A class with a dict, to which anything can be written."""

    breakpoints = ()

    def gain(self, t, x, v):
        return torch.ones_like(t)


class Bare(kinetic.Schedule):
    """Not decorated."""

    __slots__ = ()
    breakpoints = ()

    def gain(self, t, x, v):
        return torch.ones_like(t)


@attrs.frozen(eq=False)
class Setting(kinetic.Schedule):
    """A class whose attributes can be set."""

    strength: float = options.number(0.1, doc="of it")
    breakpoints = ()

    def gain(self, t, x, v):
        return 1 + self.strength * (1 - t)


Setting.__setattr__ = object.__setattr__


@attrs.frozen(eq=False)
class Doubling(kinetic.Schedule):
    """A converter that does not take its own result."""

    strength: float = attrs.field(default=1.0, converter=lambda s: 2 * s, metadata={options.DOC: "of it"})
    breakpoints = ()

    def gain(self, t, x, v):
        return torch.full_like(t, self.strength)


@attrs.frozen(eq=False)
class Silent(kinetic.Schedule):
    """An option that nothing is said of."""

    strength: float = options.number(0.1)
    breakpoints = ()

    def gain(self, t, x, v):
        return 1 + self.strength * (1 - t)


@attrs.frozen(eq=False)
class Growing(kinetic.Schedule):
    """An option that grows with use."""

    seen: list = attrs.field(factory=list, metadata={options.DOC: "what it saw"})
    breakpoints = ()

    def gain(self, t, x, v):
        self.seen.append(len(t))
        return torch.ones_like(t)


@attrs.frozen(eq=False)
class OnTheCPU(kinetic.Schedule):
    """Numbers made where x is not."""

    breakpoints = ()

    def gain(self, t, x, v):
        return t + torch.ones(len(t), dtype=t.dtype)


@attrs.frozen(eq=False)
class AnswersOnTheCPU(kinetic.VelocityField):
    """An answer that is elsewhere."""

    event_shape = torch.Size([3])

    def velocity(self, x, t, batch=None):
        return torch.zeros(x.shape, dtype=x.dtype)


TIMES = iter(range(10**9))


def use(what, component_of=lambda act: G(lambda t, x, v: act() or torch.ones_like(t))):
    return component_of(what)


def nothing_of(function, *given):
    return lambda: (function(*given), None)[1]


EVERY = [
    Mutant("a dict", Dict(), ("frozen",)),
    Mutant("no decorator", Bare(), ("frozen",)),
    Mutant("attributes that can be set", Setting(), ("frozen",)),
    Mutant("a converter that doubles", Doubling(), ("made_anew",)),
    Mutant("an option that says nothing", Silent(), ("options_described",)),
    Mutant(
        "another answer each time",
        T(lambda n: [0.0, *(k / n + 1e-9 * (next(TIMES) % 97) for k in range(1, n)), 1.0]),
        ("same_again",),
    ),
    Mutant("draws from torch", use(nothing_of(torch.rand, 1)), ("random_state",)),
    Mutant("draws from NumPy", use(nothing_of(np.random.rand)), ("random_state",)),
    Mutant("draws from random", use(nothing_of(random.random)), ("random_state",)),
    Mutant("seeds torch", use(nothing_of(torch.manual_seed, 123)), ("random_state",)),
    Mutant("changes the default dtype", use(nothing_of(torch.set_default_dtype, torch.float64)), ("settings",)),
    Mutant("changes the threads", use(nothing_of(lambda: torch.set_num_threads(3))), ("settings",)),
    Mutant("turns gradients on", use(nothing_of(lambda: torch.set_grad_enabled(True))), ("settings",)),
    Mutant("silences NumPy", use(nothing_of(lambda: np.seterr(all="ignore"))), ("settings",)),
    Mutant("an option that grows", Growing(), ("options_kept",)),
    Mutant("tensors made on the CPU", OnTheCPU(), ("device",)),
    Mutant("an answer on the CPU", AnswersOnTheCPU(), ("device",)),
]

MUTANTS = {
    "solver": SOLVERS,
    "field": FIELDS,
    "schedule": SCHEDULES,
    "meter": METERS,
    "metric": METRICS,
    "features": FEATURES,
    "dataset": DATASETS,
    "grid": GRIDS,
    "every": EVERY,
}
SAMPLES = Samples(torch.arange(12), torch.zeros(12, 1, 2, 2))
