"""How many samples at a time, where no number is given."""

import pytest
import torch

from kinetic._sample import batch_size as module
from kinetic._sample.batch_size import batch_size, fitting

CUDA = torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("shape", "size"), [((64,), 500), ((3, 64, 64), 341), ((3, 2048, 2048), 1), ((), 500), ((0,), 500)]
)
def test_five_hundred_samples_or_four_mi_elements_and_one_at_least(shape, size):
    assert batch_size(torch.Size(shape)) == size
    assert batch_size(torch.Size(shape), torch.device("cpu")) == size


@pytest.mark.parametrize(
    ("free", "sample", "size"),
    [
        (64 * 2000 * 100, 100, 64),
        (64 * 2000 * 100 - 1, 100, 32),
        (0, 100, 1),
        (2000 * 100, 100, 1),
        (10**11, 16384, 2048),
    ],
)
def test_half_of_the_free_memory_holds_a_thousand_copies_of_each_sample(free, sample, size):
    assert fitting(free, sample) == size


def test_a_small_gpu_gets_smaller_batches_and_a_large_one_no_larger_ones(monkeypatch):
    latent = torch.Size([4, 32, 32])
    for gib, dtype, size in ((4, torch.float32, 128), (4, torch.bfloat16, 256), (80, torch.float32, 500)):
        monkeypatch.setattr(module, "free_memory", lambda device, gib=gib: gib * 2**30)
        assert batch_size(latent, CUDA, dtype) == size


def test_memory_that_torch_keeps_for_its_next_tensors_is_free(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 70)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 30)
    assert module.free_memory(CUDA) == 140
