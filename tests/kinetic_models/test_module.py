"""Networks of every convention, held against the exact flow to a Gaussian."""

import itertools
import json

import numpy as np
import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Gaussian
from kinetic_models import ModuleField
from kinetic_solvers import Euler, Heun
from safetensors.torch import save_file
from torch import nn

from kinetic import Batch, Runner, load_recipe
from kinetic._roles.tree import device_of, hash_of
from kinetic._sample.noise import noise
from kinetic.errors import KineticError, OptionError, RecipeError
from kinetic.testing import check_field

MEAN, STD, SIZE = 0.4, 0.7, 3


def field(net, **more):
    return ModuleField(module=net, shape=[SIZE], **more)


@pytest.mark.parametrize("predicts", ["x1", "denoised", "noise", "score", "v"])
def test_on_the_paths_of_diffusion_models_it_is_the_exact_probability_flow(predicts, perfect):
    sigma = field(
        lambda y, s: perfect.exact(y, 1.0, perfect.column(s), predicts),
        order="xt",
        predicts=predicts,
        path="sigma",
        sigma_min=0.002,
        sigma_max=80.0,
    )
    perfect.assert_exact(sigma)
    grown = field(
        lambda y, s: perfect.exact(y, 1.0, 0.01 * (50 / 0.01) ** perfect.column(s), predicts),
        order="xt",
        predicts=predicts,
        path="ve",
        sigma_min=0.01,
        sigma_max=50.0,
    )
    perfect.assert_exact(grown)
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)

    def chain(y, s):  # between two steps log(a / b) is interpolated, as the path says
        s = s.double()
        ratio = (kept / (1 - kept)).sqrt().log()
        low = s.floor().long().clamp(max=998)
        r = (ratio[low] + (s - low) * (ratio[low + 1] - ratio[low])).exp().view(-1, 1)
        b = 1 / (1 + r**2).sqrt()
        return perfect.exact(y, r * b, b, predicts)

    vp = {"path": "vp", "beta_min": 1e-4, "beta_max": 0.02, "train_steps": 1000}
    perfect.assert_exact(field(chain, order="xt", predicts=predicts, **vp))


def test_whole_steps_are_told_whole():
    seen = []

    def net(y, s):
        seen.append(s)
        return y

    f = field(lambda y, s, labels: net(y, s), convention="dit", t="integer", channels=SIZE)
    f.velocity(torch.randn(5, SIZE), torch.linspace(0, 1, 5), Batch(torch.arange(5), torch.arange(5)))
    assert seen[-1].dtype == torch.int64
    assert seen[-1][[0, -1]].tolist() == [999, 0]


@pytest.mark.parametrize("predicts", ["x1", "noise", "score"])
def test_between_whole_steps_it_is_the_exact_velocity_of_the_nearest_one(predicts, perfect):
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)

    def chain(y, s):
        a, b = kept[s].sqrt().view(-1, 1), (1 - kept[s]).sqrt().view(-1, 1)
        return perfect.exact(y, a, b, predicts)

    vp = {"path": "vp", "beta_min": 1e-4, "beta_max": 0.02, "train_steps": 1000}
    f = field(chain, order="xt", predicts=predicts, t="integer", **vp)
    x, t = perfect.times(f)
    at = f._path.held(t)
    assert (at - t).abs().max() > 1e-4
    expected = Gaussian(size=SIZE, mean=MEAN, std=STD).velocity(x, at)
    assert torch.allclose(f.velocity(x, t), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("betas", ["scaled-linear", "cosine"])
@pytest.mark.parametrize("predicts", ["noise", "v"])
def test_with_betas_that_rise_otherwise_it_is_the_exact_velocity_too(predicts, betas, perfect):
    if betas == "cosine":
        u = torch.arange(1001, dtype=torch.float64) / 1000
        wave = torch.cos((u + 0.008) / 1.008 * torch.pi / 2) ** 2
        kept, ends = (wave[1:] / wave[:-1]).clamp(min=0.001).cumprod(0), {}
    else:
        kept = (1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2).cumprod(0)
        ends = {"beta_min": 0.00085, "beta_max": 0.012}

    def chain(y, s):
        return perfect.exact(y, kept[s].sqrt().view(-1, 1), (1 - kept[s]).sqrt().view(-1, 1), predicts)

    vp = {"path": "vp", "betas": betas, "train_steps": 1000, **ends}
    f = field(chain, order="xt", predicts=predicts, t="integer", **vp)
    x, t = perfect.times(f)
    expected = Gaussian(size=SIZE, mean=MEAN, std=STD).velocity(x, f._path.held(t))
    assert torch.allclose(f.velocity(x, t), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("zero", ["noise", "data"])
def test_whole_steps_of_the_line_are_all_of_the_nearest_one_inside_the_clamp(zero, perfect):
    line = perfect.linear(zero, "x1", 100)
    seen = []

    def net(y, s):
        seen.append(s)
        return line(y, s)

    f = field(net, order="xt", zero=zero, predicts="x1", path="linear", t="integer", scale=100.0, t_max=0.999)
    x, t = torch.randn(50, SIZE, dtype=torch.float64), torch.linspace(0, 1, 50, dtype=torch.float64)
    at = (t.clamp(max=0.99) * 100).round() / 100
    expected = Gaussian(size=SIZE, mean=MEAN, std=STD).velocity(x, at)
    inside = at > 0  # the perfect net divides by its noise's share
    assert torch.allclose(f.velocity(x, t)[inside], expected[inside], rtol=0, atol=1e-9)
    told = (at if zero == "noise" else 1 - at) * 100
    assert seen[-1].tolist() == told.round().tolist()
    assert seen[-1].dtype == torch.int64


def test_samples_and_energies_of_an_edm_denoiser_are_those_of_the_closed_form(perfect):
    f = field(
        lambda y, s: perfect.exact(y.double(), 1.0, perfect.column(s), "denoised"),
        order="xt",
        predicts="denoised",
        path="sigma",
        sigma_min=0.002,
        sigma_max=80.0,
    )
    own = Runner(field=f, solver=Heun(steps=400), meters={"kpe": KPE()}).run(50, dtype=torch.float64)
    x0 = Runner(field=Gaussian(size=SIZE, mean=MEAN, std=STD), solver=Heun(steps=400), meters={"kpe": KPE()})
    true = x0.run(50, dtype=torch.float64)
    assert torch.allclose(own.samples, true.samples, rtol=0, atol=2e-4)
    assert torch.allclose(own.energy["kpe"], true.energy["kpe"], rtol=2e-4, atol=0)


def test_euler_over_mapped_noise_levels_is_the_euler_sampler_of_edm(perfect):
    """dy/dsigma = (y - D) / sigma by Euler in sigma is Euler in t along the line: a step is a convex combination."""
    sigmas = 80.0 * (0.002 / 80.0) ** np.linspace(0, 1, 12)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(SIZE, 8), nn.Tanh(), nn.Linear(8, SIZE)).double().eval()

    def denoiser(y, sigma):  # EDMPrecond's signature: a scalar or one sigma a sample, float32 or not
        sigma = perfect.column(sigma)
        return net(y / (1 + sigma**2).sqrt()) + y / (1 + sigma**2)

    f = field(denoiser, order="xt", predicts="denoised", path="sigma", sigma_min=0.002, sigma_max=80.0)
    x = torch.randn(6, SIZE, dtype=torch.float64)
    y = x * 81.0
    for s, following in itertools.pairwise(sigmas.tolist()):
        y = y + (following - s) * (y - denoiser(y, torch.full((6,), s, dtype=torch.float64))) / s
        t0, t1 = 1 / (1 + s), 1 / (1 + following)
        x = x + (t1 - t0) * f.velocity(x, torch.full((6,), t0, dtype=torch.float64))
        assert torch.allclose(y / (1 + following), x, rtol=1e-9, atol=1e-9)


def test_noise_of_another_scale_starts_and_converts_as_it_was_trained(perfect):
    scale = 2.0

    def net(y, s):  # y = s x1 + (1 - s) T e: as a line with noise of T, in units of T
        a = perfect.column(s)
        return MEAN + a * STD**2 / (a**2 * STD**2 + ((1 - a) * scale) ** 2) * (y - a * MEAN)

    f = field(net, order="xt", zero="noise", predicts="x1", path="linear", noise_scale=scale, t_max=0.999)
    z = torch.randn(400, SIZE, dtype=torch.float64)
    assert torch.equal(f.start(z), scale * z)
    run = Runner(field=f, solver=Heun(steps=300)).run(400, dtype=torch.float64)
    z = noise(0, range(400), (SIZE,), torch.float64)  # the flow carries T z to MEAN + STD z
    assert torch.allclose(run.samples, MEAN + STD * z, atol=2e-3)


def test_a_contract_of_a_field_is_kept():
    torch.manual_seed(0)
    net = nn.Linear(SIZE, SIZE).double().eval()
    check_field(
        field(lambda x, t: net(x.double()).to(x.dtype), order="xt", zero="noise", predicts="velocity", path="linear")
    )


def test_unconditional_samples_get_the_null_class():
    seen = []

    def net(x, t, labels):
        seen.append(labels)
        return x

    f = field(net, convention="sit")
    x, t = torch.randn(2, SIZE), torch.full((2,), 0.5)
    f.velocity(x, t)
    f.velocity(x, t, Batch(torch.arange(2)))
    f.velocity(x, t, Batch(torch.arange(2), torch.tensor([3, 5])))
    assert [labels.tolist() for labels in seen] == [[1000, 1000], [1000, 1000], [3, 5]]


def test_a_network_of_low_precision_is_asked_in_it_and_told_times_in_float32():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(SIZE, SIZE)

        def forward(self, x, t):
            assert x.dtype == torch.bfloat16
            assert t.dtype == self.expected
            return self.inner(x)

    linear_ = {"order": "xt", "zero": "noise", "predicts": "velocity", "path": "linear"}
    for dtype, expected in ((None, torch.float32), ("samples", torch.bfloat16)):
        net = Net().eval()
        net.expected = expected
        f = field(net, dtype="bfloat16", t_dtype=dtype, **linear_)
        v = f.velocity(torch.randn(4, SIZE), torch.rand(4))
        assert v.dtype == torch.float32


def checkpoint(folder, net, **more):
    torch.save({"ema": {f"module.{k}": v for k, v in net.state_dict().items()}, "step": 3, **more}, folder / "c.pt")
    return str(folder / "c.pt")


class Guarded(nn.Module):
    """Its `steered` is a second way to call it, as `forward_with_cfg` is."""

    def __init__(self):
        super().__init__()
        self.inner, self.drop = nn.Linear(SIZE, SIZE), nn.Dropout(0.5)

    def steered(self, x, t):
        return self.drop(self.inner(x))


def test_a_method_of_a_network_has_its_tensors_its_dtype_and_its_mode(tmp_path):
    net, other, line = Guarded(), Guarded().eval(), {"convention": "torchcfm", "order": "xt"}
    for part in ("", ", in its part 'drop'"):
        net.train(part == "")
        net.drop.train()
        with pytest.raises(OptionError, match=rf"Guarded is in training mode{part}: .*\n  Call net\.eval\(\) first"):
            field(net.steered, **line)
    save_file(other.state_dict(), tmp_path / "w.safetensors")
    f = field(net.eval().steered, weights=str(tmp_path / "w.safetensors"), dtype="float64", **line)
    x = torch.randn(4, SIZE, dtype=torch.float64)
    assert torch.equal(f.velocity(x, torch.zeros(4)), other.double().inner(x))
    assert hash_of(f) == hash_of(net) is not None
    assert device_of(f) == torch.device("cpu")
    with pytest.raises(OptionError, match=r"'dtype' is of an nn.Module or a method of one: .* is neither"):
        field(lambda x, t: x, dtype="float64", **line)


def test_weights_are_read_from_a_checkpoint_under_a_key_and_a_prefix(tmp_path):
    net, other = nn.Linear(SIZE, SIZE), nn.Linear(SIZE, SIZE).eval()
    path = checkpoint(tmp_path, net)
    f = field(
        other, weights=path, key="ema", prefix="module.", order="xt", zero="noise", predicts="velocity", path="linear"
    )
    assert torch.equal(other.weight, net.weight)
    assert f.time_map == "s = t, t in [0, 1]"
    save_file(net.state_dict(), tmp_path / "w.safetensors")
    field(other, weights=str(tmp_path / "w.safetensors"), convention="torchcfm")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "holds .* state dict"),
        ({"key": "model"}, "holds nothing under key = 'model'.*\n.*'ema'"),
        ({"key": "ema"}, r"2 of 2 missing: weight, bias; 2 of 2 unexpected: .*\n  Without .*prefix = 'module\.'"),
        ({"key": "ema", "prefix": "net."}, "no tensor whose name begins with prefix = 'net.'"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_counted_and_shown(tmp_path, more, message):
    path = checkpoint(tmp_path, nn.Linear(SIZE, SIZE))
    with pytest.raises(OptionError, match=message):
        field(nn.Linear(SIZE, SIZE).eval(), weights=path, convention="torchcfm", **more)


def test_a_pickle_is_refused_and_does_not_run(tmp_path, trap, marker):
    torch.save({"model": trap}, tmp_path / "evil.pt")
    with pytest.raises(OptionError, match="a pickle of more than tensors, which is never loaded"):
        field(nn.Linear(SIZE, SIZE).eval(), weights=str(tmp_path / "evil.pt"), convention="torchcfm")
    assert not marker.exists()


LINE = {"order": "xt", "zero": "noise", "predicts": "velocity", "path": "linear"}
VP = {"order": "xt", "predicts": "noise", "path": "vp", "beta_min": 1e-4, "beta_max": 0.02, "train_steps": 1000}
SIGMA = {"order": "xt", "predicts": "denoised", "path": "sigma", "sigma_min": 0.002, "sigma_max": 80.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs the option 'path', or a `convention` that has it: it is not guessed"),
        ({**LINE, "zero": None}, "needs the option 'zero'"),
        ({**LINE, "order": None}, "needs the option 'order'"),
        ({**LINE, "predicts": None}, "needs the option 'predicts'"),
        ({**LINE, "order": "yx"}, "'order' must be one of 'xt', 'tx', 'keywords', or nothing: 'yx'"),
        ({**LINE, "convention": "sit2"}, "'convention' must be one of"),
        ({**LINE, "predicts": "x1"}, "'t_max' must be below 1"),
        ({**LINE, "predicts": "noise"}, "'t_min' must be above 0"),
        ({**LINE, "t_min": 0.6, "t_max": 0.5}, "'t_min' must be below 't_max'"),
        ({**LINE, "path": "vp"}, "'zero' is for the linear path"),
        ({"order": "xt", "predicts": "velocity", "path": "vp"}, "'predicts' must be x1, noise, score, v or denoised"),
        ({"order": "xt", "predicts": "noise", "path": "vp"}, "needs the option 'beta_min'"),
        ({"order": "xt", "predicts": "noise", "path": "sigma", "sigma_min": 2.0, "sigma_max": 1.0}, "must be below"),
        ({**LINE, "shape": [0]}, "'shape' must be that of one sample"),
        ({**LINE, "shape": "4"}, "'shape' must be that of one sample"),
        ({**LINE, "output": True}, "'output' must be"),
        ({**LINE, "module": 3}, "'module' must be an nn.Module or a callable: 3"),
        ({**LINE, "module": nn.Dropout()}, r"Dropout is in training mode.*\n.*net\.eval\(\)"),
        ({**LINE, "key": "ema"}, "'key' is of a file of `weights`, and nothing reads it here: 'ema'"),
        ({**LINE, "prefix": "net."}, "'prefix' is of a file of `weights`"),
        ({**LINE, "beta_min": 0.1}, "'beta_min' is of the path 'vp', and nothing reads it here: 0.1"),
        ({**LINE, "betas": "cosine"}, "'betas' is of the path 'vp'"),
        ({**LINE, "train_steps": 10}, "'train_steps' is of the path 'vp'"),
        ({**VP, "sigma_max": 3.0}, "'sigma_max' is of the paths 've' and 'sigma'"),
        ({**VP, "betas": "cosine"}, "'beta_min' is of betas that are not 'cosine'"),
        ({**VP, "beta_min": 0.03}, "'beta_min' must be at most 'beta_max': 0.03 and 0.02"),
        ({**LINE, "labels": "one-hot"}, "'labels' is of networks with `classes`"),
        ({**LINE, "null": 0}, "'null' is of networks with `classes`, and nothing reads it here: 0"),
        ({**LINE, "classes": 3, "labels": "one-hot", "null": 2}, "'null' is of labels = 'index'"),
        ({**LINE, "keywords": ["x", "t"]}, "'keywords' is of order = 'keywords'"),
        ({**LINE, "order": "keywords", "keywords": ["x", "t"], "classes": 3}, r"must name x, t, classes: \['x', 't'\]"),
        ({**LINE, "order": "keywords", "keywords": ["x", "t", "y"]}, r"'keywords' must name x, t: "),
        ({**LINE, "order": "keywords", "second_time": "zero"}, r"must name x, t, a second time: \[\]"),
        ({**LINE, "t": "integer"}, "'scale' must be the whole number of steps where t = 'integer': 1"),
        ({**LINE, "t": "integer", "scale": 99.5}, "'scale' must be the whole number of steps"),
        ({**VP, "t": "integer", "scale": 0.001}, "'scale' must be 1 where steps of 'vp' are told whole"),
        ({**SIGMA, "t": "integer"}, "t = 'integer' is for the paths 'linear' and 'vp': 'sigma'"),
        ({**LINE, "weights": "x.pt"}, r"'weights' is of an nn\.Module or a method of one"),
    ],
)
def test_bad_options_are_named(options, message):
    given = {"module": lambda x, t: x, "shape": [SIZE], **options}
    with pytest.raises(OptionError, match=message):
        ModuleField(**given)


CODE = """
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(3, 3)
    def forward(self, x, t):
        return self.inner(x)
net = Net().eval()
def make(width=3):
    return Net()
def velocity(x, t):
    return -x
"""
RECIPE = """
[run]
samples = 4
[field]
name = "module"
shape = [3]
convention = "torchcfm"
order = "xt"
{more}
[solver]
name = "euler"
steps = 2
[energy.kpe]
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "my_net_of_a_test.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "my_net_of_a_test"


def test_a_recipe_takes_its_code_from_the_command_line_and_nothing_else(package, tmp_path):
    (tmp_path / "r.toml").write_text(RECIPE.format(more=""))
    with pytest.raises(RecipeError, match=r"field 'module' imports code .*--field module:PACKAGE\.MODULE:ATTRIBUTE"):
        load_recipe(tmp_path / "r.toml")
    for attribute in ("net", "Net", "make", "velocity", "net.forward"):
        recipe = load_recipe(tmp_path / "r.toml", field=f"module:{package}:{attribute}")
        assert isinstance(recipe.runners["base"].field, ModuleField)
    run = recipe.run(tmp_path / "out", "cpu")
    assert json.loads((run.folder / "provenance.json").read_text())["time_maps"] == {"base": ["s = t, t in [0, 1]"]}
    (tmp_path / "r.toml").write_text(RECIPE.format(more=f"module = '{package}:net'"))
    with pytest.raises(RecipeError, match="A recipe leaves out 'module'"):
        load_recipe(tmp_path / "r.toml", field=f"module:{package}:net")


@pytest.mark.parametrize("words", ["module", "module:", "module:x", ":a:b"])
def test_code_on_the_command_line_is_checked(package, tmp_path, words):
    (tmp_path / "r.toml").write_text(RECIPE.format(more=""))
    with pytest.raises(KineticError, match=r"--field must be module:PACKAGE\.MODULE:ATTRIBUTE"):
        load_recipe(tmp_path / "r.toml", field=words)


def test_flow_matching_samples_alike():
    """facebookresearch/flow_matching asks a model by keywords, with a time of no dimension."""
    solver = pytest.importorskip("flow_matching.solver", reason="flow_matching is not installed")
    utils = pytest.importorskip("flow_matching.utils", reason="flow_matching is not installed")

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(1)
            self.inner = nn.Sequential(nn.Linear(SIZE + 1, 16), nn.Tanh(), nn.Linear(16, SIZE))

        def forward(self, x, t):
            return self.inner(torch.cat([x, t.expand(len(x), 1)], 1))

    class Wrapper(utils.ModelWrapper):
        def forward(self, x, t, **extras):
            return self.model(x, t)

    net = Wrapper(Net()).eval()
    run = Runner(
        field=field(net, convention="flow-matching"), solver=Euler(steps=10), meters={"kpe": KPE()}
    ).run(8, dtype=torch.float32)  # fmt: skip
    z = noise(0, range(8), (SIZE,))
    theirs = solver.ODESolver(net).sample(x_init=z, step_size=0.1, method="euler", time_grid=torch.tensor([0.0, 1.0]))
    assert torch.allclose(run.samples, theirs, atol=1e-6)
