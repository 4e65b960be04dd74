import os
import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from kinetic.errors import MissingFileError, OptionError
from kinetic.networks import fill, float32_layers, in_dtype_of, state_dict, tensors_only


@pytest.mark.parametrize("suffix", ["safetensors", "SAFETENSORS", "pth", "PTH"])
def test_a_state_dict_is_read_and_fills_a_network(suffix, tmp_path):
    net, other, path = nn.Linear(3, 2), nn.Linear(3, 2), tmp_path / f"w.{suffix}"
    state = {**net.state_dict(), "head.weight": torch.zeros(4)}
    save_file(state, path) if suffix.lower() == "safetensors" else torch.save(state, path)
    assert set(state_dict(path)) == {"weight", "bias", "head.weight"}
    fill(other, path, "Linear", ("head.",))
    assert torch.equal(other.weight, net.weight)
    with pytest.raises(OptionError, match=r"'weights' does not hold Linear: .*: 1 of 3 unexpected: head\.weight$"):
        fill(other, path, "Linear")


def test_a_file_that_is_none_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"weights: there is no '/no/such'\n.*state dict"):
        state_dict("/no/such")
    for name in ("a.safetensors", "a.pth"):
        (tmp_path / name).write_text("text")
        with pytest.raises(OptionError, match="'weights' cannot be read as tensors alone") as caught:
            state_dict(tmp_path / name)
        assert "weights_only" not in str(caught.value)
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(OptionError, match="'weights' must hold a state dict"):
        state_dict(tmp_path / "list.pth")


def test_a_pickle_is_not_loaded(tmp_path, trap, marker):
    (tmp_path / "a.pth").write_bytes(pickle.dumps(trap, protocol=2))
    torch.save({"a": trap}, tmp_path / "b.pth")
    for name in ("a.pth", "b.pth"):
        with pytest.raises(OptionError, match="'weights' cannot be read as tensors alone") as caught:
            state_dict(tmp_path / name)
        assert "weights_only" not in str(caught.value)
    assert not marker.exists()


def test_no_library_unpickles_more_than_tensors_while_it_may_not(tmp_path, trap, marker, monkeypatch):
    torch.save({"a": trap}, tmp_path / "a.pth")
    for kept in ({}, {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}):
        for name, value in kept.items():
            monkeypatch.setenv(name, value)
        before = dict(os.environ)
        with tensors_only(), pytest.raises(pickle.UnpicklingError):
            torch.load(tmp_path / "a.pth", weights_only=False)
        assert not marker.exists()
        assert os.environ == before
    torch.load(tmp_path / "a.pth", weights_only=False)
    assert marker.exists()


def test_layers_are_float32_while_asked_for_and_the_default_comes_back(other_default):
    with other_default():
        before = torch.get_default_dtype()
        with float32_layers():
            assert nn.Linear(1, 1).weight.dtype == torch.float32
        assert torch.get_default_dtype() == before
        with pytest.raises(TypeError), float32_layers():
            nn.Linear()
        assert torch.get_default_dtype() == before


def test_samples_take_the_dtype_of_the_parameters_where_there_is_one():
    x, net = torch.ones(2, 3), nn.Linear(3, 3)
    assert in_dtype_of(nn.Flatten(), x) is in_dtype_of(net, x) is x
    assert in_dtype_of(net.double(), x).dtype == torch.float64
    assert in_dtype_of(nn.Sequential(nn.Linear(3, 3), net), x) is x  # float32 and float64: it converts by itself
    assert in_dtype_of(net, x.long()).dtype == torch.int64
