import math

import pytest
import torch
from kinetic_features import ModuleFeatures, Pixels
from kinetic_fields import Empirical
from kinetic_metrics import PosteriorSignals
from kinetic_metrics.posterior_signals import collapse_time

from kinetic import Samples, TensorData
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_metric


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


@pytest.mark.parametrize("time", [0.3, 0.5, 0.9])
def test_weight_and_entropy_are_those_of_the_softmax_of_squared_distances(time):
    train, x = torch.randn(30, 2, 3, dtype=torch.float64), torch.randn(12, 2, 3, dtype=torch.float64)
    squares = (x.flatten(1)[:, None] - train.flatten(1)).square().sum(2)
    w = torch.softmax(-((time / (1 - time)) ** 2) * squares / 2, 1)
    found = score(PosteriorSignals(train=train, times=(time,)), x)
    assert torch.allclose(found.columns[f"top_weight_{time:g}"], w.amax(1), rtol=1e-10)
    assert torch.allclose(found.columns[f"entropy_{time:g}"], torch.special.entr(w).sum(1), rtol=1e-8, atol=1e-10)


def test_between_two_points_collapse_has_a_closed_form():
    """At distance a from one of two points 1 apart, w = sigmoid(b (1 - 2a)/2) with b = (t/(1-t))^2; three points: here
    the third is the second again, so w = 1/(1 + 2 exp(-b (1 - 2a)/2)) > 1/2 where b > 2 log 2/(1 - 2a)."""
    train = torch.tensor([[0.0], [1.0], [1.0]], dtype=torch.float64)
    x = torch.tensor([[0.0], [0.2], [0.4], [-3.0]], dtype=torch.float64)
    root = (2 * math.log(2) / (1 - 2 * x[:, 0])).sqrt()
    expected = root / (1 + root)
    found = collapse_time(Empirical(TensorData(train)), x, 1000)
    assert found.tolist() == [math.ceil(1000 * t) / 1000 for t in expected.tolist()]


@pytest.mark.parametrize("grid", [2, 7, 64, 101])
def test_halving_finds_what_walking_the_whole_grid_finds(grid):
    train, x = torch.randn(25, 3, dtype=torch.float64), torch.randn(40, 3, dtype=torch.float64)
    field = Empirical(TensorData(train))
    times = [k / grid for k in range(1, grid)]
    above = torch.stack([field.posterior(x * t, torch.full((40,), t)).top_weight > 0.5 for t in times], 1)
    stays = above.flip(1).cumprod(1).flip(1).bool()
    expected = torch.where(stays.any(1), (stays.long().argmax(1) + 1).double() / grid, 1.0)
    assert torch.allclose(collapse_time(field, x, grid), expected)


def test_two_equal_training_points_never_collapse():
    train = torch.tensor([[1.0, 1.0], [1.0, 1.0], [9.0, 9.0]])
    found = score(PosteriorSignals(train=train), torch.tensor([[1.0, 1.0], [9.0, 9.0]]))
    assert found.columns["collapse_time"][0] == 1
    assert found.columns["collapse_time"][1] < 0.2
    assert "1 of 2 samples collapse on none" in found.notes[0]


def test_planted_copies_collapse_early_and_fresh_points_late():
    law = torch.distributions.Normal(0.0, 1.0)
    train, fresh = law.sample((300, 16)), law.sample((100, 16))
    copies = train[:100] + 0.01 * torch.randn(100, 16)
    found = score(PosteriorSignals(train=train), torch.cat([copies, fresh]))
    times = found.columns["collapse_time"]
    assert times[:100].quantile(0.95) < times[100:].quantile(0.05)
    weights, entropies = found.columns["top_weight_0.5"], found.columns["entropy_0.5"]
    assert weights[:100].min() > weights[100:].median()
    assert entropies[:100].mean() < 0.5 * entropies[100:].mean()


def test_in_a_feature_space_they_are_those_of_the_features():
    class Net(torch.nn.Module):
        def forward(self, x):
            return torch.stack([x[:, 0] * x[:, 1], x[:, 2].sin(), x.sum(1)], 1)

    space, train, x = ModuleFeatures(Net()), torch.randn(40, 5), torch.randn(20, 5)
    both = score(PosteriorSignals(train=train, features=space), x)
    plain = score(PosteriorSignals(train=train), x)
    alone = score(PosteriorSignals(train=Net()(train)), Net()(x))
    for name in ("collapse_time", "top_weight_0.8", "entropy_0.5"):
        assert torch.equal(both.columns[name], plain.columns[name])
        assert torch.allclose(both.columns[f"{name}_features"], alone.columns[name], rtol=1e-12)
        assert both.values[f"{name}_features"].value == pytest.approx(alone.values[name].value)
    assert "of a flow of ModuleFeatures features" in both.notes[1]


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 3)
    check_metric(PosteriorSignals(train=torch.randn(9, 3), times=[0.2, 0.7]), Samples(torch.randperm(12), x))
    check_metric(PosteriorSignals(train=torch.randn(9, 3), features=Pixels()), Samples(torch.randperm(12), x))


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'train' must hold 2 points or more, for telling apart: 1"):
        PosteriorSignals(train=torch.zeros(1, 3))
    for times in ((0.0,), (0.5, 1.0), (0.5, 0.5), ("a",), 0.5):
        with pytest.raises(OptionError, match="'times' must be a list of numbers > 0 and < 1, all different"):
            PosteriorSignals(train=torch.zeros(3, 3), times=times)
    metric = PosteriorSignals(train=torch.randn(5, 3))
    with pytest.raises(ShapeError, match=r"samples have shape \(2,\), the points of 'train' \(3,\)"):
        score(metric, torch.zeros(4, 2))
