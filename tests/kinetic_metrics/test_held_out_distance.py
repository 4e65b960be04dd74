import attrs
import pytest
import torch
from kinetic_metrics import HeldOutDistance
from sklearn.neighbors import NearestNeighbors

import kinetic
from kinetic import Samples, evidence
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_metric


@attrs.frozen(eq=False)
class Firsts(kinetic.FeatureSpace):
    """The first two elements."""

    def features(self, x):
        return x.flatten(1)[:, :2]


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


def by_sklearn(x, points):
    found, _ = NearestNeighbors(n_neighbors=1).fit(points.flatten(1).numpy()).kneighbors(x.flatten(1).numpy())
    return torch.from_numpy(found[:, 0])


def test_distances_are_scikit_learns_in_pixels_and_in_the_feature_space():
    train, held, x = (torch.randn(n, 2, 3, dtype=torch.float64) for n in (40, 30, 25))
    found = score(HeldOutDistance(train=train, held_out=held, features=Firsts()), x)
    for end, mapping in (("", lambda y: y), ("_features", Firsts().features)):
        ours, theirs = (by_sklearn(mapping(x), mapping(points)) for points in (train, held))
        assert torch.allclose(found.columns[f"distance_train{end}"], ours)
        assert torch.allclose(found.columns[f"distance_held_out{end}"], theirs)
        closer = found.columns[f"closer_to_train{end}"]
        assert torch.allclose(closer, theirs - ours)
        mean, share = evidence.mean(closer.numpy()), evidence.proportion((closer > 0).numpy())
        value, nearer = found.values[f"closer_to_train{end}"], found.values[f"nearer_train{end}"]
        assert (value.value, value.low, nearer.value, nearer.low) == (mean.value, mean.low, share.value, share.low)


def test_planted_copies_are_closer_to_train_and_fresh_points_are_not():
    train, held, fresh = (torch.randn(400, 10) for _ in range(3))
    copies = train[:200] + 0.05 * torch.randn(200, 10)
    metric = HeldOutDistance(train=train, held_out=held)
    planted, new = score(metric, copies), score(metric, fresh)
    assert bool((planted.columns["closer_to_train"] > 0).all())
    assert planted.values["closer_to_train"].low > 1
    value, share = new.values["closer_to_train"], new.values["nearer_train"]
    assert value.low < 0.05
    assert value.high > -0.05
    assert share.value == pytest.approx(0.5, abs=0.08)
    assert len(new.notes) == 1


def test_new_samples_are_nearer_to_the_training_data_in_the_share_of_its_size():
    """All 400 points are exchangeable: the nearest is one of 300 in 3 of 4 cases."""
    shares, leans = [], []
    for _ in range(30):
        train, held, fresh = torch.randn(300, 4), torch.randn(100, 4), torch.randn(100, 4)
        found = score(HeldOutDistance(train=train, held_out=held), fresh)
        shares.append(found.values["nearer_train"].value)
        leans.append(found.values["closer_to_train"].value)
    shares = torch.tensor(shares)
    assert float(shares.mean()) == pytest.approx(0.75, abs=4 * float(shares.std()) / 30**0.5)
    assert min(leans) > 0
    assert "nearer to the training data in 0.750 of cases" in found.notes[0]
    assert found.notes[1].startswith("Sets of 300 and 100 points: `closer_to_train` leans to the larger one")


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 3)
    samples = Samples(torch.randperm(12), x)
    metric = HeldOutDistance(train=torch.randn(9, 3), held_out=torch.randn(8, 3), features=Firsts())
    check_metric(metric, samples)


def test_bad_input_is_named():
    train = kinetic.TensorData(torch.randn(5, 3))
    for held_out in (None, train):
        with pytest.raises(OptionError, match="'held_out' must be a dataset of points that the model was not trained"):
            HeldOutDistance(train=train, held_out=held_out)
    with pytest.raises(ShapeError, match=r"the points of 'held_out' have shape \(2,\), those of 'train' \(3,\)"):
        HeldOutDistance(train=train, held_out=torch.zeros(4, 2))
    metric = HeldOutDistance(train=train, held_out=torch.randn(5, 3))
    with pytest.raises(ShapeError, match=r"samples have shape \(2,\), the points of 'train' \(3,\)"):
        score(metric, torch.zeros(4, 2))
