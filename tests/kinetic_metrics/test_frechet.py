import attrs
import pytest
import torch
from kinetic_metrics import FrechetDistance
from kinetic_metrics.gaussians import frechet_distance, moments

import kinetic
from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def samples(x, denoised=None):
    return Samples(torch.arange(len(x)), x, x if denoised is None else denoised)


def test_the_score_is_the_distance_of_the_two_sets_with_a_jackknife_interval():
    x, reference = torch.randn(200, 3), torch.randn(150, 3) + 0.5
    metric = FrechetDistance(reference=reference)
    score = metric.finish(metric.observe(metric.begin(), samples(x, x * 0.9)))
    expected = frechet_distance(*moments(x), *moments(reference))
    assert score.values["fd"].value == pytest.approx(expected, rel=1e-12)
    groups = torch.from_numpy(evidence.groups(torch.arange(200).numpy()))
    without = [frechet_distance(*moments(x[groups != g]), *moments(reference)) for g in range(20)]
    assert score.values["fd"].leave_out.tolist() == pytest.approx(without)
    assert score.values["fd_denoised"].value == pytest.approx(frechet_distance(*moments(x * 0.9), *moments(reference)))
    assert "200 samples to 150 reference points, in 3 Pixels features" in score.notes[0]


def test_few_samples_for_many_features_are_flagged():
    metric = FrechetDistance(reference=torch.randn(50, 30))
    score = metric.finish(metric.observe(metric.begin(), samples(torch.randn(70, 30))))
    assert "70 samples are few for 30 features" in score.notes[1]


def test_the_contract_of_a_metric_is_kept():
    check_metric(FrechetDistance(reference=torch.randn(90, 4)), samples(torch.randn(80, 4)))


def test_features_that_are_not_finite_are_refused():
    @attrs.frozen(eq=False)
    class Broken(kinetic.FeatureSpace):
        def features(self, x):
            return x.flatten(1) / 0

    metric = FrechetDistance(reference=torch.randn(9, 2), features=Broken())
    with pytest.raises(OptionError, match="Broken features must be finite"):
        metric.observe(metric.begin(), samples(torch.zeros(3, 2)))
