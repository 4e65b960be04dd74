import torch

from kinetic import TensorData
from kinetic._evaluate.points import Points


def test_some_points_are_those_of_the_index_with_their_labels():
    data = TensorData(torch.arange(12.0).reshape(6, 2), torch.arange(6))
    some = Points(data, torch.tensor([4, 1, 5]))
    assert (len(some), some.event_shape) == (3, torch.Size([2]))
    assert some.read(1, 3).tolist() == [[2, 3], [10, 11]]
    assert some.take(torch.tensor([0, 0])).tolist() == [[8, 9], [8, 9]]
    assert some.labels.tolist() == [4, 1, 5]
    assert Points(TensorData(torch.zeros(3, 2)), torch.tensor([0])).labels is None
