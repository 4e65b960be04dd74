"""Each check catches a class that breaks its promise, and every registered class keeps them all."""

import attrs
import pytest
import torch
from kinetic_digits import DigitsFeatures
from kinetic_features import Pixels
from kinetic_fields import Gaussian
from kinetic_solvers import Euler
from PIL import Image

import kinetic
from kinetic import Samples, Score, Stage, Step, registry, testing
from kinetic.errors import OptionError, ShapeError
from kinetic.evidence import Estimate

ALL = slice(None)


def euler(velocity, x0, weight=1.0, stop=4, shift=0.0, mixing=False, writes=False, mean=False):
    x = x0
    for k in range(stop):
        t0, t1 = (torch.full((len(x),), time / 4, dtype=torch.float64) for time in (k, k + 1))
        v = velocity(x + (x.mean(0) - x) * 0.1 if mixing else x, t0, ALL)
        x1 = x.add_(v / 4) if writes else x + v / 4 + shift
        v = 0.5 * (v + velocity(x1, t0, ALL)) if mean else v
        x1 = x + v / 4 if mean else x1
        yield Step(ALL, t0, t1, x, x1, (Stage(t0, v, weight),))
        x = x1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"weight": 0.9}, "weights that sum to 0.9"),
        ({"stop": 3}, r"does not end at t = .1\.0"),
        ({"shift": 1e-6}, "x1 that is not x0"),
        ({"mean": True}, "a stage that is no velocity it was given, such as a mean"),
        ({"mixing": True}, "differently alone and in a batch"),
        ({"writes": True}, "writes to x0|starts a step elsewhere"),
    ],
)
def test_a_faulty_solver_is_caught(fault, said):
    @attrs.frozen(eq=False)
    class Faulty(kinetic.Solver):
        def solve(self, velocity, x0):
            return euler(velocity, x0, **fault)

    with pytest.raises(AssertionError, match=said):
        testing.check_solver(Faulty())


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (lambda n: [k / n for k in range(n)], "must give 2 times .*: it gives 1"),
        (lambda n: (0.0, 1.0), "gives no list of floats"),
        (lambda n: [k / n + 0.1 for k in range(n + 1)], "they go from 0.1"),
        (lambda n: [0.0] * n + [1.0], "number 1 is 0.0, after 0.0"),
    ],
)
def test_a_faulty_grid_is_caught(times, said):
    @attrs.frozen(eq=False)
    class Faulty(kinetic.TimeGrid):
        def times(self, steps):
            return times(steps)

    with pytest.raises(AssertionError, match=said):
        testing.check_grid(Faulty())


def test_a_grid_that_changes_or_refuses_every_number_of_steps_is_caught():
    calls = []

    @attrs.frozen(eq=False)
    class Changing(kinetic.TimeGrid):
        def times(self, steps):
            calls.append(steps)
            return [0.0, 1 / (1 + len(calls)), 1.0]

    @attrs.frozen(eq=False)
    class Refusing(kinetic.TimeGrid):
        def times(self, steps):
            raise OptionError("never")

    with pytest.raises(AssertionError, match="Changing gives other times for 2 steps when asked again"):
        testing.check_grid(Changing(), [2])
    with pytest.raises(AssertionError, match=r"Refusing refuses every number of steps: \[1, 2, 7, 50\]"):
        testing.check_grid(Refusing())


def test_a_solver_that_says_where_it_stops_short_keeps_its_promise():
    @attrs.frozen(eq=False)
    class Early(kinetic.Solver):
        says: float = 0.75

        def solve(self, velocity, x0):
            yield from euler(velocity, x0, stop=3)
            return {"t_end": torch.full((len(x0),), self.says, dtype=torch.float64)}

    testing.check_solver(Early())
    with pytest.raises(AssertionError, match=r"does not end at t = .0\.5"):
        testing.check_solver(Early(0.5))


def test_a_solver_that_is_not_decorated_is_caught():
    class Bare(kinetic.Solver):
        def solve(self, velocity, x0):
            return euler(velocity, x0)

    with pytest.raises(AssertionError, match="Bare is not decorated"):
        testing.check_solver(Bare())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x, t: x[:, :1], "answers"),
        (lambda x, t: x / (1 - t[:, None]), "not finite at t = 1.0"),
        (lambda x, t: x - x.mean(0), "differently alone and in a batch"),
        (lambda x, t: x.float(), "answers torch.float64 with torch.float32"),
    ],
)
def test_a_faulty_field_is_caught(answer, said):
    @attrs.frozen(eq=False)
    class Faulty(kinetic.VelocityField):
        @property
        def event_shape(self):
            return torch.Size([2])

        def velocity(self, x, t, batch=None):
            return answer(x, t)

    with pytest.raises(AssertionError, match=said):
        testing.check_field(Faulty())


@pytest.mark.parametrize(
    ("points", "answer", "said"),
    [
        ((1.5,), lambda t: 1 + 0 * t, "breakpoints"),
        ((), lambda t: t - 0.5, "negative or not finite"),
        ((), lambda t: t.mean() + 0 * t, "depend on the batch"),
        ((), lambda t: torch.ones(()), "shape"),
    ],
)
def test_a_faulty_schedule_is_caught(points, answer, said):
    @attrs.frozen(eq=False)
    class Faulty(kinetic.Schedule):
        breakpoints = points

        def gain(self, t, x, v):
            return answer(t)

    with pytest.raises(AssertionError, match=said):
        testing.check_schedule(Faulty())


@pytest.mark.parametrize(
    ("adds", "columns", "said"),
    [
        (lambda s: {"a": s.energy.sum()[None]}, lambda a: {"a": a}, "for 6 samples"),
        (lambda s: {"a": s.energy / s.energy.sum()}, lambda a: {"a": a}, "depends on the batch"),
        (lambda s: {"a": s.energy}, lambda a: {}, "gives no column"),
        (lambda s: {"a": s.energy}, lambda a: {"b": a[:2]}, "of shape"),
        (lambda s: {"a": s.energy}, lambda a: {"b": a / 0}, "not finite"),
        (lambda s: {f"a{float(s.t0[0]):.1f}": s.energy}, lambda a: {"b": a}, "same accounts"),
    ],
)
def test_a_faulty_meter_is_caught(adds, columns, said):
    @attrs.frozen(eq=False)
    class Faulty(kinetic.EnergyMeter):
        def adds(self, step):
            return adds(step)

        def columns(self, sums, x0, x1):
            return columns(next(iter(sums.values())))

    with pytest.raises(AssertionError, match=said):
        testing.check_meter(Faulty())


def test_a_meter_whose_columns_over_the_time_1_are_others_is_caught():
    @attrs.frozen(eq=False)
    class Faulty(kinetic.EnergyMeter):
        def adds(self, step):
            return {"time": step.dt}

        def columns(self, sums, x0, x1):
            return {"time": sums["time"]}

        def columns_over(self, sums, x0, x1, duration):
            return {"time": sums["time"] + duration}

    with pytest.raises(AssertionError, match="columns_over"):
        testing.check_meter(Faulty())


def test_a_metric_that_forgets_to_merge_is_caught():
    @attrs.frozen(eq=False)
    class Forgetful(kinetic.Metric):
        def begin(self):
            return 0.0

        def observe(self, state, samples):
            return state + float(samples.x.sum())

        def merge(self, a, b):
            return a

        def finish(self, state):
            return Score({"sum": Estimate(state)})

    x = torch.randn(9, 2)
    with pytest.raises(AssertionError, match="gives another 'sum' when merged"):
        testing.check_metric(Forgetful(), Samples(torch.arange(9), x))


def test_faulty_features_and_data_are_caught():
    @attrs.frozen(eq=False)
    class Normed(kinetic.FeatureSpace):
        def features(self, x):
            return (x - x.mean(0)).flatten(1)

    @attrs.frozen(eq=False)
    class Short(kinetic.Dataset):
        labels = None

        @property
        def event_shape(self):
            return torch.Size([2])

        def __len__(self):
            return 5

        def read(self, start, stop):
            return torch.zeros(stop - start, 3)

    with pytest.raises(AssertionError, match="features that depend on the batch"):
        testing.check_features(Normed(), (2,))
    with pytest.raises(AssertionError, match="its event shape promises"):
        testing.check_dataset(Short())


@attrs.frozen(eq=False)
class Shrink(kinetic.VelocityField):
    event_shape = torch.Size([1, 8, 8])

    def velocity(self, x, t, batch=None):
        return -x


DATA = torch.randn(20, 1, 8, 8, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
CLIP = "local-dir:package:kinetic_digits/clip"
OPTIONS = {
    ("field", "empirical"): {"data": kinetic.TensorData(DATA.double())},
    ("field", "guided"): {"field": Gaussian()},
    ("field", "autoguided"): {"field": Gaussian(), "weak": Gaussian(std=2.0)},
    ("field", "blocked"): {"field": Gaussian()},
    ("field", "momentum"): {"field": Gaussian()},
    ("field", "noise-scale"): {"field": Gaussian()},
    ("field", "temperature"): {"field": Gaussian()},
    ("field", "reversed"): {"field": Gaussian()},
    ("field", "module"): {"module": lambda t, x: -x, "shape": [2], "convention": "torchcfm"},
    ("field", "hybrid"): {"early": Gaussian(), "late": Gaussian(std=0.5)},
    ("grid", "given"): {"times": [0, 0.3, 1]},
    ("solver", "doubled"): {"solver": Euler(steps=4)},
    ("metric", "frechet"): {"reference": DATA, "features": DigitsFeatures()},
    ("metric", "fd-infinity"): {"reference": DATA, "points": 3, "smallest": 0.5},
    ("metric", "kid"): {"reference": DATA, "subsets": 3, "subset_size": 8},
    ("metric", "prdc"): {"reference": DATA},
    ("metric", "memorisation"): {"train": DATA},
    ("metric", "authpct"): {"train": DATA},
    ("metric", "calibrated-l2"): {"train": DATA, "neighbours": 4},
    ("metric", "ct"): {"train": DATA[:12], "held_out": DATA[12:]},
    ("metric", "knn-support"): {"reference": DATA},
    ("metric", "kde-support"): {"reference": DATA},
    ("metric", "class-margin"): {"logits": Pixels()},
    ("metric", "log-likelihood"): {"field": Shrink(), "solver": Euler(steps=4)},
    ("metric", "posterior-signals"): {"train": DATA},
    ("metric", "held-out-distance"): {"train": DATA[:12], "held_out": DATA[12:]},
    ("metric", "clip"): {"model": CLIP, "prompts": ["zero", "one"]},
    ("features", "clip-image"): {"model": CLIP},
    ("features", "module"): {"module": torch.nn.Flatten()},
}
DOWNLOADS = {
    ("features", "inception"),
    ("features", "dinov2"),
    *(("field", name) for name in ("azula", "azula-card", "decoded", "diffusers", "torchcfm-unet")),
}
FILES = {("dataset", "tensor-file"), ("dataset", "image-folder")}


def registered(*roles):
    classes = registry().classes
    return [(role, name) for role in roles or classes for name in sorted(classes[role])]


def made(role, name, **given):
    cls, given = registry().get(role, name), OPTIONS.get((role, name), {}) | given
    required = [f.alias for f in attrs.fields(cls) if f.init and f.default is attrs.NOTHING and f.alias not in given]
    assert not required, f"say in OPTIONS how to make {role} {name!r} for this test: it needs {required}"
    return cls(**given)


def judged(metric, samples):
    return metric.finish(metric.observe(metric.begin(), samples))


SAMPLES = Samples(torch.arange(12), DATA[:12] * 0.9, torch.arange(12) % 2)


@pytest.mark.parametrize(("role", "name"), registered())
def test_every_registered_class_keeps_its_contract(role, name, tmp_path):
    if (role, name) in DOWNLOADS:
        pytest.skip("needs downloaded weights; its own test builds the network with random ones")
    given = {}
    if (role, name) in FILES:
        import numpy as np

        np.save(tmp_path / "x.npy", DATA.numpy())
        Image.new("RGB", (6, 4)).save(tmp_path / "x.png")
        given = {"path": str(tmp_path / "x.npy" if name == "tensor-file" else tmp_path)}
    component = made(role, name, **given)
    if role == "features":
        testing.check_features(component, (1, 8, 8))
    elif role == "metric":
        if name == "clip" or OPTIONS.get((role, name), {}).get(
            "features"
        ):  # float32 nets' last digits depend on the batch
            assert judged(component, SAMPLES).values
        else:
            testing.check_metric(component, SAMPLES)
    elif (role, name) == ("field", "guided"):
        testing.check_field(component, torch.arange(6))
    else:
        getattr(testing, f"check_{role}")(component)


def check_words(columns, names):
    """Each of the names is described, in one sentence, and nothing else has one twice."""
    said = {key: column for column in columns for key in (column.name, column.value)}
    assert set(names) <= set(said)
    for name in names:
        assert said[name].says.endswith("."), f"{name!r} says nothing"
    assert len({column.name for column in columns}) == len(columns)


@pytest.mark.parametrize(("role", "name"), registered("metric"))
def test_every_metric_says_what_its_columns_and_values_mean(role, name):
    metric = made(role, name)
    spaces = [metric]
    if hasattr(metric, "features") and metric.features is None:
        spaces.append(made(role, name, features=Pixels()))
    for each in spaces:
        score = judged(each, SAMPLES)
        check_words((*each.described, *score.described.values()), {*score.columns, *score.values})


@pytest.mark.parametrize(("role", "name"), registered("meter"))
def test_every_meter_says_what_its_columns_mean(role, name):
    meter = made(role, name)
    x0 = torch.randn(5, 3, dtype=torch.float64)
    sums, x = {}, x0
    for step in Euler(steps=4).solve(lambda x, t, rows: -x, x0):
        sums = {account: sums.get(account, 0) + add for account, add in meter.adds(step).items()}
        x = step.x1
    columns = meter.columns(sums, x0, x)
    check_words(meter.described, columns)
    own = {"x0_sq": x0.square().sum(1), "x0_dot_x1": (x0 * x).sum(1), "x1_sq": x.square().sum(1)}
    for column, terms in meter.terms.items():
        total = sum(weight * {**own, **columns}[term] for term, weight in terms.items())
        assert torch.allclose(columns[column], total)


@pytest.mark.parametrize(("role", "name"), registered("solver"))
def test_every_solver_says_what_its_columns_mean(role, name):
    solver = made(role, name)
    steps, columns = solver.solve(lambda x, t, rows: -x, torch.randn(5, 3, dtype=torch.float64)), {}
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            columns = stop.value or {}
            break
    check_words(solver.described, columns)


@pytest.mark.parametrize(("role", "name"), registered("metric"))
def test_every_metric_that_compares_refuses_data_of_other_features_before_it_looks_at_them_all(role, name):
    metric = made(role, name, **({"features": Pixels()} if name == "frechet" else {}))
    metric.check(SAMPLES)
    if metric.references:
        wider = Samples(torch.arange(2), torch.zeros(2, 1, 8, 9), torch.arange(2))
        with pytest.raises(ShapeError, match=r"compared with 64|the points of 'train' \(1, 8, 8\)"):
            metric.check(wider)


@pytest.mark.parametrize(("role", "name"), registered("metric"))
def test_every_metric_refuses_too_few_samples_and_samples_that_are_not_finite(role, name):
    metric = made(role, name)
    with pytest.raises(OptionError, match=r"needs \d+ samples or more: 0"):
        metric.finish(metric.begin())
    with pytest.raises(OptionError, match="must be finite: some are NaN or infinite"):
        judged(metric, attrs.evolve(SAMPLES, x=SAMPLES.x / 0))
