"""Against the mixture's own density, formulas of Gaussian noise, and numpy."""

import math

import numpy as np
import pytest
import torch
from kinetic_fields import Empirical
from kinetic_metrics import EnergyDensity
from kinetic_metrics.energy_density import line, speed_and_surprise
from scipy.special import logsumexp
from scipy.stats import linregress, norm

from kinetic import Samples, TensorData, evidence
from kinetic._sample.noise import noise
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_metric


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


def copies(train, n):
    """Samples of the closed-form field: training points."""
    return train[torch.arange(n) % len(train)]


@pytest.mark.parametrize("t", [0.05, 0.5, 0.95])
def test_speed_and_density_of_two_points_are_those_of_a_mixture_of_two_normals(t):
    data, x = (
        torch.tensor([[-1.0], [2.0]], dtype=torch.float64),
        torch.linspace(-2, 3, 11, dtype=torch.float64)[:, None],
    )
    speed_sq, surprise, top = speed_and_surprise(Empirical(TensorData(data)), x, t)
    law = norm(t * data.numpy().T, 1 - t)
    density = law.logpdf(x.numpy())
    weights = np.exp(density - logsumexp(density, axis=1, keepdims=True))
    v = ((weights @ data.numpy()) - x.numpy()) / (1 - t)
    assert surprise.tolist() == pytest.approx((math.log(2) - logsumexp(density, axis=1)).tolist(), rel=1e-10)
    assert speed_sq.tolist() == pytest.approx((v[:, 0] ** 2).tolist(), rel=1e-10)
    assert top.tolist() == pytest.approx(weights.max(1).tolist(), rel=1e-10)


def test_density_and_speed_in_many_dimensions_are_numpys():
    data, x, t = torch.randn(40, 2, 3, dtype=torch.float64), torch.randn(9, 2, 3, dtype=torch.float64), 0.4
    speed_sq, surprise, _ = speed_and_surprise(Empirical(TensorData(data)), x, t)
    a, b = x.flatten(1).numpy(), data.flatten(1).numpy()
    logs = norm(t * b[None], 1 - t).logpdf(a[:, None]).sum(2)
    weights = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
    v = (weights @ b - a) / (1 - t)
    assert surprise.tolist() == pytest.approx((math.log(40) - logsumexp(logs, axis=1)).tolist())
    assert speed_sq.tolist() == pytest.approx((v**2).sum(1).tolist())


def test_where_all_data_are_0_the_slope_is_exactly_2_and_the_line_explains_all():
    """x_1 = 0: ||v||^2 = ||e||^2. The second point is too far away to weigh anything."""
    train = torch.zeros(2, 5)
    train[1] = 1000
    given = score(EnergyDensity(train=train, times=(0.5, 0.9)), torch.zeros(100, 5))
    for t in ("0.5", "0.9"):
        assert given.values[f"slope_{t}"].value == pytest.approx(2, rel=1e-12)
        assert given.values[f"r2_{t}"].value == pytest.approx(1, rel=1e-12)
        assert given.values[f"dominated_{t}"].value == 1
    assert given.values["growth"].value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("sizes", [(10.0, 10.0), (3.0, 12.0)])
def test_points_far_apart_have_slope_2_and_the_r2_of_their_norms(sizes):
    """R^2 = 2 d / (2 d + 4 E ||x_i||^2 + Var ||x_i||^2), the cross term being odd in e."""
    d, n = 20, 6000
    train = torch.eye(d)[:2] * torch.tensor(sizes)[:, None]
    given = score(EnergyDensity(train=train * 1.0, times=(0.9,)), copies(train, n))
    squares = np.square(sizes)
    expected = 2 * d / (2 * d + 4 * squares.mean() + squares.var())
    slope, r2 = given.values["slope_0.9"], given.values["r2_0.9"]
    assert slope.low < 2 < slope.high
    assert r2.value == pytest.approx(expected, abs=0.03)
    assert r2.low < expected < r2.high


def test_the_line_is_that_of_scipy_and_its_interval_that_of_the_jackknife():
    rng = np.random.default_rng(0)
    x, groups = rng.normal(size=300), evidence.groups(np.arange(300))
    y = 3 * x + rng.normal(size=300) + 7
    slope, r2 = line(x, y, groups)
    known = linregress(x, y)
    assert slope.value == pytest.approx(known.slope)
    assert r2.value == pytest.approx(known.rvalue**2)
    without = [linregress(x[groups != g], y[groups != g]).slope for g in range(20)]
    expected = evidence.jackknife(known.slope, without)
    assert (slope.low, slope.high) == pytest.approx((expected.low, expected.high))
    assert slope.se == pytest.approx(known.stderr, rel=0.5)


def test_the_interval_of_the_slope_covers_it():
    hits, rng = 0, np.random.default_rng(1)
    for _ in range(300):
        x = rng.chisquare(8, 400) / 2
        slope, _ = line(x, 2 * x + (1 + x / 4) * rng.normal(size=400), evidence.groups(np.arange(400)))
        hits += slope.low <= 2 <= slope.high
    assert hits / 300 == pytest.approx(0.95, abs=0.04)


def test_few_points_have_no_interval_and_fewer_than_three_no_line():
    x, groups = np.arange(59.0), evidence.groups(np.arange(59))
    assert [(each.value, each.low) for each in line(x, 2 * x, groups)] == [(pytest.approx(2), None), (1, None)]
    assert all(math.isnan(each.value) for each in line(x[:2], x[:2], groups[:2]))
    assert all(math.isnan(each.value) for each in line(np.ones(90), np.ones(90), np.arange(90) % 20))


def test_only_dominated_samples_are_in_the_line():
    train = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    given = score(EnergyDensity(train=train, times=(0.6,)), copies(train, 400))
    kept = given.columns["dominated_0.6"]
    assert 0 < kept.sum() < 400
    x, y = (given.columns[name][kept].numpy() for name in ("surprise_0.6", "speed_sq_0.6"))
    assert given.values["slope_0.6"].value == pytest.approx(linregress(x, y).slope)
    assert given.values["dominated_0.6"].value == pytest.approx(kept.double().mean().item())


def test_where_no_point_dominates_there_is_no_line_and_a_note_says_so():
    train = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    given = score(EnergyDensity(train=train, times=(0.9,)), torch.ones(80, 2))
    assert math.isnan(given.values["slope_0.9"].value)
    assert "At t = 0.9 one training point dominates in 0 samples, below 60." in given.notes


def test_off_the_data_the_velocity_grows_as_one_over_what_is_left_and_on_them_not():
    train = torch.tensor([[0.0, 0.0, 0.0], [50.0, 0.0, 0.0]])
    metric = EnergyDensity(train=train, times=(0.999, 0.9999, 0.5))  # in any order
    on, off = score(metric, copies(train, 50)), score(metric, copies(train, 50) + 1)
    assert on.columns["growth"].abs().max() < 1e-6
    assert off.columns["growth"].tolist() == pytest.approx([1] * 50, abs=1e-2)


def test_its_noise_is_not_that_of_the_run():
    """That of the run goes with the sample, and the slope would not be 2."""
    train = torch.zeros(2, 3, dtype=torch.float64)
    train[1] = 1000
    given = score(EnergyDensity(train=train, times=(0.5,)), torch.zeros(20, 3, dtype=torch.float64))
    run = noise(0, range(20), [3], torch.float64).square().sum(1)
    assert not torch.isclose(given.columns["speed_sq_0.5"], run).any()


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 3)
    check_metric(EnergyDensity(train=torch.randn(9, 3), times=[0.2, 0.7]), Samples(torch.randperm(12), x))


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'train' must hold 2 points or more, for telling apart: 1"):
        EnergyDensity(train=torch.zeros(1, 3))
    with pytest.raises(OptionError, match="'times' must be a list of numbers > 0 and < 1, all different"):
        EnergyDensity(train=torch.zeros(3, 3), times=(0.5, 1.0))
    with pytest.raises(OptionError, match="'weight'"):
        EnergyDensity(train=torch.zeros(3, 3), weight=0.4)
    with pytest.raises(ShapeError, match=r"samples have shape \(2,\), the points of 'train' \(3,\)"):
        score(EnergyDensity(train=torch.randn(5, 3)), torch.zeros(4, 2))
