"""Real against real."""

import attrs
import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_metrics import DataCopying, FrechetDistance, KNNSupport, LogLikelihood, VendiScore

import kinetic
from kinetic import Estimate, Samples, Score, TensorData, options
from kinetic._evaluate.noise_floor import noise_floor
from kinetic._evaluate.shared_features import SharedFeatures


@attrs.frozen(eq=False)
class MeanGap(kinetic.FeatureMetric):
    """A stranger's distance of sets: ||mean of samples - mean of data||^2."""

    reference: kinetic.Dataset = options.component(kinetic.Dataset, converter=kinetic.as_dataset)
    features: kinetic.FeatureSpace = options.component(kinetic.FeatureSpace)

    def compare(self, ids, x, reference):
        return Score({"gap": Estimate(float((x.mean(0) - reference.mean(0)).square().sum()))})


@attrs.frozen(eq=False)
class Counted(kinetic.FeatureSpace):
    """The points themselves; how many rows it was asked for is counted."""

    weight: torch.Tensor = attrs.field(factory=lambda: torch.ones(1), init=False)
    asked: list = attrs.field(factory=list)

    def features(self, x):
        self.asked.append(len(x))
        return x.flatten(1) * self.weight


def drawn(x):
    return lambda start, stop: Samples(torch.arange(start, stop), x[start:stop])


def test_a_strangers_distance_of_real_points_is_its_value_at_these_sizes():
    """||mean of n - mean of m||^2 of unit normals in 8 dimensions has the mean 8 (1/n + 1/m)."""
    known = noise_floor(MeanGap(torch.randn(400, 8), Counted()), 100, splits=50)
    assert (known.n, known.m, known.splits) == (100, 300, 50)
    assert known.values["gap"].value == pytest.approx(8 * (1 / 100 + 1 / 300), rel=0.25)
    assert noise_floor(MeanGap(torch.randn(400, 8), Counted()), 1000, splits=2).n == 200  # no more than half


@pytest.mark.parametrize("make", [
    lambda data: MeanGap(data, Counted()), lambda data: KNNSupport(data, k=3), lambda data: VendiScore(),
    FrechetDistance,
])  # fmt: skip
def test_the_score_of_samples_of_the_same_law_lies_in_the_range_nineteen_times_in_twenty(make):
    inside, law = [], torch.Generator().manual_seed(3)
    for _ in range(120):
        data, x = (torch.randn(80, 3, generator=law) for _ in range(2))
        shared = SharedFeatures()
        known = noise_floor(make(TensorData(data)), 80, TensorData(data), 10, shared)
        (name, real), *_ = known.values.items()
        inside.append(real.low <= known.beside(drawn(x), shared)[name] <= real.high)
    assert sum(inside) / len(inside) > 0.87  # 95 +- 4 would be two standard errors


def test_samples_of_another_law_lie_outside():
    data = torch.randn(400, 3)
    for metric in (MeanGap(data, Counted()), FrechetDistance(data), KNNSupport(data)):
        known = noise_floor(metric, 200)
        value = known.beside(drawn(torch.randn(200, 3) + 1), SharedFeatures())
        (name, real), *_ = known.values.items()
        assert not real.low <= value[name] <= real.high


def test_data_are_embedded_once_however_often_they_are_split():
    space = Counted()
    metric, shared = MeanGap(torch.randn(300, 8), space), SharedFeatures()
    known = noise_floor(metric, 100, features=shared)
    assert sum(space.asked) == 300
    known.beside(drawn(torch.randn(100, 8)), shared)
    assert sum(space.asked) == 400


def test_there_is_none_of_a_metric_that_asks_a_field_compares_with_several_data_or_has_too_few():
    data = TensorData(torch.randn(200, 2))
    assert noise_floor(LogLikelihood(Gaussian(2)), 100, data) is None
    assert noise_floor(DataCopying(data, TensorData(torch.randn(50, 2))), 100) is None
    assert noise_floor(MeanGap(torch.randn(30, 8), Counted()), 100) is None
    assert noise_floor(VendiScore(), 100) is None
    assert noise_floor(KNNSupport(data, k=150), 100) is None  # half of the data has no 150 neighbours
