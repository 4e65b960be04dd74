import numpy as np
import pytest
import torch
from kinetic_metrics.gaussians import (
    Gaussian,
    Moments,
    distance_derivative,
    frechet_distance,
    gaussian_distance,
    moments,
)

from kinetic.errors import OptionError, ShapeError


def random_covariance(f, rank=None):
    a = torch.randn(f, rank or 2 * f, dtype=torch.float64)
    return a @ a.T / a.shape[1]


def apart(found, expected):
    """Relative, in the Frobenius norm."""
    return float((found - expected).norm() / expected.norm())


def rotated(values):
    """Covariances with these eigenvalues and the same random eigenvectors."""
    q, _ = torch.linalg.qr(torch.randn(len(values[0]), len(values[0]), dtype=torch.float64))
    return [q @ torch.diag(torch.as_tensor(value, dtype=torch.float64)) @ q.T for value in values]


def test_moments_are_those_of_numpy():
    x = torch.randn(30, 4)
    mean, cov = moments(x)
    assert np.allclose(mean, x.double().numpy().mean(0))
    assert np.allclose(cov, np.cov(x.double().numpy(), rowvar=False))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mean_a_thousand_times_the_deviation_costs_no_digits(dtype):
    x = torch.randn(3000, 20, dtype=dtype) + 1e3
    about = x.double() - x.double().mean(0)
    assert apart(Moments.of(x).scatter, about.T @ about) < 1e-12


def test_moments_do_not_depend_on_blocks_their_order_or_how_they_are_merged():
    x = torch.randn(1200, 12, dtype=torch.float64) * torch.logspace(-3, 3, 12, dtype=torch.float64) + 50
    whole = Moments.of(x)
    parts = [Moments.of(block) for block in x[torch.randperm(1200)].split([1, 99, 400, 500, 200])]
    chain = parts[0]
    for part in parts[1:]:
        chain = chain.merge(part)
    tree = parts[4].merge(parts[2]).merge(parts[3].merge(parts[0].merge(parts[1])))
    for other in (chain, tree):
        assert other.n == 1200
        assert apart(other.mean, whole.mean) < 1e-13
        assert apart(other.cov, whole.cov) < 1e-10


def test_a_part_can_be_taken_out_again():
    x = torch.randn(400, 6, dtype=torch.float64) + 100
    left = Moments.of(x).without(Moments.of(x[:20] + 0))
    assert left.n == 380
    assert apart(left.mean, Moments.of(x[20:]).mean) < 1e-13
    assert apart(left.cov, Moments.of(x[20:]).cov) < 1e-10


@pytest.mark.parametrize("f", [5, 600])
def test_many_parts_are_merged_at_once_as_one_by_one(f):
    x = torch.randn(700, f, dtype=torch.float64) + 3
    whole, parts = Moments.of(x), [Moments.of(part) for part in x.split([1, 2, 297, 400])]
    found = Moments.merged(parts)
    assert found.n == 700
    assert apart(found.mean, whole.mean) < 1e-13
    assert apart(found.cov, whole.cov) < 1e-12
    assert apart(whole.scatter, (x - x.mean(0)).T @ (x - x.mean(0))) < 1e-12


def test_the_derivative_of_the_distance_is_that_of_differences():
    a, b = (Gaussian.fitted(torch.randn(60, 6, dtype=torch.float64) * s + m) for s, m in ((1.0, 0.0), (1.5, 0.4)))
    slope = distance_derivative(a, b)
    assert slope.distance == pytest.approx(gaussian_distance(a, b), rel=1e-12)
    assert torch.allclose(slope.there @ slope.there.T @ slope.back @ slope.back.T, torch.eye(6, dtype=torch.float64))
    h, eye = 1e-5, torch.eye(6, dtype=torch.float64)
    for side, step, factor in ((0, slope.step, slope.there), (1, -slope.step, slope.back)):
        move, turn = torch.randn(6, dtype=torch.float64), random_covariance(6)
        moved = []
        for sign in (h, -h):
            pair = [a, b]
            pair[side] = Gaussian(pair[side].mean + sign * move, pair[side].cov + sign * turn)
            moved.append(gaussian_distance(*pair))
        expected = 2 * step @ move + ((eye - factor @ factor.T) * turn).sum()
        assert (moved[0] - moved[1]) / (2 * h) == pytest.approx(float(expected), rel=1e-6)


def test_covariances_that_are_singular_or_no_whole_ones_have_no_derivative():
    whole, factor = Gaussian.fitted(torch.randn(60, 6)), Gaussian.fitted(torch.randn(6, 6))
    flat = Gaussian(whole.mean, torch.ones(6, 6, dtype=torch.float64))
    assert all(distance_derivative(*pair) is None for pair in ((whole, factor), (factor, whole), (flat, whole)))


def test_the_distance_of_commuting_gaussians_is_known():
    """||dm||^2 + sum (sigma1 - sigma2)^2 for covariances with the same eigenvectors."""
    s1, s2 = torch.rand(6, dtype=torch.float64) + 0.1, torch.rand(6, dtype=torch.float64) + 0.1
    c1, c2 = rotated([s1**2, s2**2])
    m1, m2 = torch.randn(2, 6, dtype=torch.float64)
    expected = ((m1 - m2).square().sum() + (s1 - s2).square().sum()).item()
    assert frechet_distance(m1, c1, m2, c2) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("widest", [1, 1e6])
def test_covariances_singular_in_the_same_directions_keep_the_formula_of_commuting_ones(widest):
    """Some eigenvalues are 0 in one, some in the other, some in both: Cholesky's factor does not exist."""
    s1 = torch.tensor([widest, 2.0, 1.0, 0.5, 0.0, 0.0, 3.0], dtype=torch.float64)
    s2 = torch.tensor([1.0, 0.3, 0.0, 2.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    c1, c2 = rotated([s1**2, s2**2])
    zero = torch.zeros(7, dtype=torch.float64)
    expected = (s1 - s2).square().sum().item()
    for first, second in ((c1, c2), (c2, c1)):
        assert frechet_distance(zero, first, zero, second) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(zero, c1, zero, c1) == pytest.approx(0, abs=1e-12 * widest**2)


def test_a_covariance_that_is_exactly_singular_has_no_cholesky_factor_and_a_distance_all_the_same():
    """S1 = 1 1^T and S2 = I: Tr (S1 S2)^{1/2} = sqrt f."""
    ones, eye, zero = torch.ones(9, 9), torch.eye(9), torch.zeros(9)
    assert int(torch.linalg.cholesky_ex(ones).info) > 0
    for first, second in ((ones, eye), (eye, ones)):
        assert frechet_distance(zero, first, zero, second) == pytest.approx(9 + 9 - 2 * 3, rel=1e-12)
    assert frechet_distance(zero, torch.zeros(9, 9), zero, eye) == pytest.approx(9, rel=1e-12)


@pytest.mark.parametrize(("rank1", "rank2"), [(None, None), (5, None), (None, 5), (5, 7)])
def test_singular_covariances_give_the_trace_of_the_root_of_the_product(rank1, rank2):
    from scipy.linalg import eigvals

    s1, s2, zero = random_covariance(12, rank1), random_covariance(12, rank2), torch.zeros(12)
    roots = np.sqrt(np.maximum(eigvals((s1 @ s2).numpy()).real, 0)).sum()
    expected = float(s1.trace() + s2.trace() - 2 * roots)
    assert frechet_distance(zero, s1, zero, s2) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(zero, s1, zero, s1) == pytest.approx(0, abs=1e-6)


def test_features_on_wildly_different_scales_keep_the_distance():
    """Scaled by D, N(0, I) and N(0, 4 I) are sum D^2 (2 - 1)^2 apart, from 1e-12 to 1e12."""
    d = torch.logspace(-6, 6, 13, dtype=torch.float64)
    zero = torch.zeros(13)
    assert frechet_distance(zero, torch.diag(d**2), zero, torch.diag(4 * d**2)) == pytest.approx(
        d.square().sum().item(), rel=1e-10
    )


@pytest.mark.parametrize("n", [2, 3, 25, 41])
def test_the_factor_of_a_fit_has_one_row_less_than_samples_and_their_covariance(n):
    x = torch.randn(n, 40) * 3 + 7
    fit = Gaussian.fitted(x)
    factor = fit.factor()
    assert factor.shape == (min(n - 1, 40), 40)
    assert np.allclose(factor.T @ factor, np.cov(x.double().numpy(), rowvar=False), atol=1e-10)
    assert (fit.rows is None) == (n > 40)
    assert float(fit.trace) == pytest.approx(float(np.cov(x.double().numpy(), rowvar=False).trace()), rel=1e-12)


@pytest.mark.parametrize(("n1", "n2"), [(10, 14), (10, 300), (300, 10), (300, 200), (30, 30)])
def test_factors_and_whole_covariances_give_the_same_distance(n1, n2):
    """The truth: nuclear norm of the product of the centred features, by SciPy."""
    from scipy.linalg import svdvals

    x, y = torch.randn(n1, 30, dtype=torch.float64), torch.randn(n2, 30, dtype=torch.float64) * 2 + 0.3
    a = (x - x.mean(0)).numpy() / np.sqrt(n1 - 1)
    b = (y - y.mean(0)).numpy() / np.sqrt(n2 - 1)
    mean = float((x.mean(0) - y.mean(0)).square().sum())
    expected = mean + np.square(a).sum() + np.square(b).sum() - 2 * svdvals(a @ b.T).sum()
    assert gaussian_distance(Gaussian.fitted(x), Gaussian.fitted(y)) == pytest.approx(expected, rel=1e-12)
    assert frechet_distance(*moments(x), *moments(y)) == pytest.approx(expected, rel=1e-9)


def test_few_samples_of_many_features_cost_no_large_eigenvalues(monkeypatch):
    widths = []
    for name in ("eigvalsh", "eigh", "svdvals", "cholesky_ex"):
        real = getattr(torch.linalg, name)
        monkeypatch.setattr(
            torch.linalg, name, lambda m, *a, real=real, **k: (widths.append(min(m.shape)), real(m, *a, **k))[1]
        )
    few, whole = torch.randn(20, 300), Moments.of(torch.randn(600, 300)).gaussian()
    for other in (Gaussian.fitted(torch.randn(30, 300)), whole):
        gaussian_distance(Gaussian.fitted(few), other)
        gaussian_distance(other, Gaussian.fitted(few))
    assert widths == [19] * 4


@pytest.mark.filterwarnings("ignore:The `disp` argument is deprecated:DeprecationWarning")  # pytorch-fid's own call
def test_the_distance_is_that_of_pytorch_fid(pytorch_fids_distance):
    for f in (8, 64, 300):
        m1, c1 = moments(torch.randn(500, f) * 1.5)
        m2, c2 = moments(torch.rand(400, f))
        theirs = pytorch_fids_distance(*(v.numpy() for v in (m1, c1, m2, c2)))
        assert frechet_distance(m1, c1, m2, c2) == pytest.approx(theirs, rel=1e-9)


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="2 samples or more: 1"):
        moments(torch.randn(1, 3))
    with pytest.raises(OptionError, match="2 samples or more: 1"):
        Gaussian.fitted(torch.randn(1, 3))
    with pytest.raises(ShapeError, match=r"shape \(n, f\) with n >= 1: \(0, 3\)"):
        Moments.of(torch.randn(0, 3))
    with pytest.raises(OptionError, match="3 of 3 samples taken out leave none"):
        Moments.of(torch.randn(3, 2)).without(Moments.of(torch.randn(3, 2)))
    with pytest.raises(ShapeError, match="the Gaussians have 2 and 3 features"):
        frechet_distance(torch.zeros(2), torch.eye(2), torch.zeros(3), torch.eye(3))
    nan = torch.full((2,), float("nan"))
    with pytest.raises(OptionError, match="hold NaN or infinity"):
        frechet_distance(nan, torch.eye(2), nan, torch.eye(2))


@pytest.mark.parametrize(("n", "f"), [(40, 192), (100, 100), (101, 100), (300, 20), (1000, 64)])
def test_the_distance_of_a_distribution_to_itself_is_0_to_rounding_and_never_below(n, f):
    for _ in range(5):
        x = torch.randn(n, f)
        assert 0 <= gaussian_distance(Gaussian.fitted(x), Gaussian.fitted(x.clone())) < 1e-9 * f
