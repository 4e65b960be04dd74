import attrs
import numpy as np
import pytest
import torch
from kinetic_data import ImageFolder, TensorFile
from kinetic_energy import KPE
from kinetic_fields import Empirical, Gaussian
from kinetic_metrics import Memorisation
from kinetic_solvers import Heun
from PIL import Image
from torch import nn

from kinetic import Runner, TensorData, VelocityField, registry
from kinetic._store.provenance import (
    code_hashes,
    data_hash,
    environment,
    identity,
    options_of,
    owners,
    parts_of,
    weight_hashes,
)


def test_options_are_spelt_out_under_their_registered_names():
    found = options_of(Memorisation(train=torch.zeros(4, 2)), registry())
    assert found["name"] == "memorisation"
    assert found["threshold"] == 1 / 3
    assert found["features"] is None
    assert found["train"] == {"name": "TensorData", "x": "tensor of shape (4, 2)", "labels": None}


def test_hashes_follow_the_tensors_and_nothing_else():
    def runner(data, steps=5):
        return parts_of(Runner(field=Empirical(data), solver=Heun(steps=steps), meters={"kpe": KPE()}))

    data = torch.randn(4, 3)
    hashes = weight_hashes({"a": runner(data), "b": runner(data.clone(), 9), "c": runner(data + 1e-6)})
    assert hashes["a"] == hashes["b"]
    assert hashes["a"]["field"] != hashes["c"]["field"]
    assert set(hashes["a"]) == {"field"}
    assert weight_hashes({"g": parts_of(Runner(field=Gaussian(), solver=Heun()))}) == {"g": {}}


@pytest.fixture
def images(tmp_path):
    """images(seed): a folder with other images under the same names."""

    def put(seed):
        for i, image in enumerate(np.random.default_rng(seed).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)):
            Image.fromarray(image).save(tmp_path / f"{i}.png")
        return ImageFolder(str(tmp_path))

    return put


def test_data_that_are_read_when_asked_for_are_hashed_point_by_point_and_those_that_are_held_are_not(images, tmp_path):
    first, same, other = (data_hash(Empirical(images(seed)), {}) for seed in (0, 0, 1))
    assert first == same != other
    assert data_hash(Empirical(TensorData(torch.randn(5, 2))), {}) is None
    np.save(tmp_path / "x.npy", np.zeros((5, 2), np.float32))
    assert data_hash(Empirical(TensorFile(str(tmp_path / "x.npy"), mapped=True)), {}) is None
    assert data_hash(Gaussian(), {}) is None


@pytest.mark.parametrize("of", ["field", "start"])
def test_an_image_that_changed_is_another_identity(of, images):
    def made(seed):
        data = images(seed)
        field = Empirical(data) if of == "field" else Gaussian(size=48)
        parts = {"a": parts_of(Runner(field=field, solver=Heun(steps=2), meters={}, metrics={}))}
        return identity(parts, {"a": 0}, registry(), torch.device("cpu"), data if of == "start" else None, ())

    first, same, other = made(0), made(0), made(1)
    assert first == same
    where = "[run]" if of == "start" else "a"
    assert {key for key in first[where] if first[where][key] != other[where][key]} >= {f"points of {of}"}


def test_what_judges_samples_is_not_read_for_their_identity(images):
    runner = Runner(field=Gaussian(size=48), solver=Heun(steps=2), metrics={"copies": Memorisation(train=images(0))})
    own = identity({"a": parts_of(runner)}, {"a": 0}, registry(), torch.device("cpu"), None, ())["a"]
    assert not [key for key in own if key.startswith("points of")]


def test_every_component_has_an_owner_with_its_distribution_and_version():
    metric = Memorisation(train=torch.zeros(4, 2))
    told = owners([Heun(), metric], registry())
    assert told["solver heun"].startswith("kinetic_solvers (kinetic-flow ")
    assert told["metric memorisation"].startswith("kinetic_metrics (kinetic-flow ")
    assert told["kinetic._roles.dataset.TensorData"] == "no plugin"


def test_the_environment_names_versions_and_device():
    found = environment(torch.device("cpu"))
    assert found["device"] == "cpu"
    assert found["packages"]["torch"] == torch.__version__.partition("+")[0]


class Block(nn.Module):
    pass


class Net(Block):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(2, 2)


def velocity(x, t):
    return -x


@attrs.frozen(eq=False)
class Mine(VelocityField):
    parts: tuple
    event_shape = torch.Size([2])

    def velocity(self, x, t, batch=None):
        return -x


def test_the_code_of_a_field_is_that_of_its_classes_their_bases_its_networks_and_functions():
    here = f"code of {__name__}."
    assert {*code_hashes(Mine((Net(), velocity, len)))} == {
        f"{here}{name}" for name in ("Mine", "Net", "Block", "velocity")
    }
    assert {*code_hashes(Gaussian())} == {"code of kinetic_fields.gaussian.Gaussian"}
