import attrs
import pytest
import torch
from kinetic_metrics import FrechetDistance
from kinetic_metrics import frechet as module
from kinetic_metrics.gaussians import frechet_distance, moments

import kinetic
from kinetic import Samples, evidence
from kinetic.errors import OptionError, ShapeError
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


@pytest.mark.parametrize("widest", [512, 1])
@pytest.mark.parametrize("width", [2, 30, 100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_contract_of_a_metric_is_kept(width, widest, dtype, monkeypatch):
    """Above 20 times the width (or once it) moments are kept instead of features; below the width there is a factor."""
    monkeypatch.setattr(module, "_WIDEST", widest)
    x = torch.randn(80, width, dtype=dtype) + 100
    metric = FrechetDistance(reference=torch.randn(90, width, dtype=dtype))
    check_metric(metric, samples(x))
    check_metric(metric, samples(x, x * 0.9))
    check_metric(metric, samples(x, torch.where(torch.arange(80)[:, None] < 40, x, 0.9 * x)))


@pytest.mark.parametrize("width", [2, 30, 100])
def test_batches_and_merging_change_neither_value_nor_leave_outs(width):
    x, reference = torch.randn(300, width, dtype=torch.float64), torch.randn(150, width, dtype=torch.float64)
    x[:, 0] = x[:, 1] + 1e-3 * x[:, 0]
    metric = FrechetDistance(reference=reference)
    whole = metric.finish(metric.observe(metric.begin(), samples(x))).values["fd"]
    states = [metric.begin()]
    for rows in torch.randperm(300).split(7):
        states.append(metric.observe(metric.begin(), Samples(rows, x[rows], x[rows])))
    while len(states) > 1:
        states = [metric.merge(*states[i : i + 2]) for i in range(0, len(states) - 1, 2)] + states[len(states) & ~1 :]
    merged = metric.finish(states[0]).values["fd"]
    assert merged.value == pytest.approx(whole.value, rel=1e-10)
    assert merged.leave_out == pytest.approx(whole.leave_out, rel=1e-10)
    groups = torch.from_numpy(evidence.groups(torch.arange(300).numpy()))
    without = [frechet_distance(*moments(x[groups != g]), *moments(reference)) for g in range(20)]
    assert whole.leave_out.tolist() == pytest.approx(without, rel=1e-9)


@pytest.mark.parametrize(("widest", "kept"), [(512, 20), (1, 1)])
def test_what_is_held_does_not_grow_with_the_samples(widest, kept, monkeypatch):
    monkeypatch.setattr(module, "_WIDEST", widest)
    metric, width = FrechetDistance(reference=torch.randn(50, 3)), 3
    state, most = metric.begin(), 0
    for first in range(0, 3000, 10):
        x = torch.randn(10, width)
        state = metric.observe(state, Samples(torch.arange(first, first + 10), x, x))
        most = max(most, sum(len(features) for _, features in state.x.parts))
    assert most <= kept * width
    assert len(state.x.sums) == kept
    assert state.denoised is state.x
    assert (metric.finish(state).values["fd"].low is None) == (kept == 1)


def test_samples_that_differ_from_their_denoised_ones_late_are_not_taken_for_the_same():
    x, reference = torch.randn(120, 2), torch.randn(50, 2)
    metric = FrechetDistance(reference=reference)
    state = metric.begin()
    for rows in torch.arange(120).split(30):
        denoised = x[rows] * 0.5 if rows[0] == 90 else x[rows]
        state = metric.observe(state, Samples(rows, x[rows], denoised))
    score = metric.finish(state)
    halved = torch.cat([x[:90], x[90:] * 0.5])
    assert score.values["fd"].value == pytest.approx(frechet_distance(*moments(x), *moments(reference)))
    assert score.values["fd_denoised"].value == pytest.approx(frechet_distance(*moments(halved), *moments(reference)))


def test_fewer_samples_than_two_are_refused():
    metric = FrechetDistance(reference=torch.randn(9, 2))
    for n in (0, 1):
        with pytest.raises(OptionError, match=f"2 samples or more: {n}"):
            metric.finish(metric.observe(metric.begin(), samples(torch.zeros(n, 2))))


def test_a_feature_space_that_changes_its_width_is_refused():
    @attrs.frozen(eq=False)
    class Fickle(kinetic.FeatureSpace):
        def features(self, x):
            return x[:, : len(x)]

    metric = FrechetDistance(reference=torch.randn(9, 2), features=Fickle())
    state = metric.observe(metric.begin(), samples(torch.zeros(2, 4)))
    with pytest.raises(ShapeError, match="as many for every sample: 2 and 3"):
        metric.observe(state, samples(torch.zeros(3, 4)))


def test_features_that_are_not_finite_are_refused():
    @attrs.frozen(eq=False)
    class Broken(kinetic.FeatureSpace):
        def features(self, x):
            return x.flatten(1) / 0

    metric = FrechetDistance(reference=torch.randn(9, 2), features=Broken())
    with pytest.raises(OptionError, match="Broken features must be finite"):
        metric.observe(metric.begin(), samples(torch.zeros(3, 2)))
