import numpy as np
import pytest
import torch
from kinetic_data import TensorFile
from safetensors.torch import save, save_file

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
    np.save(tmp_path / "ints.npy", np.arange(6).reshape(3, 2))
    with pytest.raises(OptionError, match=r"'x' must be floating point, or bytes of images \(uint8\): torch.int64"):
        TensorFile(str(tmp_path / "ints.npy"))
    for wrong in ({"key": 3}, {"labels": 3}):
        with pytest.raises(OptionError, match=f"'{next(iter(wrong))}' must be a string, or nothing: 3"):
            TensorFile(str(tmp_path / "a.npz"), **wrong)


@pytest.mark.parametrize("name", ["junk.npz", "cut.npz", "damaged.npz", "empty.npz", "words.npz"])
def test_an_npz_that_is_none_is_one_clear_error(x, name, tmp_path):
    np.savez_compressed(tmp_path / "good.npz", x=x.numpy())
    good = (tmp_path / "good.npz").read_bytes()
    damaged = good[:60] + bytes(byte ^ 255 for byte in good[60:160]) + good[160:]
    held = {"junk": b"PK\3\4junk", "cut": good[: len(good) // 2], "damaged": damaged, "empty": b"", "words": b"words"}
    (tmp_path / name).write_bytes(held[name.partition(".")[0]])
    with pytest.raises(OptionError, match=r"'path' cannot be read as a .npy, .npz or .safetensors file: .*: \w+: "):
        TensorFile(str(tmp_path / name))


def test_the_only_tensor_needs_no_name_and_of_several_x_is_taken(x, tmp_path):
    np.savez(tmp_path / "one.npz", arr_0=x.numpy())
    np.savez(tmp_path / "two.npz", arr_0=x.numpy(), arr_1=np.arange(11))
    np.savez(tmp_path / "x.npz", x=x.numpy(), arr_1=np.arange(11), text=np.array(["torch holds no text"]))
    save_file({"samples": x}, tmp_path / "one.safetensors")
    given_of = {"one.npz": {}, "two.npz": {"labels": "arr_1"}, "x.npz": {}, "one.safetensors": {}}
    for name, given in given_of.items():
        assert torch.equal(TensorFile(str(tmp_path / name), **given).read(0, 11), x)
    assert torch.equal(TensorFile(str(tmp_path / "one.safetensors"), mapped=True).read(0, 11), x)
    assert torch.equal(TensorFile(str(tmp_path / "two.npz")).read(0, 11), x)
    np.savez(tmp_path / "named.npz", one=x.numpy(), other=x.numpy())
    with pytest.raises(UnknownNameError, match=r"(?s)'x'.*known: one, other\n.*--set samples.key=NAME"):
        TensorFile(str(tmp_path / "named.npz"))


@pytest.mark.parametrize("suffix", [".NPY", ".Npz", ".SAFETENSORS"])
def test_a_suffix_may_be_written_in_any_case_and_a_path_with_any_letter(x, suffix, tmp_path):
    folder = tmp_path / "a [b] %20 #c é"
    folder.mkdir()
    path = folder / f"d=e;f{suffix}"
    with path.open("wb") as file:
        if suffix == ".SAFETENSORS":
            file.write(save({"x": x}))
        else:
            (np.save if suffix == ".NPY" else np.savez)(file, x.numpy())
    assert torch.equal(TensorFile(str(path), key="x" if suffix == ".NPY" else None).read(0, 11), x)
    if suffix != ".Npz":
        assert torch.equal(TensorFile(str(path), mapped=True).read(0, 11), x)


def test_statistics_are_no_points_and_the_error_says_where_they_go(tmp_path):
    for more in ({}, {"mu_s": np.zeros(2), "sigma_s": np.eye(2)}):
        np.savez(tmp_path / "s.npz", mu=np.zeros(3), sigma=np.eye(3), **more)
        with pytest.raises(OptionError, match=r"holds statistics, .*\n.*--set metrics\.frechet\.statistics=PATH"):
            TensorFile(str(tmp_path / "s.npz"))


def test_points_beside_statistics_are_read(x, tmp_path):
    """As in a reference batch of guided-diffusion."""
    bytes_of = np.random.default_rng(0).integers(0, 256, (5, 8, 6, 3), dtype=np.uint8)
    statistics = {"mu": np.zeros(3), "sigma": np.eye(3), "mu_s": np.zeros(2), "sigma_s": np.eye(2)}
    np.savez(tmp_path / "adm.npz", arr_0=bytes_of, **statistics)
    assert TensorFile(str(tmp_path / "adm.npz")).event_shape == (3, 8, 6)
    np.savez(tmp_path / "named.npz", images=x.numpy(), **statistics)
    assert torch.equal(TensorFile(str(tmp_path / "named.npz")).read(0, 11), x)
    with pytest.raises(UnknownNameError, match=r"holds no tensor named 'other'.*\n  known: arr_0, mu, mu_s"):
        TensorFile(str(tmp_path / "adm.npz"), key="other")


def test_bytes_of_images_are_read_as_images_and_a_note_says_so(tmp_path):
    bytes_of = np.random.default_rng(0).integers(0, 256, (5, 8, 6, 3), dtype=np.uint8)
    np.savez(tmp_path / "adm.npz", arr_0=bytes_of, arr_1=np.arange(5))
    data = TensorFile(str(tmp_path / "adm.npz"), key="arr_0", labels="arr_1")
    assert torch.equal(data.read(0, 5), torch.from_numpy(bytes_of).permute(0, 3, 1, 2).float() / 127.5 - 1)
    assert data.labels.tolist() == [0, 1, 2, 3, 4]
    assert "channels put first" in data.notes[0]
    check_dataset(data)


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("dtype", [">f4", ">f8", "<f4"])
def test_either_byte_order_is_read(x, dtype, mapped, tmp_path):
    np.save(tmp_path / "a.npy", x.numpy().astype(dtype))
    data = TensorFile(str(tmp_path / "a.npy"), mapped=mapped)
    assert torch.equal(data.read(2, 9).float(), x[2:9])
    assert torch.equal(data.take(torch.tensor([7, 0])).float(), x[[7, 0]])


def test_a_pickle_is_not_loaded(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(OptionError, match="allow_pickle=False"):
        TensorFile(str(tmp_path / "objects.npy"))
