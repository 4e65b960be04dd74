import torch

from kinetic import Batch


def test_a_cut_names_the_samples_it_was_cut_to():
    batch = Batch(torch.arange(10, 16), torch.arange(6))
    cut = batch.take(torch.tensor([4, 1, 3])).take(torch.tensor([2, 0]))
    assert cut.ids.tolist() == [13, 14]
    assert cut.condition.tolist() == [3, 4]


def test_what_a_cut_remembers_the_whole_recalls_in_the_right_rows():
    batch = Batch(torch.arange(5))
    assert batch.recall("v") is None
    batch.remember("v", torch.arange(5.0))
    cut = batch.take(torch.tensor([3, 0]))
    assert cut.recall("v").tolist() == [3.0, 0.0]
    cut.remember("v", torch.tensor([30.0, 99.0]))
    assert batch.recall("v").tolist() == [99.0, 1.0, 2.0, 30.0, 4.0]


def test_a_remembered_tensor_is_never_written_to():
    batch, kept = Batch(torch.arange(3)), torch.zeros(3)
    batch.remember("v", kept)
    batch.take(torch.tensor([1])).remember("v", torch.ones(1))
    assert kept.tolist() == [0.0, 0.0, 0.0]


def test_rows_that_never_remembered_hold_zeros():
    batch = Batch(torch.arange(3))
    batch.take(torch.tensor([2])).remember("v", torch.tensor([[7.0, 8.0]]))
    assert batch.recall("v").tolist() == [[0.0, 0.0], [0.0, 0.0], [7.0, 8.0]]


def test_the_unconditional_batch_has_the_samples_and_a_memory_of_its_own():
    batch = Batch(torch.arange(5), torch.arange(5))
    free = batch.unconditional()
    assert free.condition is None
    batch.remember("v", torch.ones(5))
    assert free.recall("v") is None
    free.take(torch.tensor([1, 3])).remember("v", torch.tensor([2.0, 4.0]))
    assert batch.unconditional().recall("v").tolist() == [0, 2, 0, 4, 0]
    assert batch.take(torch.tensor([3])).unconditional().recall("v").tolist() == [4]
    assert batch.recall("v").tolist() == [1] * 5
