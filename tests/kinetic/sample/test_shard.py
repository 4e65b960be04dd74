import pytest
import torch

from kinetic import Status
from kinetic._sample.shard import Shard, blocks, is_finite


@pytest.mark.parametrize(("samples", "size"), [(1, 1), (7, 3), (9, 3), (2, 5)])
def test_blocks_hold_every_id_once_and_are_whole_but_for_the_last(samples, size):
    whole = list(blocks(samples, size))
    assert [i for start, stop in whole for i in range(start, stop)] == list(range(samples))
    assert all(stop - start == size for start, stop in whole[:-1])


def test_samples_whose_path_was_not_finite_are_told_from_those_that_stopped():
    status = torch.tensor([Status.REACHED, Status.STEP_LIMIT, Status.NOT_FINITE], dtype=torch.float64)
    assert is_finite({"status": status}, 3).tolist() == [True, True, False]
    assert is_finite({}, 2).tolist() == [True, True]


def test_rows_of_tensors_that_are_one_are_one():
    x, y = torch.randn(4, 2), torch.randn(4, 2)
    samples, denoised, state, denoised_state = Shard(0, x, y, {}).take(torch.tensor([0, 2]))
    assert state is samples
    assert denoised_state is denoised
    assert torch.equal(samples, x[[0, 2]])
    assert torch.equal(denoised, y[[0, 2]])
    assert Shard(0, x, x, {}).take(torch.arange(4))[0] is x
