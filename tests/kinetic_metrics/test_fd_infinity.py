import numpy as np
import pytest
import torch
from kinetic_metrics import FrechetInfinity
from kinetic_metrics import fd_infinity as module
from kinetic_metrics.fd_infinity import intercept, subsets
from kinetic_metrics.gaussians import frechet_distance, moments

from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


def test_a_line_in_1_over_n_is_followed_to_its_end_and_the_fit_is_that_of_scikit_learn():
    from sklearn.linear_model import LinearRegression

    sizes = np.linspace(50, 500, 15).astype(int)
    assert intercept(sizes, 0.7 + 3 / sizes) == pytest.approx(0.7, rel=1e-12)
    noisy = 0.7 + 3 / sizes + np.random.default_rng(0).normal(size=15)
    theirs = LinearRegression().fit(1 / sizes[:, None], noisy).intercept_
    assert intercept(sizes, noisy) == pytest.approx(theirs, rel=1e-10)


def test_subsets_are_drawn_without_replacement_in_equally_spaced_sizes_up_to_all():
    drawn = subsets(1000, 10, 0.1, seed=0)
    assert [len(rows) for rows in drawn] == list(range(100, 1001, 100))
    assert all(len(rows.unique()) == len(rows) for rows in drawn)
    assert [len(rows) for rows in subsets(4, 15, 0.1, seed=0)] == [2, 3, 4]


def test_the_score_is_the_end_of_the_line_through_the_distances_of_its_subsets():
    x, reference = torch.randn(300, 3), torch.randn(200, 3) + 0.4
    found = score(FrechetInfinity(reference=reference, points=6, seed=2), x)
    drawn = subsets(300, 6, 0.1, seed=2)
    groups = torch.from_numpy(evidence.groups(torch.arange(300).numpy()))

    def line(features, left_out=None, reference=reference):
        part = [rows if left_out is None else rows[groups[rows] != left_out] for rows in drawn]
        distances = [frechet_distance(*moments(features[rows]), *moments(reference)) for rows in part]
        return np.polyfit([1 / len(rows) for rows in part], distances, 1)[1]

    value = found.values["fd_infinity"]
    theirs = torch.from_numpy(evidence.groups(np.arange(200)))
    left = [line(x, reference=reference[theirs != g]) for g in range(20)]
    assert value.leave_out_reference.tolist() == pytest.approx(left, rel=1e-9)
    halves = [line(x, reference=reference[half]) for half in (theirs < 10, theirs >= 10)]
    assert value.unbiased == pytest.approx(2 * line(x) - np.mean(halves), rel=1e-9)
    both = evidence.two_jackknives(value.unbiased, value.leave_out, left)
    assert f"over draws of the reference as well it is [{both.low:.4g}, {both.high:.4g}]" in found.notes[-1]
    assert found.values["fd_infinity"].value == pytest.approx(line(x), rel=1e-9)
    assert found.values["fd_infinity"].leave_out.tolist() == pytest.approx([line(x, g) for g in range(20)], rel=1e-9)


def test_gaussians_of_one_law_extrapolate_to_0_where_the_distance_itself_is_biased():
    """E FD = (f + f (f + 1)/4)(1/n + 1/m) to first order."""
    f, n, m = 8, 1100, 22000
    plain, held, ends = [], 0, []
    for _ in range(12):
        x, reference = torch.randn(n, f, dtype=torch.float64), torch.randn(m, f, dtype=torch.float64)
        plain.append(frechet_distance(*moments(x), *moments(reference)))
        found = score(FrechetInfinity(reference=reference), x).values["fd_infinity"]
        held += found.low <= 0 <= found.high
        ends.append(found.value)
    assert np.mean(plain) == pytest.approx((f + f * (f + 1) / 4) * (1 / n + 1 / m), rel=0.15)
    assert np.mean(plain) > 5 * np.std(plain, ddof=1) / 12**0.5
    assert held >= 10  # at 95% fewer have probability 0.02
    assert abs(np.mean(ends)) < 0.2 * np.mean(plain)


def test_the_interval_holds_the_distance_of_two_shifted_gaussians():
    """||dm||^2 = f a^2."""
    f, a, held = 4, 0.3, 0
    for _ in range(20):
        x = torch.randn(600, f, dtype=torch.float64) + a
        found = score(FrechetInfinity(reference=torch.randn(20000, f, dtype=torch.float64)), x).values["fd_infinity"]
        held += found.low <= f * a * a <= found.high
    assert held >= 16  # at 95% fewer have probability 0.003


def test_wide_features_and_few_samples_have_no_interval(monkeypatch):
    reference = torch.randn(500, 9)
    few = score(FrechetInfinity(reference=reference, points=3), torch.randn(59, 9))
    assert few.values["fd_infinity"].low is None
    assert few.notes[-1] == "No interval: 59 samples, below 60."
    monkeypatch.setattr(module, "_WIDEST", 8)
    wide = score(FrechetInfinity(reference=reference, points=3), torch.randn(300, 9))
    assert wide.values["fd_infinity"].low is None
    assert wide.notes[-1] == "No interval: 9 features, above 8."
    thin = score(FrechetInfinity(reference=reference[:, :8], points=3), torch.randn(239, 8))
    assert (thin.values["fd_infinity"].low, thin.values["fd_infinity"].leave_out) == (None, None)
    assert thin.notes[-1] == "No interval: 239 samples, below 30 times the 8 features, from where on it holds."
    narrow = score(FrechetInfinity(reference=reference[:, :8], points=3), torch.randn(240, 8))
    assert narrow.values["fd_infinity"].low is not None


def test_a_reference_of_few_points_allows_no_difference():
    """Its bias cannot be taken off by halves below four times the width."""
    few, enough = (
        score(FrechetInfinity(torch.randn(m, 16), points=3), torch.randn(480, 16)).values["fd_infinity"]
        for m in (63, 64)
    )
    assert few.low is not None
    assert few.leave_out is None
    assert enough.leave_out is not None


def test_subsets_that_a_group_empties_have_no_interval():
    found = score(FrechetInfinity(reference=torch.randn(50, 3), smallest=0.01), torch.randn(120, 3))
    assert found.values["fd_infinity"].low is None
    assert found.notes[-1] == "No interval: without a group of samples a subset, the smallest of 2, has fewer than 2."


def test_small_subsets_are_flagged():
    found = score(FrechetInfinity(reference=torch.randn(50, 3)), torch.randn(100, 3))
    assert found.notes[0].startswith(
        "Frechet distance to 50 reference points, extrapolated from 15 subsets of 10 to 100"
    )
    assert found.notes[1].startswith("10 samples are few for 3 features")


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(70, 3)
    samples = Samples(torch.randperm(70), x)
    check_metric(FrechetInfinity(reference=torch.randn(50, 3), points=4, smallest=0.3), samples)


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'reference' must hold 2 points or more: 1"):
        FrechetInfinity(reference=torch.zeros(1, 3))
    with pytest.raises(OptionError, match="'smallest' must be a number > 0 and < 1: 1"):
        FrechetInfinity(reference=torch.zeros(3, 3), smallest=1)
