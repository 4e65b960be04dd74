import numpy as np
import pytest
import torch
from kinetic_data import TensorFile
from safetensors.torch import save_file

from kinetic.errors import MissingFileError, OptionError, UnknownNameError
from kinetic.testing import check_dataset


@pytest.fixture
def x():
    return torch.randn(11, 2, 3)


def test_each_format_gives_the_points_back(x, tmp_path):
    np.save(tmp_path / "a.npy", x.numpy())
    np.savez(tmp_path / "a.npz", x=x.numpy(), y=np.arange(11))
    save_file({"x": x, "y": torch.arange(11)}, tmp_path / "a.safetensors")
    for name, options in (("a.npy", {}), ("a.npz", {"labels": "y"}), ("a.safetensors", {"labels": "y"})):
        data = TensorFile(str(tmp_path / name), **options)
        assert torch.equal(data.read(0, 11), x)
        assert data.labels is None if name == "a.npy" else data.labels.tolist() == list(range(11))
        check_dataset(data)


def test_bad_files_are_named(x, tmp_path):
    with pytest.raises(MissingFileError, match="data: there is no"):
        TensorFile(str(tmp_path / "none.npy"))
    np.savez(tmp_path / "a.npz", x=x.numpy())
    with pytest.raises(UnknownNameError, match="holds no tensor named 'z'"):
        TensorFile(str(tmp_path / "a.npz"), key="z")
    (tmp_path / "a.npy").write_text("text")
    with pytest.raises(OptionError, match="'path' cannot be read"):
        TensorFile(str(tmp_path / "a.npy"))
    np.save(tmp_path / "bytes.npy", np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(OptionError, match=r"torch.uint8\n  Bytes of images become x / 127.5 - 1"):
        TensorFile(str(tmp_path / "bytes.npy"))
    np.save(tmp_path / "ints.npy", np.arange(6).reshape(3, 2))
    with pytest.raises(OptionError, match="floating-point tensor"):
        TensorFile(str(tmp_path / "ints.npy"))


def test_a_pickle_is_not_loaded(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(OptionError, match="allow_pickle=False"):
        TensorFile(str(tmp_path / "objects.npy"))
