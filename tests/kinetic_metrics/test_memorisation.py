import pytest
import torch
from kinetic_features import ModuleFeatures, Pixels
from kinetic_metrics import Memorisation

from kinetic import Samples
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_metric


class Firsts(torch.nn.Module):
    """The first two elements."""

    def forward(self, x):
        return x[:, :2]


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
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


def test_in_a_feature_space_copies_are_those_of_the_features():
    train, x = torch.randn(50, 8), torch.randn(30, 8)
    x[:10, :2] = train[20:30, :2] + 1e-3
    found = score(Memorisation(train=train, features=ModuleFeatures(Firsts())), x)
    alone, plain = (score(Memorisation(train=t), y) for t, y in ((train[:, :2], x[:, :2]), (train, x)))
    for name in ("memorised", "ratio", "distance", "index"):
        assert torch.allclose(found.columns[f"{name}_features"], alone.columns[name])
        assert torch.equal(found.columns[name], plain.columns[name])
    assert found.columns["index_features"][:10].tolist() == list(range(20, 30))
    assert list(found.values) == ["f_mem", "f_mem_features", "distance", "distance_features"]
    assert found.values["f_mem_features"].to_json() == alone.values["f_mem"].to_json()


def test_two_equal_training_points_copied_exactly_count_as_memorised():
    train = torch.tensor([[1.0, 1.0], [1.0, 1.0], [5.0, 5.0]])
    found = score(Memorisation(train=train), torch.tensor([[1.0, 1.0], [4.0, 4.9]]))
    assert found.columns["ratio"].tolist()[0] == 0
    assert found.columns["memorised"].tolist() == [True, True]


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 3)
    samples = Samples(torch.randperm(12), x)
    check_metric(Memorisation(train=torch.randn(9, 3), features=Pixels()), samples)


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'train' must hold 2 points or more, for a second nearest one: 1"):
        Memorisation(train=torch.zeros(1, 3))
    with pytest.raises(OptionError, match=r"'threshold' must be a number > 0 and <= 1: 1\.5"):
        Memorisation(train=torch.zeros(3, 3), threshold=1.5)
    with pytest.raises(ShapeError, match=r"samples have shape \(2,\), the points of 'train' \(3,\)"):
        score(Memorisation(train=torch.randn(4, 3)), torch.zeros(5, 2))
