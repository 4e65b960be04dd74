import pytest
import torch
from kinetic_fields import points
from kinetic_fields.points import Points

from kinetic import TensorData
from kinetic.errors import OptionError

CPU = torch.device("cpu")


def whole(blocks):
    return [torch.cat(part) for part in zip(*blocks, strict=True)]


@pytest.mark.parametrize("block", [1, 10, 2**22])
@pytest.mark.parametrize("sort", [True, False])
def test_the_points_of_a_class_are_read_in_place_or_gathered(block, sort, monkeypatch):
    monkeypatch.setattr(points, "_BLOCK", block)
    x, labels = torch.randn(30, 3, dtype=torch.float64), torch.arange(30) % 4
    labels = labels.sort().values if sort else labels
    found = Points(TensorData(x, labels))
    for label in (None, 0, 3):
        own = torch.arange(30) if label is None else (labels == label).nonzero()[:, 0]
        ids, rows, half = whole(found.blocks(torch.float64, CPU, label))
        assert torch.equal(ids, own)
        assert torch.equal(rows, x[own])
        assert torch.allclose(half, 0.5 * x[own].square().sum(1))


def test_a_class_in_one_piece_is_not_copied():
    x = torch.randn(30, 3)
    blocks = list(Points(TensorData(x, torch.arange(30) // 10)).blocks(torch.float32, CPU, 1))
    assert blocks[0][1].data_ptr() == x[10:].data_ptr()


def test_the_largest_norm_is_that_of_the_longest_point():
    x = torch.randn(30, 2, 3)
    assert Points(TensorData(x)).largest == pytest.approx(x.flatten(1).norm(dim=1).max().item())


def test_points_that_are_not_finite_are_named():
    data = TensorData(torch.zeros(5, 2))
    data.x[3, 1] = torch.inf
    with pytest.raises(OptionError, match=r"data must be finite: 1 point\(s\) are not, the first is number 3"):
        Points(data).half_squares  # noqa: B018
