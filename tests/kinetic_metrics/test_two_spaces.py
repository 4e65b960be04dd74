import attrs
import pytest
import torch
from kinetic_features import ModuleFeatures, Pixels
from kinetic_metrics.data_options import dataset
from kinetic_metrics.two_spaces import TwoSpaceMetric

import kinetic
from kinetic import Column, Samples, Score, options
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_metric


class Firsts(torch.nn.Module):
    """The first two elements, of points of any shape."""

    def forward(self, x):
        return x.flatten(1)[:, :2]


@attrs.frozen(eq=False)
class Centre(TwoSpaceMetric):
    """The distance to the mean of the data."""

    train: kinetic.Dataset = dataset("the data")
    features: kinetic.FeatureSpace | None = options.component(kinetic.FeatureSpace, None, doc="another space")
    in_pixels = (
        Column("away", "Distance to the mean.", unit="data units", mean="mean_away"),
        Column("far", "Whether that is above 1.", kind="label"),
    )

    def look(self, x, *data):
        away = (x.flatten(1) - data[0].read(0, len(data[0])).flatten(1).mean(0)).norm(dim=1)
        return {"away": away, "far": away > 1}

    def conclude(self, columns):
        return Score(self.means(columns), columns=columns)


def score(metric, x):
    return metric.finish(metric.observe(metric.begin(), Samples(torch.arange(len(x)), x)))


def test_the_second_space_has_the_columns_of_its_features(monkeypatch):
    monkeypatch.setattr("kinetic_metrics.two_spaces._ROWS", 4)
    train, x = torch.randn(9, 2, 3), torch.randn(11, 2, 3)
    both = score(Centre(train, ModuleFeatures(Firsts())), x)
    pixels, features = score(Centre(train), x), score(Centre(Firsts()(train)), Firsts()(x))
    assert set(pixels.columns) == {"away", "far"}
    for name in ("away", "far"):
        assert torch.equal(both.columns[name], pixels.columns[name])
        assert torch.allclose(both.columns[f"{name}_features"], features.columns[name])
    assert set(both.values) == {"mean_away", "far", "mean_away_features", "far_features"}


def test_its_columns_are_described_in_both_spaces():
    described = Centre(torch.zeros(2, 3), Pixels()).described
    assert [column.value for column in described] == ["mean_away", "far", "mean_away_features", "far_features"]
    assert described[2].says == "In Pixels features: Distance to the mean."
    assert [column.unit for column in described] == ["data units", "", "feature units", ""]
    assert Centre(torch.zeros(2, 3)).described == Centre.in_pixels


def test_the_contract_of_a_metric_is_kept():
    check_metric(Centre(torch.randn(5, 3), Pixels()), Samples(torch.randperm(9), torch.randn(9, 3)))


def test_misfits_of_either_space_are_found_by_its_check():
    class ByShape(torch.nn.Module):
        def forward(self, x):
            return x[:, :3] if bool((x == 0).all()) else x

    few = Samples(torch.arange(2), torch.zeros(2, 4))
    with pytest.raises(ShapeError, match=r"samples have shape \(4,\), the points of 'train' \(5,\)"):
        Centre(torch.randn(6, 5)).check(few)
    with pytest.raises(ShapeError, match="3 ModuleFeatures features, the points they are compared with 4"):
        Centre(torch.randn(6, 4), ModuleFeatures(ByShape())).check(few)
    with pytest.raises(OptionError, match="samples must be finite"):
        Centre(torch.randn(6, 4)).check(Samples(few.ids, few.x / 0))
