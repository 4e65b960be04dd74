import numpy as np
import pytest
import torch
from kinetic_metrics import frechet_estimate as module
from kinetic_metrics.frechet_estimate import frechet_estimate
from kinetic_metrics.gaussians import Gaussian, frechet_distance, moments
from kinetic_metrics.grouped_features import GroupedFeatures

from kinetic import evidence


def seen(x):
    return GroupedFeatures(2048).append(torch.arange(len(x)), x)


def refits(x, y):
    """The distance without each group of x."""
    groups = torch.from_numpy(evidence.groups(np.arange(len(x))))
    return np.array([frechet_distance(*moments(x[groups != g]), *moments(y)) for g in range(20)])


def population(a, reference):
    zero = torch.zeros(len(a), dtype=torch.float64)
    return frechet_distance(zero, a @ a.T, zero, reference @ reference.T)


def differences(arms, reference, n, m, draws):
    """Of a second arm and a first, over draws of noise that both share and of the reference."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(draws):
        z, y = (torch.randn(k, len(reference), generator=generator, dtype=torch.float64) for k in (n, m))
        target = seen(y @ reference.T)
        one, other = (frechet_estimate(seen(z @ arm.T), target).given for arm in arms)
        yield one, other, evidence.jackknife_difference(other, one)


@pytest.mark.parametrize(("n", "m", "within"), [(16000, 12000, 0.05), (4000, 3000, 0.1), (600, 500, 0.4)])
def test_the_derivative_gives_what_refits_give_to_first_order(n, m, within, monkeypatch):
    """Of 16 features: each value without a group to a part of their spread that falls with n, and so their spread."""
    x = torch.randn(n, 16) @ (torch.eye(16) + 0.1 * torch.randn(16, 16))
    y = torch.randn(m, 16) + 0.1
    plain = frechet_estimate(seen(x), seen(y)).given
    assert plain.leave_out == pytest.approx(refits(x, y), rel=1e-9)
    assert plain.leave_out_reference == pytest.approx(refits(y, x), rel=1e-9)
    monkeypatch.setattr(module, "_REFITTED", 0)
    found = frechet_estimate(seen(x), seen(y)).given
    assert found.value == pytest.approx(plain.value, rel=1e-12)
    assert found.unbiased == pytest.approx(plain.unbiased, rel=1e-9)
    for name in ("leave_out", "leave_out_reference"):
        first, exact = getattr(found, name), getattr(plain, name)
        about = (first - first.mean()) - (exact - exact.mean())
        assert np.abs(about).max() < within * exact.std()
        assert first.std() == pytest.approx(exact.std(), rel=within / 2)


def test_wide_features_have_both_intervals_and_few_of_them_no_difference():
    """Of 520 features, by the derivative; with 2,080 points each their bias comes off, with 2,079 it does not."""
    x, y = torch.randn(2080, 520), 1.1 * torch.randn(2080, 520)
    enough, few = frechet_estimate(seen(x), seen(y)), frechet_estimate(seen(x), seen(y[1:]))
    assert enough.given.unbiased < enough.given.value
    assert enough.freed
    assert not few.freed
    assert (few.given.leave_out, few.given.leave_out_reference, few.given.unbiased) == (None, None, None)
    assert few.both.value == few.given.value
    assert few.both.high - few.both.low > few.given.high - few.given.low


def test_the_interval_of_wide_features_is_about_that_of_refits():
    x, y = torch.randn(5200, 520) @ torch.diag(torch.linspace(0.1, 2, 520)), 1.1 * torch.randn(5200, 520)
    found = frechet_estimate(seen(x), seen(y)).given
    exact = evidence.jackknife(found.value, refits(x, y))
    assert found.high - found.low == pytest.approx(exact.high - exact.low, rel=0.1)


def test_where_a_covariance_is_singular_wide_features_are_refitted(monkeypatch):
    monkeypatch.setattr(module, "_REFITTED", 0)
    x, y = torch.randn(300, 9), torch.randn(200, 9)
    x[:, 3] = x[:, 4]
    found = frechet_estimate(seen(x), seen(y))
    parts = torch.from_numpy(evidence.groups(np.arange(300), 10))
    without = [frechet_distance(*moments(x[parts != g]), *moments(y)) for g in range(10)]
    expected = evidence.jackknife(found.given.value, without)
    assert (found.given.low, found.given.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert found.given.leave_out is None
    assert found.both is None


def test_neither_a_score_nor_its_ends_are_below_0_and_a_difference_may_be():
    x = torch.randn(200, 4)
    near, far = (frechet_estimate(seen(z), seen(x[:150] + 0.0)) for z in (x, 2 * x))
    assert min(near.given.value, near.given.low, near.both.value, near.both.low) >= 0
    assert near.given.unbiased < 0
    apart = evidence.jackknife_difference(near.given, far.given)
    assert apart.high < 0
    assert apart.value == near.given.unbiased - far.given.unbiased


def test_a_fixed_reference_has_the_bias_of_the_samples_alone_taken_off():
    """Of samples of the reference's own law the distance is 0, and the bias (f + f (f + 1)/4)/n to first order."""
    target, n, f = Gaussian(torch.zeros(6, dtype=torch.float64), torch.eye(6, dtype=torch.float64)), 300, 6
    found = [frechet_estimate(seen(torch.randn(n, f)), target).given for _ in range(60)]
    values, freed = ([getattr(each, name) for each in found] for name in ("value", "unbiased"))
    assert np.mean(values) == pytest.approx((f + f * (f + 1) / 4) / n, rel=0.15)
    assert np.mean(freed) == pytest.approx(0, abs=4 * np.std(freed) / 60**0.5)
    assert all(each.leave_out_reference is None for each in found)


@pytest.mark.parametrize(("d", "n", "m", "refitted"), [(8, 120, 60, 512), (64, 400, 256, 0)])
def test_the_interval_of_a_difference_covers_that_of_the_laws(d, n, m, refitted, monkeypatch):
    """Both arms and the reference are unlike; over the samples alone it covers less than it says."""
    monkeypatch.setattr(module, "_REFITTED", refitted)
    eye, turn = torch.eye(d, dtype=torch.float64), torch.Generator().manual_seed(5)
    bent = eye + 0.3 * torch.randn(d, d, generator=turn, dtype=torch.float64) / d**0.5
    arms = (0.9 * eye, 0.8 * bent)
    truth, hits, given = population(arms[1], bent) - population(arms[0], bent), 0, 0
    for one, other, found in differences(arms, bent, n, m, 200):
        hits += found.low <= truth <= found.high
        fixed = evidence.jackknife(other.value - one.value, other.leave_out - one.leave_out)
        given += fixed.low <= truth <= fixed.high
    assert hits >= 178  # 190 expected
    assert given <= 160


def test_a_contraction_that_is_truly_worse_is_not_called_better(monkeypatch):
    """By .5% in 64 dimensions: the distance itself falls, since what is contracted has less bias."""
    monkeypatch.setattr(module, "_REFITTED", 0)
    eye = torch.eye(64, dtype=torch.float64)
    better, misled = 0, 0
    for one, other, found in differences((eye, 0.995 * eye), eye, 400, 256, 200):
        better += found.high < 0
        misled += evidence.jackknife(other.value - one.value, other.leave_out - one.leave_out).high < 0
    assert better <= 12  # 5 expected
    assert misled >= 190
