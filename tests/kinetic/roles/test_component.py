import attrs
import pytest
import torch
from kinetic_fields import Empirical
from kinetic_solvers import Heun

from kinetic import TensorData
from kinetic._roles.component import device_of, to_device


def test_a_final_class_cannot_be_subclassed_and_the_error_says_what_to_do():
    with pytest.raises(TypeError, match="Better subclasses Heun, which is final: wrap a Heun"):

        @attrs.frozen(eq=False)
        class Better(Heun):
            pass


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
