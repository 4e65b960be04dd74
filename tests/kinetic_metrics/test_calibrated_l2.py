import pytest
import torch
from kinetic_metrics import CalibratedL2

from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


@pytest.mark.parametrize(("n", "alpha"), [(2, 0.5), (7, 0.3), (60, 1.0)])
def test_the_column_is_its_formula_point_by_point(n, alpha):
    train, x = torch.randn(60, 4, dtype=torch.float64), torch.randn(25, 4, dtype=torch.float64)
    found = score(CalibratedL2(train=train, neighbours=n, alpha=alpha), x)
    expected = []
    for point in x:
        distances = sorted((train - point).norm(dim=1).tolist())[:n]
        expected.append(distances[0] / (alpha * sum(distances) / n))
    assert found.columns["calibrated_l2"].tolist() == pytest.approx(expected, rel=1e-9)
    assert found.columns["extracted"].tolist() == [value < 1 for value in expected]
    assert found.values["calibrated_l2"].value == pytest.approx(sum(expected) / 25, rel=1e-9)
    share = evidence.proportion(found.columns["extracted"].double().numpy())
    assert found.values["extracted"].to_json() == share.to_json()


def test_planted_copies_are_found_and_new_data_are_none():
    train = torch.randn(300, 16)
    x = torch.randn(40, 16)
    x[:10] = train[50:60] + 0.05 * torch.randn(10, 16)
    found = score(CalibratedL2(train=train), x)
    assert found.columns["extracted"].tolist() == [True] * 10 + [False] * 30
    assert found.values["extracted"].value == 0.25
    assert found.notes[0].startswith("Calibrated L2 of 40 samples to 300 training points, n = 50, alpha = 0.5, in 16")


def test_what_is_near_to_many_points_is_no_copy_of_one():
    """Members of a tight cluster, all nearer to a point than noisy copies of lone points are."""
    cluster, lone = 0.01 * torch.randn(200, 16), 10 + torch.randn(200, 16)
    new, copies = 0.01 * torch.randn(50, 16), lone[:50] + 0.1 * torch.randn(50, 16)
    found = score(CalibratedL2(train=torch.cat([cluster, lone])), torch.cat([new, copies]))
    assert torch.cdist(new, cluster).amin(1).max() < (copies - lone[:50]).norm(dim=1).min()
    assert found.columns["extracted"][50:].all()
    assert found.columns["extracted"][:50].double().mean() < 0.1


def test_exact_copies_are_at_0_even_where_all_points_are_equal():
    train = torch.cat([torch.zeros(9, 3), torch.ones(9, 3)])
    assert score(CalibratedL2(train=train, neighbours=5), train).columns["calibrated_l2"].tolist() == [0.0] * 18


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(40, 4)
    metric = CalibratedL2(train=torch.randn(60, 4), neighbours=8)
    check_metric(metric, Samples(torch.randperm(40), x))


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'neighbours' must be an int from 2 to 9, the size of 'train': 50"):
        CalibratedL2(train=torch.randn(9, 3))
    with pytest.raises(OptionError, match="'alpha' must be a number > 0 and <= 1: 2"):
        CalibratedL2(train=torch.randn(99, 3), alpha=2)
