import math

import pytest
import torch
from kinetic_metrics import KNNSupport

from kinetic import Samples
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def test_support_on_a_grid_is_minus_the_log_of_the_mean_distance():
    grid = torch.cartesian_prod(torch.arange(5.0), torch.arange(5.0))
    x = torch.tensor([[2.0, 2.0], [2.5, 2.5]])
    metric = KNNSupport(reference=grid, k=4)
    score = metric.finish(metric.observe(metric.begin(), Samples(torch.arange(2), x)))
    expected = [-math.log(3 / 4), -math.log(math.sqrt(0.5))]  # 0, 1, 1, 1 and four times sqrt(1/2)
    assert score.columns["support"].tolist() == pytest.approx(expected)
    assert score.values["support"].value == pytest.approx(sum(expected) / 2)


def test_a_sample_on_all_its_neighbours_has_a_large_finite_support():
    metric = KNNSupport(reference=torch.zeros(3, 2), k=3)
    x = torch.zeros(1, 2)
    score = metric.finish(metric.observe(metric.begin(), Samples(torch.arange(1), x)))
    assert score.columns["support"].item() == pytest.approx(-math.log(1e-12))


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(10, 4)
    check_metric(KNNSupport(reference=torch.randn(20, 4), k=3), Samples(torch.arange(10), x))


def test_more_neighbours_than_points_are_refused():
    with pytest.raises(OptionError, match="'k' must be an int from 1 to 5, the size of 'reference': 6"):
        KNNSupport(reference=torch.randn(5, 2), k=6)
