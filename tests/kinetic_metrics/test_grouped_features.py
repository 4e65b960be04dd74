import numpy as np
import pytest
import torch
from kinetic_metrics.gaussians import Moments, frechet_distance, gaussian_distance, moments
from kinetic_metrics.grouped_features import GroupedFeatures

from kinetic import evidence
from kinetic.errors import ShapeError


def seen(x, batch=None, widest=2048):
    state = GroupedFeatures(widest)
    for rows in torch.arange(len(x)).split(batch or len(x)):
        state = state.append(rows, x[rows])
    return state


def kinds(batch):
    """300 samples kept, 300 summed, or 450 of which 400 are."""
    x = torch.randn(batch or 300, 20, dtype=torch.float64) + 5
    if batch is None:
        return seen(x), x
    state = seen(x[:400]).summed
    if batch == 450:
        state = state.append(torch.arange(400, 450), x[400:])
    assert bool(state.sums)
    assert bool(state.parts) == (batch == 450)
    return state, x


@pytest.mark.parametrize(("widest", "kept"), [(2048, 20), (2, 1)])
def test_what_is_held_does_not_grow_with_the_samples(widest, kept):
    state, most = GroupedFeatures(widest), 0
    for first in range(0, 3000, 10):
        state = state.append(torch.arange(first, first + 10), torch.randn(10, 3))
        most = max(most, sum(len(features) for _, features in state.parts))
    assert most <= kept * 3
    assert (len(state.sums), state.groups, state.n) == (kept, kept, 3000)


@pytest.mark.parametrize("batch", [None, 300, 450])
def test_totals_and_halves_are_those_of_the_features_whether_kept_or_summed(batch):
    """Kept, summed, and both."""
    state, x = kinds(batch)
    first = torch.from_numpy(evidence.groups(np.arange(len(x)), 2) == 0)
    for found, rows in ((state.total, x), (state.halves[0], x[first]), (state.halves[1], x[~first])):
        expected = Moments.of(rows)
        assert found.n == expected.n
        assert torch.allclose(found.mean, expected.mean, atol=1e-12)
        assert torch.allclose(found.scatter, expected.scatter, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("n", [30, 300])
@pytest.mark.parametrize("count", [10, 20])
def test_without_a_part_the_fit_is_that_of_the_others(n, count):
    """On either side of n = f; 10 parts are two groups each."""
    x, other = torch.randn(n, 40, dtype=torch.float64), Moments.of(torch.randn(90, 40)).gaussian()
    part = torch.from_numpy(evidence.groups(np.arange(n), count))
    for i, fit in enumerate(seen(x).without_each(count)):
        expected = frechet_distance(*moments(x[part != i]), other.mean, other.cov)
        assert gaussian_distance(fit, other) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("batch", [None, 300, 450])
def test_sums_of_a_quadratic_are_those_over_the_points_of_each_group(batch):
    state, x = kinds(batch)
    step, factor = torch.randn(20, dtype=torch.float64), torch.randn(20, 3, dtype=torch.float64)
    counts, sums = state.sums_of(step, factor)
    d = x - x.mean(0)
    each = 2 * d @ step + d.square().sum(1) - (d @ factor).square().sum(1)
    groups = torch.from_numpy(evidence.groups(np.arange(len(x))))
    assert counts.tolist() == groups.bincount(minlength=20).tolist()
    assert torch.allclose(sums, torch.stack([each[groups == g].sum() for g in range(20)]), rtol=1e-9)


def test_features_of_another_width_are_refused_and_none_change_nothing():
    state = seen(torch.randn(5, 2))
    assert state.append(torch.arange(0), torch.randn(0, 2)) is state
    with pytest.raises(ShapeError, match="as many for every sample: 2 and 3"):
        state.append(torch.arange(2), torch.randn(2, 3))
