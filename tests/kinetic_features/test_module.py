import pytest
import torch
from kinetic_features import ModuleFeatures
from torch import nn

import kinetic
from kinetic._experiment.score_command import features_table, load_score_job
from kinetic.errors import OptionError, RecipeError, ShapeError
from kinetic.testing import check_features

SOURCE = """
import torch
net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 5))
class Net(torch.nn.Module):
    def forward(self, x):
        return x.mean((2, 3))
class Holder:
    inner = Net()
def broken():
    raise RuntimeError("boom")
def nothing():
    return 3
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A module to be imported by name."""
    (tmp_path / "my_nets.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_network_is_found_made_and_asked(package):
    import my_nets

    x = torch.rand(4, 3, 4, 4) * 2 - 1
    assert torch.equal(ModuleFeatures("my_nets:net").features(x), my_nets.net(x))
    for words in ("my_nets:Net", "my_nets:Holder.inner"):
        assert torch.equal(ModuleFeatures(words).features(x), x.mean((2, 3)))
    assert torch.equal(ModuleFeatures(nn.Flatten()).features(x), x.flatten(1))
    check_features(ModuleFeatures(my_nets.net), (3, 4, 4))


def test_images_are_prepared_as_stated(tmp_path):
    net = nn.Conv2d(3, 2, 1)
    torch.save(net.state_dict(), tmp_path / "w.pth")
    stated = {"mean": [0.1, 0.2, 0.3], "std": (0.7, 0.8, 0.9)}
    space = ModuleFeatures(nn.Conv2d(3, 2, 1), weights=str(tmp_path / "w.pth"), size=6, **stated)
    x = torch.rand(2, 1, 6, 6) * 2 - 1
    mean, std = (torch.tensor(stated[name])[:, None, None] for name in stated)
    assert torch.allclose(space.features(x), net(((x + 1) / 2 - mean) / std).flatten(1), atol=1e-6)
    resized = nn.functional.interpolate((x + 1) / 2, (3, 3), mode="bicubic", antialias=True).clamp(0, 1)
    said = "gray repeated to 3 channels, resized to 6 x 6 (bicubic, antialiased, clipped), normalised with mean (0.1, "
    assert said in space.preprocessing
    assert ModuleFeatures(nn.Flatten()).preprocessing == "samples as they are"
    space = ModuleFeatures(nn.Flatten(), mean=[0.5] * 3, std=[0.5] * 3, size=3)
    assert torch.allclose(space.features(x), (2 * resized - 1).expand(-1, 3, -1, -1).flatten(1), atol=1e-6)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weights": "w.pth"}, "'mean' and 'std' must be given beside 'weights', which say nothing of preprocessing"),
        ({"mean": [0.5] * 3}, "both or neither"),
        ({"mean": [0.5] * 2, "std": [0.5] * 3}, "'mean' must be three numbers"),
        ({"mean": [0.5] * 3, "std": [0.5, 0, 0.5]}, "'std' must be above 0"),
        ({"size": 4}, "'size' must be given with 'mean' and 'std'"),
        ({"size": 0}, "'size' must be an int >= 1"),
        ({"module": "my_nets"}, "must be an nn.Module, or PACKAGE.MODULE:ATTRIBUTE: 'my_nets'"),
        ({"module": 3}, "must be an nn.Module, or PACKAGE.MODULE:ATTRIBUTE: 3"),
        ({"module": "no_such_package:net"}, "cannot be made from .*: ModuleNotFoundError"),
        ({"module": "my_nets:other"}, "cannot be made from .*: AttributeError"),
        ({"module": "my_nets:broken"}, "cannot be made from .*: RuntimeError: boom"),
        ({"module": "my_nets:nothing"}, "'my_nets:nothing' is int"),
    ],
)
def test_a_wrong_option_is_named(package, given, said):
    with pytest.raises(OptionError, match=said):
        ModuleFeatures(**{"module": nn.Flatten(), **given})


def test_an_answer_that_is_no_vector_for_each_sample_is_refused():
    assert ModuleFeatures(nn.Sequential(nn.Flatten(), nn.Flatten(0))).features(torch.zeros(4, 1)).shape == (4, 1)
    with pytest.raises(ShapeError, match=r"Flatten must answer 16 samples with as many vectors: \(32,\)"):
        ModuleFeatures(nn.Flatten(0)).features(torch.zeros(4, 2))


def test_no_recipe_may_name_it_and_the_command_line_may(package, tmp_path, monkeypatch):
    import numpy as np

    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((9, 3, 4, 4), np.float32))
    said = (
        "features 'module' imports code that its options name, which no recipe may: make it in Python, or on a command"
    )
    (tmp_path / "m.toml").write_text("[metrics.vendi]\nfeatures = { name = 'module', module = 'my_nets:Net' }\n")
    with pytest.raises(RecipeError, match=said):
        load_score_job(str(tmp_path / "x.npy"), str(tmp_path / "m.toml"))
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        "[run]\nsamples = 2\n[field]\nname = 'gaussian'\n[solver]\nname = 'euler'\n"
        "[metrics.vendi]\nfeatures = { name = 'module', module = 'my_nets:Net' }\n"
    )
    with pytest.raises(RecipeError, match=said):
        kinetic.load_recipe(recipe)
    monkeypatch.chdir(tmp_path)
    words = [str(tmp_path / "x.npy"), "vendi"]
    scoring = load_score_job(
        *words, features="module:my_nets:Net", overrides=["features.mean=[0,0,0]", "features.std=[1,1,1]"]
    )
    space = scoring.metrics["vendi"].features
    assert isinstance(space, ModuleFeatures)
    assert space.std == (1, 1, 1)
    with pytest.raises(OptionError, match=r"features must be a name, or module:.*\n  Options are given apart"):
        features_table("dinov2:vit_tiny")


def test_another_default_dtype_changes_nothing(package, tmp_path, other_default):
    torch.save({"1.weight": torch.rand(5, 48), "1.bias": torch.rand(5)}, tmp_path / "w.pth")
    (tmp_path / "made_here.py").write_text(SOURCE + "def make():\n    return torch.nn.Sequential(*net)\n")
    stated = {"weights": str(tmp_path / "w.pth"), "mean": [0.1] * 3, "std": [0.9] * 3}
    x = torch.rand(2, 3, 4, 4)
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 5))
    features = ModuleFeatures(net, **stated).features(x)
    with other_default():
        assert torch.equal(ModuleFeatures("made_here:make", **stated).features(x), features)
        assert torch.equal(ModuleFeatures(net).features(x), net(x))
    assert features.dtype == torch.float32


def test_samples_come_in_the_dtype_of_the_network():
    x = torch.rand(2, 3, 4, 4)
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 5)).double()
    assert torch.allclose(ModuleFeatures(net).features(x), net(x.double()))
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 5))
    assert torch.allclose(ModuleFeatures(net).features(x.double()), net(x))
