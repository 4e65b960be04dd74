import pytest
import torch

from kinetic._sample.shard import Shard, blocks
from kinetic._sample.stored_samples import StoredSamples


class Counting:
    """A store that counts how often a shard is read."""

    def __init__(self, x, spans):
        self.x, self.spans, self.reads = x, spans, []

    def read(self, start, stop):
        self.reads.append((start, stop))
        return Shard(start, self.x[start:stop], -self.x[start:stop], {})


@pytest.fixture
def stored():
    spans = tuple(blocks(23, 5))
    return StoredSamples(Counting(torch.randn(23, 3), spans), spans, "samples", torch.Size([3]), torch.float32)


def test_each_shard_with_a_sample_that_is_asked_for_is_read_once(stored):
    picked = stored[torch.tensor([22, 4, 0, 22])]
    assert torch.equal(picked, stored.store.x[[22, 4, 0, 22]])
    assert sorted(stored.store.reads) == [(0, 5), (20, 23)]


@pytest.mark.parametrize("index", [slice(None), slice(3, 17), slice(None, None, 4), slice(-6, None), slice(9, 9)])
def test_a_range_is_that_of_a_tensor(stored, index):
    assert torch.equal(stored[index], stored.store.x[index])


def test_negative_ids_and_masks_are_those_of_a_tensor(stored):
    x = stored.store.x
    assert torch.equal(stored[torch.tensor([-1, -23])], x[[-1, -23]])
    assert torch.equal(stored[x[:, 0] > 0], x[x[:, 0] > 0])


@pytest.mark.parametrize("index", [[22, 4, 0, -1], [True] * 20 + [False] * 3, []])
def test_a_list_is_taken_as_a_tensor_takes_it(stored, index):
    assert torch.equal(stored[index], stored.store.x[index])


def test_an_id_beyond_the_last_is_an_error(stored):
    for beyond in (23, -24):
        with pytest.raises(IndexError, match=f"{beyond} is out of range for 23 samples"):
            stored[torch.tensor([0, beyond])]


@pytest.mark.parametrize(("index", "words"), [([True, False], "a mask of 2 does not fit 23"), ([1.5], "whole numbers")])
def test_what_picks_nothing_of_a_tensor_picks_nothing_here(stored, index, words):
    with pytest.raises(IndexError, match=words):
        stored[index]


def test_blocks_are_the_shards_and_make_up_the_whole(stored):
    assert [len(block) for block in stored.blocks()] == [5, 5, 5, 5, 3]
    assert torch.equal(stored.tensor(), stored.store.x)
    assert (len(stored), stored.shape) == (23, torch.Size([23, 3]))
