import hashlib

import pytest
import torch
from kinetic_features import Pixels
from kinetic_fields import Empirical
from kinetic_metrics import KNNSupport, Memorisation
from kinetic_solvers import Heun

from kinetic import Dataset, FeatureSpace, TensorData
from kinetic._roles.features import wrap
from kinetic._roles.tree import device_of, hash_of, inside, options_given, rebuild, to_device, unwrap, walk


def test_moving_reaches_tensors_inside_components_and_leaves_the_original():
    field = Empirical(torch.ones(3, 2))
    there = to_device({"a": [field, 1, "x"]}, "meta")
    assert there["a"][0].data.x.device.type == "meta"
    assert field.data.x.device.type == "cpu"
    assert there["a"][1:] == [1, "x"]


def test_what_is_already_there_is_returned_itself():
    data = TensorData(torch.ones(2, 2))
    values = [data, {"k": data}, (data,), "word", 3]
    assert to_device(values, "cpu") is values


def test_the_device_is_that_of_the_first_tensor_inside():
    field = Empirical(torch.ones(3, 2))
    assert device_of(field).type == "cpu"
    assert device_of(to_device(field, "meta")).type == "meta"
    assert device_of(torch.nn.Linear(2, 2, device="meta")).type == "meta"
    assert device_of((1, [Heun(steps=2)])) is None


def test_what_is_held_twice_is_walked_once_and_there_once_on_the_device():
    data = TensorData(torch.ones(3, 2))
    parts = {"field": Empirical(data), "metrics": [Memorisation(data), KNNSupport(data, k=2)]}
    assert [each for each in walk(parts) if each is data.x] == [data.x]
    assert inside(parts, Dataset) == [data]
    there = to_device(parts, "meta")
    (moved,) = inside(there, Dataset)
    assert there["field"].data is there["metrics"][0].train is there["metrics"][1].reference is moved


def test_a_memo_makes_one_of_what_two_calls_share():
    data, memo = TensorData(torch.ones(3, 2)), {}
    one, other = (to_device(part, "meta", memo) for part in (Empirical(data), Memorisation(data)))
    assert one.data is other.train


def test_a_part_is_put_in_the_place_of_another_wherever_it_is():
    space = Pixels()
    stand_in = wrap(space, lambda inner, x: inner.features(x) + 1)
    parts = [KNNSupport(torch.ones(3, 2), features=space, k=1), {"again": (space,)}]
    rebuilt = rebuild(parts, lambda each: stand_in if each is space else each)
    assert rebuilt[0].features is rebuilt[1]["again"][0] is stand_in
    assert parts[0].features is space
    assert unwrap(stand_in) is space
    assert inside(rebuilt, FeatureSpace) == [stand_in, space]


def test_a_hash_is_that_of_types_shapes_and_bytes():
    x = torch.arange(4.0)
    inner = hashlib.sha256(b"torch.float32(4,)" + x.numpy().tobytes()).digest()
    assert hash_of([x]) == hashlib.sha256(inner).hexdigest()
    assert hash_of([x, x]) == hash_of([x])
    assert hash_of(Heun()) is None
    assert hash_of(torch.nn.ReLU()) is None


def test_options_go_by_the_names_of_a_recipe():
    given = options_given(Heun(steps=3))
    assert given["steps"] == 3
    assert "grid" in given


@pytest.mark.parametrize("mark", ["hf_device_map", "is_quantized", "quantization_method"])
def test_networks_that_are_offloaded_or_quantised_stay_where_they_are(mark):
    inner = torch.nn.Linear(2, 2)
    net = torch.nn.Sequential(inner)
    setattr(inner, mark, "cpu")
    assert to_device([net], torch.device("meta"))[0][0].weight.device.type == "cpu"
    setattr(inner, mark, None)
    assert to_device([net], torch.device("meta"))[0][0].weight.is_meta


def test_networks_without_data_stay_where_they_are():
    net = torch.nn.Linear(2, 2, device="meta")
    assert to_device([net], torch.device("cpu"))[0].weight.is_meta
