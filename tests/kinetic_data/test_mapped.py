import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from kinetic_data import TensorFile
from kinetic_data.mapped import Mapped
from kinetic_fields import Empirical
from safetensors.torch import save_file

from kinetic._roles.tree import to_device
from kinetic.errors import OptionError, ShapeError, UnknownNameError
from kinetic.testing import check_dataset


@pytest.fixture
def x():
    return torch.randn(11, 2, 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_mapped_file_holds_the_points_of_a_loaded_one(x, tmp_path, dtype):
    x = x.to(dtype)
    np.save(tmp_path / "a.npy", x.numpy())
    save_file({"x": x, "first": torch.zeros(3), "y": torch.arange(11)}, tmp_path / "a.safetensors")
    for name, options in (("a.npy", {}), ("a.safetensors", {"labels": "y"})):
        data, loaded = (TensorFile(str(tmp_path / name), mapped=mapped, **options) for mapped in (True, False))
        assert torch.equal(data.read(2, 9), loaded.read(2, 9))
        assert torch.equal(data.take(torch.tensor([7, 0])), x[[7, 0]])
        assert data.labels is None if name == "a.npy" else torch.equal(data.labels, loaded.labels)
        check_dataset(data)


def test_the_points_stay_in_the_file(x, tmp_path):
    np.save(tmp_path / "a.npy", x.numpy())
    data = TensorFile(str(tmp_path / "a.npy"), mapped=True)
    assert to_device(data, torch.device("meta")) is data
    block = data.read(0, 4)
    assert np.shares_memory(block.numpy(), data._data.array)
    assert isinstance(data._data.array, np.memmap)
    assert not data._data.array.flags.writeable  # a private, writable map is refused where the file exceeds the memory


def test_bytes_of_images_stay_in_the_file_too(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (11, 8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "a.npy", x)
    (tmp_path / "a.npy").rename(tmp_path / "a.NPY")
    save_file({"x": torch.from_numpy(x), "y": torch.arange(11)}, tmp_path / "a.SafeTensors")
    for name, options in (("a.NPY", {}), ("a.SafeTensors", {"labels": "y"})):
        data, loaded = (TensorFile(str(tmp_path / name), mapped=mapped, **options) for mapped in (True, False))
        assert torch.equal(data.read(2, 9), loaded.read(2, 9))
        assert torch.equal(data.take(torch.tensor([7, 0])), loaded.take(torch.tensor([7, 0])))
        assert data.notes == loaded.notes
        assert isinstance(data._data.x, np.memmap)
        assert to_device(data, torch.device("meta"))._data.x is data._data.x
        check_dataset(data)


@pytest.mark.parametrize("mapped", [True, False])
def test_other_integers_are_refused_in_the_same_words(mapped, tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6).reshape(3, 2))
    with pytest.raises(OptionError, match=r"'x' must be floating point, or bytes of images \(uint8\): .*int64"):
        TensorFile(str(tmp_path / "a.npy"), mapped=mapped)


def test_the_closed_form_field_reads_it_as_any_other(x, tmp_path):
    np.save(tmp_path / "a.npy", x.numpy())
    at, t = torch.randn(5, 2, 3), torch.full((5,), 0.4)
    mapped = Empirical(TensorFile(str(tmp_path / "a.npy"), mapped=True)).velocity(at, t)
    assert torch.equal(mapped, Empirical(x).velocity(at, t))


_MEASURE = """
import sys, torch
from kinetic_data import TensorFile
from kinetic_fields import Empirical

def own():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("RssAnon"))) / 1024

torch.set_num_threads(1)
Empirical(torch.randn(5, 3072)).velocity(torch.randn(2, 3072), torch.full((2,), 0.5))
before = own()
field = Empirical(TensorFile(sys.argv[1], mapped=True))
field.velocity(torch.randn(2, 3072), torch.full((2,), 0.5))
print(own() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads what Linux says of a process")
def test_the_memory_a_velocity_takes_does_not_grow_with_the_file(tmp_path):
    """What blocks and their product leave in the heap differs from process to process, between 20 and 170 MiB here."""
    array = np.lib.format.open_memmap(tmp_path / "a.npy", mode="w+", dtype=np.float32, shape=(30_000, 3072))
    array[::1000] = np.random.default_rng(0).standard_normal((30, 3072))
    del array
    command = [sys.executable, "-c", _MEASURE, tmp_path / "a.npy"]
    grown = [float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(2)]
    assert min(grown) < 200  # MiB, of a file of 352, which in float64 would be 703


def test_bad_files_are_named(x, tmp_path):
    np.savez(tmp_path / "a.npz", x=x.numpy())
    with pytest.raises(OptionError, match=r"'mapped' needs a .npy or .safetensors file"):
        TensorFile(str(tmp_path / "a.npz"), mapped=True)
    (tmp_path / "a.npy").write_text("text")
    with pytest.raises(OptionError, match="'path' cannot be mapped"):
        TensorFile(str(tmp_path / "a.npy"), mapped=True)
    save_file({"x": x.bfloat16()}, tmp_path / "half.safetensors")
    with pytest.raises(OptionError, match="tensor 'x' is BF16"):
        TensorFile(str(tmp_path / "half.safetensors"), mapped=True)
    with pytest.raises(UnknownNameError, match="holds no tensor named 'z'"):
        TensorFile(str(tmp_path / "half.safetensors"), key="z", mapped=True)
    header = json.dumps({"x": {"dtype": "F32", "shape": [9, 9], "data_offsets": [0, 324]}}).encode()
    (tmp_path / "short.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"0000")
    with pytest.raises(OptionError, match="'path' cannot be mapped"):
        TensorFile(str(tmp_path / "short.safetensors"), mapped=True)


def test_bad_points_are_named(x):
    x[6, 1, 2] = torch.nan
    with pytest.raises(OptionError, match="data must be finite: point number 6 is not"):
        Mapped(x.numpy())
    with pytest.raises(OptionError, match="data must be floating point: int64"):
        Mapped(np.arange(6).reshape(3, 2))
    with pytest.raises(ShapeError, match="n >= 1"):
        Mapped(np.zeros((0, 2)))
    with pytest.raises(ShapeError, match=r"labels must have shape \(3,\): \(2,\)"):
        Mapped(np.zeros((3, 2)), torch.zeros(2, dtype=torch.int64))


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("junk.safetensors", b"\xff" * 40),
        ("list.safetensors", (2).to_bytes(8, "little") + b"[]"),
        ("bare.safetensors", (10).to_bytes(8, "little") + b'{"x": {} }'),
        ("empty.npy", b""),
        ("empty.safetensors", b""),
    ],
)
def test_every_broken_file_is_one_clear_error(name, content, mapped, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(OptionError, match="'path' cannot be"):
        TensorFile(str(tmp_path / name), mapped=mapped)


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("dtype", ["longdouble", [("a", "f4"), ("b", "f4")]])
def test_what_torch_cannot_hold_is_refused(dtype, mapped, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 2), dtype))
    with pytest.raises(OptionError):
        TensorFile(str(tmp_path / "a.npy"), mapped=mapped)


@pytest.mark.parametrize("mapped", [True, False])
def test_labels_that_are_no_integers_are_refused(x, mapped, tmp_path):
    save_file({"x": x, "y": torch.rand(11)}, tmp_path / "a.safetensors")
    with pytest.raises(OptionError, match=r"'labels' must name a tensor of integers: 'y' is torch\.float32"):
        TensorFile(str(tmp_path / "a.safetensors"), labels="y", mapped=mapped)
