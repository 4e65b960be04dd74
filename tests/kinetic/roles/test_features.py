import attrs
import pytest
import torch
from kinetic_digits import DigitsFeatures
from kinetic_features import CLIPImage
from kinetic_metrics import FrechetDistance, KernelDistance

from kinetic import FeatureSpace, TensorData, in_blocks, score_samples
from kinetic._roles.features import wrap
from kinetic.testing import check_features


@attrs.frozen(eq=False)
class Contrast(FeatureSpace):
    """A feature space of one's own, in three lines."""

    def features(self, x):
        return torch.stack([x.flatten(1).mean(1), x.flatten(1).std(1)], 1)


def test_a_network_is_always_asked_for_as_many_rows_and_no_filling_comes_back():
    asked = []
    x = torch.arange(37.0)[:, None]
    found = in_blocks(lambda rows: asked.append(rows) or 2 * rows, x)
    assert torch.equal(found, 2 * x)
    assert [len(rows) for rows in asked] == [16, 16, 16]
    assert asked[2].flatten().tolist() == [32, 33, 34, 35, *[36] * 12]
    assert in_blocks(torch.square, x[:0]).shape == (0, 1)


def test_the_table_of_a_data_set_has_the_features_of_all_its_points_in_order():
    x = torch.randn(600, 1, 2, 2)
    assert torch.equal(Contrast().table(TensorData(x)), torch.cat([Contrast().features(part) for part in x.split(256)]))


def test_a_space_that_stands_for_another_answers_what_it_is_given_and_says_what_the_other_says():
    x = torch.randn(5, 1, 2, 2)
    double = wrap(Contrast(), lambda space, points: 2 * space.features(points))
    assert torch.equal(double.features(x), 2 * Contrast().features(x))
    assert torch.equal(double.table(TensorData(x)), 2 * Contrast().features(x))
    assert type(double).__name__ == "Contrast"
    fixed = wrap(Contrast(), lambda space, points: points, lambda space, data: torch.ones(len(data), 3))
    assert torch.equal(fixed.table(TensorData(x)), torch.ones(5, 3))


@pytest.mark.parametrize("space", [DigitsFeatures, lambda: CLIPImage("local-dir:package:kinetic_digits/clip")])
def test_the_batch_does_not_change_a_score_in_the_features_of_a_network(space):
    x, y = (torch.rand(n, 1, 8, 8) * 2 - 1 for n in (24, 30))
    scores = []
    for batch in (1, 5, 24):
        shared = space()
        metrics = {
            "kid": KernelDistance(y, features=shared, subset_size=10, subsets=5),
            "fd": FrechetDistance(y, shared),
        }
        scores.append(score_samples(x, metrics, batch, "cpu").scores)
    for other in scores[1:]:
        assert other["kid"]["kid"] == pytest.approx(scores[0]["kid"]["kid"], rel=1e-10, abs=0)
        assert other["fd"]["fd"] == pytest.approx(scores[0]["fd"]["fd"], rel=1e-10, abs=0)


def test_a_feature_space_of_ones_own_serves_a_metric():
    check_features(Contrast(), (1, 4, 4))
    metric = FrechetDistance(reference=torch.randn(50, 1, 4, 4), features=Contrast())
    assert metric.features.features(torch.zeros(2, 1, 4, 4)).tolist() == [[0.0, 0.0]] * 2
