import argparse
import os
import pickle
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from kinetic.errors import MissingFileError, OptionError
from kinetic.networks import (
    fill,
    float32_layers,
    import_from_here,
    imported,
    in_dtype_of,
    made,
    state_dict,
    tensors_only,
)


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


def test_what_does_not_fit_is_counted_and_shown(tmp_path):
    net = nn.Sequential(*[nn.Linear(3, 3) for _ in range(3)])
    torch.save({"0.weight": torch.zeros(2, 3), "0.bias": torch.zeros(3), "other": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(OptionError, match="does not hold a net") as caught:
        fill(net, tmp_path / "w.pth", "a net")
    assert str(caught.value).endswith(
        "4 of 6 missing: 1.weight, 1.bias, 2.weight, 2.bias; 1 of 3 unexpected: other; "
        "1 of 6 of another shape: 0.weight ((2, 3) for (3, 3))"
    )


@pytest.mark.parametrize("start", ["module.", "_orig_mod.", "module._orig_mod.", "ema_model."])
def test_a_prefix_is_taken_off_when_it_is_declared_and_named_when_it_is_not(start, tmp_path):
    net, other = nn.Linear(3, 2), nn.Linear(3, 2)
    save_file({start + name: value for name, value in net.state_dict().items()}, tmp_path / "w.safetensors")
    with pytest.raises(OptionError, match=rf"2 of 2 missing: weight, bias; .*\n.* would fit: prefix = '{start}'"):
        fill(other, tmp_path / "w.safetensors", "Linear")
    fill(other, tmp_path / "w.safetensors", "Linear", prefix=start)
    assert torch.equal(other.weight, net.weight)
    with pytest.raises(OptionError, match=r"holds no tensor whose name begins with prefix = 'net\.'"):
        fill(other, tmp_path / "w.safetensors", "Linear", prefix="net.")


def test_a_prefix_leaves_the_other_networks_of_a_checkpoint(tmp_path):
    net, other = nn.Linear(3, 2), nn.Linear(3, 2)
    pairs = {
        f"{start}.{name}": value
        for start, n in (("ema", net), ("raw", other))
        for name, value in n.state_dict().items()
    }
    torch.save(pairs, tmp_path / "w.pth")
    fill(other, tmp_path / "w.pth", "Linear", prefix="ema.")
    assert torch.equal(other.weight, net.weight)


def test_a_state_dict_inside_a_checkpoint_is_read_by_its_key(tmp_path):
    net = nn.Linear(3, 2)
    held = {"args": argparse.Namespace(lr=1.0), "step": 3, "ema": net.state_dict(), "deep": {"model": net.state_dict()}}
    torch.save(held, tmp_path / "w.pt")
    assert torch.equal(state_dict(tmp_path / "w.pt", key="ema")["weight"], net.weight)
    assert torch.equal(state_dict(tmp_path / "w.pt", key="deep.model")["weight"], net.weight)
    with pytest.raises(OptionError, match=r"several state dicts, and is none itself: .*\n  Say which: key = 'ema'"):
        state_dict(tmp_path / "w.pt")
    with pytest.raises(OptionError, match=r"Say which: key = 'deep\.model'"):
        state_dict(tmp_path / "w.pt", key="deep")
    with pytest.raises(OptionError, match=r"holds nothing under key = 'emma': .*\n  It has 'deep' or 'ema'"):
        state_dict(tmp_path / "w.pt", key="emma")
    torch.save(net.state_dict(), tmp_path / "flat.pt")
    with pytest.raises(OptionError, match=r"Its tensors lie at the top: leave out `key`"):
        state_dict(tmp_path / "flat.pt", key="ema")


def test_what_a_name_stands_for_is_imported_and_a_factory_is_called(tmp_path, monkeypatch):
    (tmp_path / "nets_to_import.py").write_text(
        "import torch\nclass A:\n    one = torch.nn.Linear(1, 1)\ndef bad():\n    1 / 0\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    import_from_here()
    assert isinstance(imported("nets_to_import:A.one"), nn.Linear)
    with pytest.raises(OptionError, match="'module' cannot be made from 'nets_to_import:bad': ZeroDivisionError"):
        made("nets_to_import:bad", imported("nets_to_import:bad"))
    for words, said in (
        (3, "must be a net, or PACKAGE"),
        ("nets_to_import", "must be a net"),
        ("no_such:a", "ModuleNot"),
    ):
        with pytest.raises(OptionError, match=said):
            imported(words, "a net")
