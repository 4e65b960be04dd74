import attrs
import pytest
import torch
from kinetic_features import ModuleFeatures, Pixels

import kinetic
from kinetic import Estimate, Samples, Score, check_reference, options
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_metric


@attrs.frozen(eq=False)
class MeanGap(kinetic.FeatureMetric):
    """A stranger's metric of a set, with two data sets.

    Args:
        reference: what samples are compared with.
        other: a second one.
        features: where.
    """

    described = (kinetic.Column("gap", "The distance of two means."),)
    reference: kinetic.Dataset = options.component(kinetic.Dataset, converter=kinetic.as_dataset)
    other: kinetic.Dataset | None = options.component(kinetic.Dataset, None, converter=kinetic.as_dataset)
    features: kinetic.FeatureSpace = options.component(kinetic.FeatureSpace, Pixels())

    def compare(self, ids, x, reference, other=None):
        gap = float((x.mean(0) - reference.mean(0)).norm())
        return Score({"gap": Estimate(gap if other is None else gap - float((x.mean(0) - other.mean(0)).norm()))})


def score(metric, x):
    return metric.finish(metric.observe(metric.begin(), Samples(torch.arange(len(x)), x)))


def test_features_of_samples_and_of_each_data_set_come_in_the_order_of_the_options():
    x, a, b = torch.randn(20, 3), torch.randn(600, 3), torch.randn(30, 3)
    gaps = [float((x.mean(0) - points.mean(0)).norm()) for points in (a, b)]
    assert score(MeanGap(a), x).values["gap"].value == pytest.approx(gaps[0])
    assert score(MeanGap(a, b), x).values["gap"].value == pytest.approx(gaps[0] - gaps[1], abs=1e-6)
    assert [len(data) for data in MeanGap(a, b).references] == [600, 30]


def test_the_contract_of_a_metric_is_kept():
    check_metric(MeanGap(torch.randn(9, 3)), Samples(torch.randperm(12), torch.randn(12, 3)))


def test_data_with_other_features_are_refused_by_the_check_and_by_the_score():
    fitting, other = torch.randn(9, 3), torch.randn(9, 5)
    for metric in (MeanGap(other), MeanGap(fitting, other)):
        with pytest.raises(ShapeError, match="samples have 3 Pixels features, the points they are compared with 5"):
            metric.check(Samples(torch.arange(2), torch.zeros(2, 3)))
        with pytest.raises(ShapeError, match="samples have 3 Pixels features, the points they are compared with 5"):
            score(metric, torch.zeros(4, 3))


def test_a_check_embeds_no_more_than_a_few_points():
    rows = []

    class Counted(torch.nn.Module):
        def forward(self, x):
            rows.append(len(x))
            return x

    MeanGap(torch.randn(1000, 3), None, ModuleFeatures(Counted())).check(Samples(torch.arange(2), torch.zeros(2, 3)))
    assert sum(rows) <= 2 * kinetic._roles.features.BLOCK


def test_a_data_set_of_one_point_can_be_looked_at():
    check_reference(Pixels(), torch.zeros(4, 3), kinetic.TensorData(torch.zeros(1, 3)))


def test_a_space_that_gives_no_table_or_numbers_that_overflow_is_refused():
    @attrs.frozen(eq=False)
    class Broken(kinetic.FeatureSpace):
        answer: object

        def features(self, x):
            return self.answer(x)

    for answer, error, message in (
        (lambda x: x.sum(1), ShapeError, r"Broken must give \(4, f\) features of 4 points: \(4,\)"),
        (lambda x: x[:1], ShapeError, r"Broken must give \(4, f\) features of 4 points: \(1, 3\)"),
        (lambda x: x / 0, OptionError, "Broken features must be finite: some are NaN or infinite"),
        (lambda x: x + 2e15, OptionError, r"Broken features must be at most 1e\+15 in size: 2e\+15"),
    ):
        metric = MeanGap(torch.zeros(9, 3), None, Broken(answer))
        with pytest.raises(error, match=message):
            score(metric, torch.zeros(4, 3))
