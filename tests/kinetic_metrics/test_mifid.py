import numpy as np
import pytest
import torch
from kinetic_features import Pixels
from kinetic_metrics import FrechetDistance, MiFID
from kinetic_metrics.mifid import nearest_cosine

from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def judged(metric, x):
    return metric.finish(metric.observe(metric.begin(), Samples(torch.arange(len(x)), x)))


def kaggles(features1, features2, distance, eps=0.1):
    """MiFID as Kaggle's evaluation has it, line by line: features1 of the samples, features2 of the training points."""
    mu1, sigma1 = features1.mean(0), np.cov(features1, rowvar=False)
    mu2, sigma2 = features2.mean(0), np.cov(features2, rowvar=False)
    fid = distance(mu1, sigma1, mu2, sigma2)
    nonzero1 = features1[np.sum(features1, axis=1) != 0]
    nonzero2 = features2[np.sum(features2, axis=1) != 0]
    unit1 = nonzero1 / np.linalg.norm(nonzero1, axis=1, keepdims=True)
    unit2 = nonzero2 / np.linalg.norm(nonzero2, axis=1, keepdims=True)
    d = 1.0 - np.abs(np.matmul(unit1, unit2.T))
    mean_min_d = np.mean(np.min(d, axis=1))
    return fid / ((mean_min_d if mean_min_d < eps else 1) + 10e-15)


@pytest.fixture(params=["copies", "new"])
def sets(request):
    """Samples and training points: near copies, or new ones further than the threshold."""
    train = torch.randn(150, 6).double()
    x = train[:100] + 0.05 * torch.randn(100, 6) if request.param == "copies" else torch.randn(100, 6).double() + 0.3
    return x, train, request.param == "copies"


@pytest.mark.filterwarnings("ignore:The `disp` argument:DeprecationWarning")
def test_the_score_is_kaggles(sets, pytorch_fids_distance):
    x, train, copies = sets
    threshold = 0.1 if copies else 0.01
    score = judged(MiFID(train, threshold=threshold), x)
    expected = kaggles(x.numpy(), train.numpy(), pytorch_fids_distance, threshold)
    assert score.values["mifid"].value == pytest.approx(expected, rel=1e-6)
    assert (score.values["cosine_distance"].value < threshold) == copies


def test_with_the_roles_exchanged_it_is_that_of_torchmetrics(sets):
    image = pytest.importorskip("torchmetrics.image")
    x, train, copies = sets
    threshold = 0.1 if copies else 0.01
    theirs = image.MemorizationInformedFrechetInceptionDistance(torch.nn.Identity(), cosine_distance_eps=threshold)
    theirs.update(x, real=True)  # it takes the mean over what it calls real
    theirs.update(train, real=False)
    assert judged(MiFID(train, threshold=threshold), x).values["mifid"].value == pytest.approx(
        float(theirs.compute()), rel=1e-6
    )


def test_from_the_threshold_on_it_is_the_frechet_distance_with_its_interval():
    x, train = torch.randn(200, 3) + 0.5, torch.randn(150, 3)
    found = judged(MiFID(train, threshold=1e-9), x).values["mifid"]
    given = judged(FrechetDistance(train), x).values["fd"]
    assert found.value == pytest.approx(given.value, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((given.low, given.high), rel=1e-6)


def test_the_interval_is_the_jackknife_of_distance_and_cosine_together():
    train = torch.randn(150, 4)
    x = train[:120] + 0.1 * torch.randn(120, 4)
    found = judged(MiFID(train), x).values["mifid"]
    groups = evidence.groups(np.arange(120))
    without = [judged(MiFID(train), x[groups != g]).values["mifid"].value for g in range(20)]
    assert found.leave_out.tolist() == pytest.approx(without, rel=1e-6)
    expected = evidence.jackknife(found.value, without)
    assert (found.low, found.high) == pytest.approx((max(0, expected.low), expected.high), rel=1e-6)


def test_few_samples_for_the_width_have_an_interval_and_no_difference():
    train = torch.randn(150, 40)
    score = judged(MiFID(train), train[:100] + 0.1 * torch.randn(100, 40))
    assert score.values["mifid"].low is not None
    assert score.values["mifid"].leave_out is None
    assert "No difference between arms: the bias comes off with 160 samples or more." in score.notes
    few = judged(MiFID(train), train[:59])
    assert few.values["mifid"].low is None
    assert "No interval: 59 samples, below 60." in few.notes


def test_the_cosine_distance_is_to_the_nearest_direction_or_its_opposite():
    points = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    x = torch.tensor([[3.0, 0.0], [0.0, -1.0], [1.0, 1.0], [0.0, 0.0]])
    expected = [0.0, 0.0, 1 - 0.5**0.5, float("nan")]
    assert nearest_cosine(x, points).tolist() == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_features_without_a_cosine_are_left_out_counted_and_refused_where_all_are():
    train = torch.randn(80, 3)
    x = torch.cat([train[:70] + 0.01, torch.zeros(2, 3)])
    score = judged(MiFID(train), x)
    assert score.values["cosine_distance"].value == pytest.approx(float(nearest_cosine(x[:70], train).mean()))
    assert score.notes[-1].startswith("2 samples have features that are all 0, and no cosine")
    with pytest.raises(OptionError, match="Pixels features have no cosine where they are all 0"):
        judged(MiFID(train), torch.zeros(5, 3))


def test_it_keeps_every_promise():
    train = torch.rand(90, 1, 3, 3) * 2 - 1
    check_metric(MiFID(train, features=Pixels()), Samples(torch.arange(70), train[:70] * 0.9))
