import pytest
import torch
from kinetic_digits import Digits

from kinetic.errors import OptionError
from kinetic.testing import check_dataset

CHECKSUM = -1613369.875  # of the held-out digits, in order


def test_the_split_is_disjoint_whole_and_balanced():
    train, test, everything = Digits(), Digits("test"), Digits("all")
    assert (len(train), len(test), len(everything)) == (1437, 360, 1797)
    assert torch.equal(everything.read(0, 1797), torch.cat([train.read(0, 1437), test.read(0, 360)]))
    for data in (train, test):
        counts = torch.bincount(data.labels)
        assert len(counts) == 10
        assert counts.max() / counts.min() < 1.15


def test_the_split_is_the_one_the_weights_were_trained_on():
    """Another split would silently leak held-out digits into what the shipped nets learned."""
    assert Digits(size=10).labels.tolist() == Digits().labels[:10].tolist()
    checksum = (Digits("test").read(0, 360).flatten(1) * torch.arange(1, 361)[:, None]).sum().item()
    assert checksum == pytest.approx(CHECKSUM, abs=1)


def test_digits_are_images_in_range():
    data = Digits(size=256)
    assert data.event_shape == (1, 8, 8)
    assert data.read(0, 256).min() == -1
    assert data.read(0, 256).max() == 1
    check_dataset(data)


def test_a_size_out_of_range_is_named_with_its_bound():
    with pytest.raises(OptionError, match="'size' must be an int from 1 to 1437 for split 'train'"):
        Digits(size=1438)
    for size in (0, -3, 2.5, True):
        with pytest.raises(OptionError, match=f"'size' must be an int >= 1, or nothing: {size}"):
            Digits(size=size)
