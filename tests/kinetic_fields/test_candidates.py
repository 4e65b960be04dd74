import pytest
import torch
from kinetic_fields.candidates import KEEP, Anchor, Candidates, weigh

from kinetic import TensorData


def test_candidates_are_weighed_as_in_a_softmax_over_them_alone():
    x, z = torch.randn(50, 4, dtype=torch.float64), torch.randn(7, 4, dtype=torch.float64)
    index = torch.stack([torch.randperm(50)[:KEEP] for _ in range(7)])
    index[3, 5:] = -1
    a = torch.rand(7, dtype=torch.float64) * 5
    found = weigh(z, a, index, TensorData(x))
    for row in range(7):
        own = x[index[row][index[row] >= 0]]
        squares = (z[row] - own).square().sum(1)
        assert torch.allclose(found.squares[row][: len(own)], squares)
        assert torch.allclose(found.mean[row], torch.softmax(-0.5 * a[row] * squares, 0) @ own)
    assert found.squares[3, 5:].isinf().all()


@pytest.mark.parametrize("step", ["towards", "away", "aside", "anywhere", "none"])
def test_the_bound_is_below_the_gap_of_every_point_outside(step):
    """10,000 random situations, and the true least gap in each."""
    points = torch.randn(40, 3, dtype=torch.float64)
    for seed in range(500):
        g = torch.Generator().manual_seed(seed)
        z0 = torch.randn(20, 3, generator=g, dtype=torch.float64) * 2
        squares = (z0[:, None] - points).square().sum(2)
        index = squares.topk(4, largest=False).indices
        outside = torch.ones_like(squares, dtype=torch.bool).scatter_(1, index, False)
        y = points[index].mean(1)
        gap = squares.masked_fill(~outside, torch.inf).amin(1) - (z0 - y).square().sum(1)
        noise = torch.randn(20, 3, generator=g, dtype=torch.float64)
        z = {
            "towards": z0 + torch.rand(20, 1, generator=g, dtype=torch.float64) * (y - z0),
            "away": z0 - 0.1 * (y - z0),
            "aside": z0 + 0.5 * (y - z0) + 0.1 * noise,
            "anywhere": 2 * noise,
            "none": z0.clone(),
        }[step]
        anchor = Anchor.nowhere(z0).updated(torch.arange(0), [Candidates(torch.arange(20), index, z0, y, gap)])
        now = (z[:, None] - points).square().sum(2)
        nearest = now.gather(1, index).amin(1)
        true = now.masked_fill(~outside, torch.inf).amin(1) - nearest
        bound = anchor.bound(slice(None), z, nearest)
        assert (bound <= true + 1e-9).all()
        if step == "towards" and seed == 0:
            assert bound.isfinite().all()


def test_a_straight_way_to_the_one_candidate_keeps_the_whole_gap():
    """With e = 0 and y a data point the bound is c times the gap, which shrinks slower than (1-t)^2 / t^2."""
    z0, y = torch.tensor([[2.0, 0.0]], dtype=torch.float64), torch.tensor([[0.0, 0.0]], dtype=torch.float64)
    gap = torch.tensor([5.0], dtype=torch.float64)
    anchor = Anchor.nowhere(z0).updated(torch.arange(0), [Candidates(torch.arange(1), torch.tensor([[0]]), z0, y, gap)])
    z = 0.25 * z0
    assert anchor.bound(slice(None), z, z.square().sum(1)).item() == pytest.approx(1.25, rel=1e-9)


def test_an_anchor_is_made_anew_where_something_was_found_and_dropped_where_nothing_was():
    z = torch.randn(3, 2, dtype=torch.float64)
    found = Candidates(torch.tensor([1]), torch.tensor([[4, 6]]), z[1:2], z[:1], torch.tensor([torch.inf]).double())
    first = Anchor.nowhere(z).updated(torch.arange(3), [found])
    assert first.index[:, :3].tolist() == [[-1, -1, -1], [4, 6, -1], [-1, -1, -1]]
    assert first.gap.isfinite().all()
    assert first.updated(torch.tensor([1]), []).index.max() == -1
    assert first.index[1, 0] == 4
