import pytest
import torch
from kinetic_features import Pixels
from kinetic_metrics import Memorisation

from kinetic import Samples
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_metric


def score(metric, x, denoised=None):
    samples = Samples(torch.arange(len(x)), x, x if denoised is None else denoised)
    return metric.finish(metric.observe(metric.begin(), samples))


def test_planted_copies_are_counted_and_named():
    train = torch.randn(100, 12)
    x = torch.randn(40, 12) * 3
    x[:10] = train[50:60] + 0.01
    found = score(Memorisation(train=train), x)
    assert found.values["f_mem"].value == 0.25
    assert found.columns["index"][:10].tolist() == list(range(50, 60))
    assert found.columns["memorised"].tolist() == [True] * 10 + [False] * 30
    assert found.nearest.event_shape == (12,)


def test_ratio_and_distance_are_those_of_brute_force():
    train, x = torch.randn(30, 2, 3, dtype=torch.float64), torch.randn(20, 2, 3, dtype=torch.float64)
    distances = (x.flatten(1)[:, None] - train.flatten(1)).norm(dim=2).sort(1).values
    found = score(Memorisation(train=train), x)
    assert torch.allclose(found.columns["distance"], distances[:, 0])
    assert torch.allclose(found.columns["ratio"], distances[:, 0] / distances[:, 1])
    assert found.values["distance"].value == pytest.approx(distances[:, 0].mean().item())


def test_leftover_noise_on_a_copy_is_seen_by_the_guard():
    train = torch.randn(50, 20)
    x = train[:30] + 0.6 * torch.randn(30, 20)
    found = score(Memorisation(train=train, features=Pixels()), x, denoised=train[:30])
    assert found.values["f_mem"].value < 0.2
    assert found.values["f_mem_denoised"].value == 1
    assert found.values["f_mem_features"].value == found.values["f_mem"].value
    assert found.values["f_mem_features_denoised"].value == 1


def test_two_equal_training_points_copied_exactly_count_as_memorised():
    train = torch.tensor([[1.0, 1.0], [1.0, 1.0], [5.0, 5.0]])
    found = score(Memorisation(train=train), torch.tensor([[1.0, 1.0], [4.0, 4.9]]))
    assert found.columns["ratio"].tolist()[0] == 0
    assert found.columns["memorised"].tolist() == [True, True]


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 3)
    samples = Samples(torch.randperm(12), x, x + 0.1)
    check_metric(Memorisation(train=torch.randn(9, 3), features=Pixels()), samples)


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'train' must hold 2 points or more, for a second nearest one: 1"):
        Memorisation(train=torch.zeros(1, 3))
    with pytest.raises(OptionError, match=r"'threshold' must be a number > 0 and <= 1: 1\.5"):
        Memorisation(train=torch.zeros(3, 3), threshold=1.5)
    with pytest.raises(ShapeError, match=r"samples have shape \(2,\), the points of 'train' \(3,\)"):
        score(Memorisation(train=torch.randn(4, 3)), torch.zeros(5, 2))
