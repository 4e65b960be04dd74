import attrs
import torch
from kinetic_metrics import FrechetDistance

from kinetic import FeatureSpace
from kinetic.testing import check_features


@attrs.frozen(eq=False)
class Contrast(FeatureSpace):
    """A feature space of one's own, in three lines."""

    def features(self, x):
        return torch.stack([x.flatten(1).mean(1), x.flatten(1).std(1)], 1)


def test_a_feature_space_of_ones_own_serves_a_metric():
    check_features(Contrast(), (1, 4, 4))
    metric = FrechetDistance(reference=torch.randn(50, 1, 4, 4), features=Contrast())
    assert metric.features.features(torch.zeros(2, 1, 4, 4)).tolist() == [[0.0, 0.0]] * 2
