import attrs
import torch
from kinetic_energy import KPE
from kinetic_fields import Empirical, Gaussian
from kinetic_metrics import Memorisation
from kinetic_solvers import Heun
from torch import nn

from kinetic import Runner, VelocityField, registry
from kinetic._store.provenance import code_hashes, environment, options_of, owners, parts_of, weight_hashes


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
