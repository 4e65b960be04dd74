import pytest
import torch
from kinetic_metrics import KernelDistance
from kinetic_metrics.kernel_distance import poly_mmd, subset_pairs

from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


def by_formula(x, y):
    """sum_{i != j} k(x_i, x_j) / (n (n-1)) + the same of y - 2 mean k(x_i, y_j), term by term."""

    def kernel(a, b):
        return (float(a @ b) / len(a) + 1) ** 3

    def within(z):
        pairs = [kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]
        return sum(pairs) / len(pairs)

    return within(x) + within(y) - 2 * sum(kernel(a, b) for a in x for b in y) / (len(x) * len(y))


def test_the_unbiased_mmd_is_its_formula_term_by_term():
    x, y = torch.randn(9, 4, dtype=torch.float64), torch.randn(7, 4, dtype=torch.float64) + 0.4
    assert poly_mmd(x, y) == pytest.approx(by_formula(x, y), rel=1e-12)


def test_the_mean_over_draws_is_the_distance_of_the_two_laws():
    """Of points +-1 on a line k is 8 where they are equal, else 0: MMD^2 = 16 (p - r)^2 for P(+1) = p and r."""
    p, r, n = 0.3, 0.6, 6
    x, y = ((torch.rand(2000, n, 1) < share).double() * 2 - 1 for share in (p, r))
    draws = torch.tensor([poly_mmd(a, b) for a, b in zip(x, y, strict=True)])
    assert float(draws.mean()) == pytest.approx(16 * (p - r) ** 2, abs=4 * float(draws.std()) / 2000**0.5)


def test_the_score_is_the_mean_over_its_subsets_of_the_mmd_of_torchmetrics():
    kid = pytest.importorskip("torchmetrics.image.kid", reason="needs torchmetrics")
    x, y = torch.randn(90, 12, dtype=torch.float64), torch.randn(70, 12, dtype=torch.float64) * 1.2
    draws = subset_pairs(90, 70, 40, 6, seed=3)
    metric = KernelDistance(reference=y, subsets=6, subset_size=40, seed=3)
    found = score(metric, x)
    theirs = [float(kid.poly_mmd(x[a], y[b])) for a, b in draws]
    assert found.values["kid"].value == pytest.approx(sum(theirs) / 6, rel=1e-10)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`:UserWarning")
def test_on_the_whole_sets_it_is_the_kernel_inception_distance_of_torchmetrics():
    kid = pytest.importorskip("torchmetrics.image.kid", reason="needs torchmetrics")
    x, y = torch.randn(60, 20), torch.randn(60, 20) + 0.3
    theirs = kid.KernelInceptionDistance(feature=torch.nn.Identity(), subsets=1, subset_size=60).set_dtype(torch.double)
    theirs.update(x.double(), real=False)
    theirs.update(y.double(), real=True)
    found = score(KernelDistance(reference=y, subsets=1, subset_size=60), x)
    assert found.values["kid"].value == pytest.approx(float(theirs.compute()[0]), rel=1e-6)


def test_to_the_same_seed_it_is_the_kid_of_torch_fidelity_subset_by_subset():
    fidelity = pytest.importorskip("torch_fidelity.metric_kid", reason="needs torch-fidelity")
    x, y = torch.randn(150, 16, dtype=torch.float64), torch.randn(120, 16, dtype=torch.float64) + 0.2
    theirs = fidelity.kid_features_to_metric(
        x,
        y,
        kid_subsets=8,
        kid_subset_size=50,
        rng_seed=7,
        kid_kernel="poly",
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1.0,
        verbose=False,
    )
    found = score(KernelDistance(reference=y, subsets=8, subset_size=50, seed=7), x)
    assert found.values["kid"].value == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-10)


def test_leaving_out_a_group_is_the_mmd_of_the_subsets_without_its_members():
    x, y = torch.randn(200, 5, dtype=torch.float64), torch.randn(80, 5, dtype=torch.float64) + 0.5
    found = score(KernelDistance(reference=y, subsets=4, subset_size=70, seed=1), x).values["kid"]
    groups = torch.from_numpy(evidence.groups(torch.arange(200).numpy()))
    draws = subset_pairs(200, 80, 70, 4, seed=1)
    without = [sum(poly_mmd(x[a[groups[a] != g]], y[b]) for a, b in draws) / 4 for g in range(evidence.GROUPS)]
    assert found.leave_out.tolist() == pytest.approx(without, rel=1e-9)


def test_leaving_out_a_group_of_the_reference_is_the_mmd_of_the_subsets_without_its_points():
    x, y = torch.randn(90, 5, dtype=torch.float64), torch.randn(200, 5, dtype=torch.float64) + 0.5
    found = score(KernelDistance(reference=y, subsets=4, subset_size=70, seed=1), x)
    value = found.values["kid"]
    groups = torch.from_numpy(evidence.groups(torch.arange(200).numpy()))
    draws = subset_pairs(90, 200, 70, 4, seed=1)
    without = [sum(poly_mmd(x[a], y[b[groups[b] != g]]) for a, b in draws) / 4 for g in range(evidence.GROUPS)]
    assert value.leave_out_reference.tolist() == pytest.approx(without, rel=1e-9)
    assert value.unbiased == value.value
    both = evidence.two_jackknives(value.value, value.leave_out, without)
    assert f"over draws of the reference as well it is [{both.low:.4g}, {both.high:.4g}]" in found.notes[-1]


def test_the_interval_of_a_difference_covers_that_of_the_laws():
    """On a line MMD^2 sums the squared differences of three moments; both arms have the same noise."""

    def truth(a, s):
        return 3 * a**2 + 3 * (s**2 + a**2 - 1) ** 2 + (a**3 + 3 * a * s**2) ** 2

    generator, hits, given = torch.Generator().manual_seed(0), 0, 0
    for _ in range(200):
        z, y = torch.randn(2, 200, 1, dtype=torch.float64, generator=generator)
        metric = KernelDistance(reference=y[:100], subsets=10, subset_size=100)
        one, other = (score(metric, x).values["kid"] for x in (0.8 * z + 0.5, z + 0.4))
        found = evidence.jackknife_difference(one, other)
        apart = truth(0.5, 0.8) - truth(0.4, 1.0)
        hits += found.low <= apart <= found.high
        fixed = evidence.jackknife(found.value, one.leave_out - other.leave_out)
        given += fixed.low <= apart <= fixed.high
    assert hits >= 180
    assert given < hits


def test_arms_share_their_subsets_so_that_a_small_change_is_seen():
    """Of samples moved by 0.01 the score moves by less than a tenth of what other subsets would move it by."""
    y = torch.randn(300, 8) + 0.3
    metric, moved, redrawn = KernelDistance(reference=y, subsets=20, subset_size=60), [], []
    for _ in range(6):
        x = torch.randn(300, 8)
        arms = (x, x + 0.01 * torch.randn(300, 8), x[torch.randperm(300)])
        plain, other, shuffled = (score(metric, samples).values["kid"].value for samples in arms)
        moved.append(abs(other - plain))
        redrawn.append(abs(shuffled - plain))
    assert sum(moved) < 0.1 * sum(redrawn)


def test_the_interval_finds_the_distance_of_the_two_laws_about_as_often_as_it_says():
    """On a line k = 1 + 3 xy + 3 x^2 y^2 + x^3 y^3: MMD^2 sums the squared differences of three moments."""
    a, y = 0.5, torch.randn(4000, 1, dtype=torch.float64) + 0.5
    first, second, third = float(y.mean()), float((y**2).mean()), float((y**3).mean())
    truth = 3 * first**2 + 3 * (second - 1) ** 2 + third**2
    assert truth == pytest.approx(3 * a**2 + 3 * a**4 + (a**3 + 3 * a) ** 2, rel=0.2)
    hits = 0
    for _ in range(40):
        x = torch.randn(150, 1, dtype=torch.float64)
        known = score(KernelDistance(reference=y, subsets=20, subset_size=150), x).values["kid"]
        hits += known.low <= truth <= known.high
    assert hits >= 33  # 38 expected; fewer than 33 has probability 0.004


def test_few_samples_have_no_interval_and_a_lowered_subset_size_is_noted():
    found = score(KernelDistance(reference=torch.randn(50, 3)), torch.randn(30, 3))
    assert found.values["kid"].low is None
    assert "KID of 30 samples to 50 reference points, in 3 Pixels features" in found.notes[0]
    assert found.notes[1] == "'subset_size' 1000 was lowered to 30, the points there are."


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(80, 4)
    samples = Samples(torch.randperm(80), x)
    check_metric(KernelDistance(reference=torch.randn(90, 4), subsets=5, subset_size=30), samples)


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'reference' must hold 2 points or more: 1"):
        KernelDistance(reference=torch.zeros(1, 3))
