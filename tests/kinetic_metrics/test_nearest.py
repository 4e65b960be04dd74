import pytest
import torch
from kinetic_metrics import nearest as module
from kinetic_metrics.nearest import nearest

from kinetic import TensorData


@pytest.mark.parametrize("block", [2**21, 24])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_nearest_are_those_of_brute_force(block, k, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    x, data = torch.randn(30, 6, dtype=torch.float64), torch.randn(50, 6, dtype=torch.float64)
    distances = (x[:, None] - data).square().sum(2).sqrt()
    value, index = distances.topk(k, dim=1, largest=False)
    found, where = nearest(x, TensorData(data), k)
    assert torch.allclose(found, value, rtol=1e-12)
    assert torch.equal(where, index)


def test_near_duplicates_far_from_the_origin_are_told_apart():
    """The expanded square loses them: 1e6^2 swallows 1e-4^2."""
    base = 1e6 * torch.ones(4, dtype=torch.float64)
    data = torch.stack([base + 3e-4, base + 1e-4, base - 2e-4, base + 9.0])
    distances, index = nearest(base[None], TensorData(data), 3)
    assert index.tolist() == [[1, 2, 0]]
    assert distances[0].tolist() == pytest.approx([2e-4, 4e-4, 6e-4], rel=1e-5)


def test_ties_go_to_the_lower_index():
    data = torch.tensor([[1.0], [-1.0], [1.0], [5.0]])
    _, index = nearest(torch.zeros(1, 1), TensorData(data), 3)
    assert index.tolist() == [[0, 1, 2]]


def test_all_points_can_be_asked_for():
    distances, index = nearest(torch.zeros(2, 1), TensorData(torch.tensor([[3.0], [1.0]])), 2)
    assert distances.tolist() == [[1.0, 3.0]] * 2
    assert index.tolist() == [[1, 0]] * 2
