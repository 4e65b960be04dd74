import pickle

import pytest
import torch
from kinetic_features.weights import fill, state_dict
from safetensors.torch import save_file
from torch import nn

from kinetic.errors import MissingFileError, OptionError


@pytest.mark.parametrize("suffix", ["safetensors", "SAFETENSORS", "pth", "PTH"])
def test_a_state_dict_is_read_and_fills_a_network(suffix, tmp_path):
    net, other, path = nn.Linear(3, 2), nn.Linear(3, 2), tmp_path / f"w.{suffix}"
    state = {**net.state_dict(), "head.weight": torch.zeros(4)}
    save_file(state, path) if suffix.lower() == "safetensors" else torch.save(state, path)
    assert set(state_dict(path)) == {"weight", "bias", "head.weight"}
    fill(other, path, "Linear", ("head.",))
    assert torch.equal(other.weight, net.weight)
    with pytest.raises(OptionError, match=r"'weights' does not hold Linear: .* Unexpected key.* \"head.weight\""):
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


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_a_pickle_is_not_loaded(tmp_path):
    (tmp_path / "a.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
    torch.save({"a": Trap()}, tmp_path / "b.pth")
    for name in ("a.pth", "b.pth"):
        with pytest.raises(OptionError, match="'weights' cannot be read as tensors alone") as caught:
            state_dict(tmp_path / name)
        assert "weights_only" not in str(caught.value)
