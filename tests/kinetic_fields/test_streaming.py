"""The online softmax against torch.softmax on the whole matrix in float64."""

import pytest
import torch
from kinetic_fields.streaming import sweep


def cut(x, size):
    half = 0.5 * x.double().square().sum(1).to(x.dtype)
    return [
        (torch.arange(i, min(i + size, len(x))), x[i : i + size], half[i : i + size]) for i in range(0, len(x), size)
    ]


def brute(z, a, x):
    scores = z.double() @ x.double().T - 0.5 * x.double().square().sum(1)
    return scores, torch.softmax(a.double()[:, None] * scores, 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1, 7, 64, 500])
@pytest.mark.parametrize("a", [1e-24, 1e-2, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("m", [1, 3, 40])
def test_mean_and_sums_are_those_of_the_whole_matrix(dtype, size, a, m):
    x, z = torch.randn(300, 6, dtype=dtype), torch.randn(m, 6, dtype=dtype)
    factor = torch.full((m,), a, dtype=dtype)
    scores, weights = brute(z, factor, x)
    found = sweep(z, factor, cut(x, size), 16)
    close = 3e-6 * max(1, min(a, 100)) if dtype == torch.float32 else 1e-10 * max(1, min(a, 100))
    if a < 1e4 or dtype == torch.float64:
        assert torch.allclose(found.mean, weights @ x.double(), atol=close)
        assert torch.allclose(1 / found.total, weights.amax(1), atol=close)
    assert torch.allclose(found.best, scores.amax(1), rtol=1e-5 if dtype == torch.float32 else 1e-12, atol=1e-5)


@pytest.mark.parametrize("size", [1, 7, 64, 500])
@pytest.mark.parametrize("a", [1e-2, 1.0, 30.0, 1e4])
def test_no_point_outside_the_tracked_ones_is_above_the_bound(size, a):
    x, z = torch.randn(300, 6, dtype=torch.float64), torch.randn(25, 6, dtype=torch.float64)
    found = sweep(z, torch.full((25,), a, dtype=torch.float64), cut(x, size), 8)
    scores, _ = brute(z, torch.ones(25), x)
    for row in range(25):
        inside = found.index[row][found.index[row] >= 0]
        outside = torch.ones(300, dtype=torch.bool)
        outside[inside] = False
        assert scores[row][outside].max() <= found.rest[row] + 1e-12
        assert scores[row].topk(2).values[1] <= found.second[row] + 1e-12
    if a == 1e4:  # a point each: tracked, and the bound is below the best
        assert torch.equal(found.index[:, 0], scores.argmax(1))
        assert (found.rest < found.best).all()


@pytest.mark.parametrize("size", [1, 7, 500])
def test_with_detail_entropy_and_the_best_point_come_out_for_any_spread(size):
    x, z = torch.randn(300, 6, dtype=torch.float64), torch.randn(25, 6, dtype=torch.float64)
    for a in (1e-3, 1.0, 20.0):
        factor = torch.full((25,), a, dtype=torch.float64)
        scores, weights = brute(z, factor, x)
        found = sweep(z, factor, cut(x, size), 1, detail=True)
        entropy = found.total.log() - found.moment / found.total
        assert torch.allclose(entropy, -torch.xlogy(weights, weights).sum(1), atol=1e-10)
        assert torch.equal(found.index[:, 0], scores.argmax(1))


def test_scores_that_rise_by_thousands_of_nats_overflow_nothing():
    """Points in order of score, a block each: the pivot has to be moved again and again."""
    x = torch.linspace(0, 200, 60, dtype=torch.float32)[:, None]
    z, a = torch.full((1, 1), 200.0), torch.ones(1)
    for data in (x, x.flip(0)):
        found = sweep(z, a, cut(data, 1), 4)
        _, weights = brute(z, a, data)
        assert found.mean.item() == pytest.approx((weights @ data.double()).item(), abs=1e-3)
        assert 1 / found.total.item() == pytest.approx(weights.max().item(), abs=1e-3)
