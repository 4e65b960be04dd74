import math

import pytest
import torch
from kinetic_metrics import AuthPct

from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


def by_formula(x, train):
    """||x_j - y_i|| > min over l != i of ||y_l - y_i||, with y_i nearest to x_j, point by point."""
    found = []
    for point in x:
        distances = (train - point).norm(dim=1)
        i = int(distances.argmin())
        others = torch.cat([train[:i], train[i + 1 :]])
        found.append(bool(distances[i] > (others - train[i]).norm(dim=1).min()))
    return found


@pytest.mark.parametrize("f", [1, 3, 20])
def test_the_share_and_the_column_are_the_definition_point_by_point(f):
    train, x = torch.randn(60, f, dtype=torch.float64), torch.randn(45, f, dtype=torch.float64)
    found = score(AuthPct(train=train), x)
    assert found.columns["authentic"].tolist() == by_formula(x, train)
    hits = torch.tensor(by_formula(x, train)).double()
    expected = evidence.proportion(hits.numpy())
    estimate = found.values["authentic"]
    assert (estimate.value, estimate.low, estimate.high) == (expected.value, expected.low, expected.high)


def test_planted_copies_are_not_authentic_and_far_samples_are():
    train = torch.randn(100, 12)
    x = torch.randn(40, 12) * 20
    x[:10] = train[50:60] + 0.01 * torch.randn(10, 12)
    found = score(AuthPct(train=train), x)
    assert found.columns["authentic"].tolist() == [False] * 10 + [True] * 30
    assert found.values["authentic"].value == 0.75
    assert found.notes[0].startswith(
        "AuthPct 75: share of 40 samples, against 100 training points, in 12 Pixels features"
    )


@pytest.mark.parametrize(
    ("f", "mutual"), [(1, 2 / 3), (2, math.pi / (4 * math.pi / 3 + math.sqrt(3) / 2)), (3, 16 / 27)]
)
def test_new_data_are_inauthentic_as_often_as_two_points_are_each_others_nearest(f, mutual):
    """A ball over the union of two of its size, each through the other's centre: Cox, Biometrics 37 (1981)."""
    shares = []
    for _ in range(20):
        train, x = torch.rand(2000, f), torch.rand(200, f)
        shares.append(1 - score(AuthPct(train=train), x).values["authentic"].value)
    shares = torch.tensor(shares)
    edge = 0.01  # the cube has sides
    assert float(shares.mean()) == pytest.approx(mutual, abs=4 * float(shares.std()) / 20**0.5 + edge)


def test_beside_two_equal_training_points_only_an_exact_copy_is_inauthentic():
    train = torch.tensor([[1.0, 1.0], [1.0, 1.0], [9.0, 9.0]])
    found = score(AuthPct(train=train), torch.tensor([[1.0, 1.0], [1.0, 1.001], [9.0, 8.0]]))
    assert found.columns["authentic"].tolist() == [False, True, False]


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(20, 3)
    check_metric(AuthPct(train=torch.randn(15, 3)), Samples(torch.randperm(20), x))


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'train' must hold 2 points or more, for a nearest other one: 1"):
        AuthPct(train=torch.zeros(1, 3))
