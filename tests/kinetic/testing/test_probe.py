"""What checks ask with."""

import math

import pytest
import torch

from kinetic.testing.probe import apart, close, copied, home, in_training, jump, normal, own_dtypes


@pytest.mark.parametrize("where", [0.01, 0.37, 0.5, 0.9])
def test_a_jump_is_narrowed_down_to_its_time(where):
    assert jump(lambda t: (t >= where).double(), ()) == pytest.approx(where, abs=1e-6)
    assert jump(lambda t: (t >= where).double(), (where,)) is None


@pytest.mark.parametrize(
    "smooth",
    [lambda t: t, lambda t: torch.tanh(200 * (t - 0.5)), lambda t: 1 / (1.001 - t), torch.sqrt, torch.zeros_like],
)
def test_a_steep_function_has_no_jump(smooth):
    assert jump(smooth, ()) is None


def test_numbers_are_the_same_each_time_and_draw_on_nothing():
    state = torch.random.get_rng_state()
    assert torch.equal(normal(3, 2), normal(3, 2))
    assert not torch.equal(normal(3, 2), normal(3, 2, seed=1))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_close_is_relative_to_the_largest_number_and_nan_is_close_to_nan():
    big = torch.tensor([1e6, 0.0])
    assert close(big + 1, big, 1e-5)
    assert not close(big + 100, big, 1e-5)
    assert close(torch.tensor([math.nan, math.inf]), torch.tensor([math.nan, math.inf]), 0)
    assert not close(torch.tensor([math.nan]), torch.tensor([0.0]), 1)
    assert not close(torch.zeros(2), torch.zeros(3), 1)
    assert apart(torch.zeros(2), torch.zeros(3)) == "(2,) beside (3,)"
    assert apart(torch.zeros(2), torch.ones(2)) == "a difference of 1"


def test_a_component_is_asked_in_the_dtype_of_its_networks():
    net = torch.nn.Linear(2, 2)
    assert own_dtypes([net]) == (torch.float32,)
    assert own_dtypes([net.double()]) == (torch.float64,)
    assert own_dtypes([torch.zeros(3)]) == (torch.float32, torch.float64)


def test_parts_that_train_are_named_where_training_matters():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(), torch.nn.BatchNorm1d(2))
    assert in_training([net]) == ["Dropout", "BatchNorm1d"]
    assert in_training([net.eval()]) == []


def test_what_cannot_be_copied_is_none():
    net = torch.nn.Linear(2, 2)
    assert copied(net) is not net
    assert copied(x for x in "abc") is None


def test_a_component_is_asked_where_its_tensors_are():
    assert home([torch.zeros(2, device="meta")]).type == "meta"
    assert home(["nothing"]).type == "cpu"
