import sys

import pytest
import torch
from kinetic_metrics.torchmetrics_class import arguments_of, make, merges, metric_class, takes_features

from kinetic.errors import KineticError, MissingPackageError

tm = pytest.importorskip("torchmetrics")


@pytest.mark.parametrize("name", ["regression.MeanSquaredError", "clustering.RandScore", "image.TotalVariation"])
def test_a_name_is_the_class_of_that_module(name):
    module, cls = name.split(".")
    assert metric_class(name) is getattr(getattr(tm, module), cls)


@pytest.mark.parametrize(
    "name", ["wrappers.BootStrapper", "image", "image.", ".fid", "image.fid.np", "image.functional", ""]
)
def test_what_is_no_metric_of_these_modules_is_refused_and_nothing_is_imported_for_it(name):
    for known in (
        "classification.MulticlassAccuracy",
        "clustering.RandScore",
        "image.TotalVariation",
        "regression.R2Score",
    ):
        metric_class(known)
    before = set(sys.modules)
    with pytest.raises(KineticError):
        metric_class(name)
    assert set(sys.modules) == before


def test_no_metric_that_is_offered_loads_a_network_when_it_is_made_or_shown_images(monkeypatch):
    def refuse(*given, **options):
        raise AssertionError(f"a download: {given}")

    for name in ("load_state_dict_from_url", "download_url_to_file"):
        monkeypatch.setattr(torch.hub, name, refuse)
    x = torch.rand(6, 3, 200, 200, dtype=torch.float64)
    offered = [name for name in tm.image.__all__ if _is_offered(f"image.{name}")]
    assert {"StructuralSimilarityIndexMeasure", "FrechetInceptionDistance"} <= set(offered)
    for name in offered:
        cls = metric_class(f"image.{name}")
        if not takes_features(cls):
            metric = make(cls, {"data_range": 1.0} if "PeakSignal" in name else {}, 2)
            metric.update(*([x[:, :1] if "Blocked" in name else x] * len(arguments_of(cls))))
            assert not list(metric.parameters())


def _is_offered(name):
    try:
        return metric_class(name) is not None
    except KineticError:
        return False


def test_sums_and_lists_merge_and_means_do_not():
    assert merges(make(tm.image.TotalVariation, {}, 2))
    assert merges(make(tm.image.FrechetInceptionDistance, {}, 3))
    assert not merges(make(tm.image.PeakSignalNoiseRatio, {"data_range": 1.0}, 2))
    assert not merges(make(tm.regression.PearsonCorrCoef, {}, 2))


def test_without_torchmetrics_the_way_on_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(MissingPackageError, match=r'needs torchmetrics: pip install "kinetic-flow\[torchmetrics\]"'):
        metric_class("image.TotalVariation")
