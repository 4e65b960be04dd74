"""Means and covariances of feature streams, and the Frechet distance between two Gaussians."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import torch
from torch import Tensor

from kinetic.errors import OptionError, ShapeError
from kinetic_metrics.triangular import congruent, full_rank, lower_product

_ROWS = 1024  # features in float64 at a time
_STRIPE = 512  # columns of a scatter at a time
_EPS = torch.finfo(torch.float64).eps
_CERTAIN = 1e-10  # of the two traces: what rounding may move the sum of the roots of eigenvalues


@attrs.frozen(eq=False)
class Moments:
    """Count, mean and scatter of features seen in blocks, float64; blocks may come in any order and be merged.

    Args:
        n: how many.
        mean: `(f,)`.
        scatter: `(f, f)`, the sum of (x - mean)(x - mean)^T.

    Source: Chan, Golub & LeVeque, Updating formulae and a pairwise algorithm for computing sample variances (1979).
    """

    n: int
    mean: Tensor
    scatter: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Moments:
        """Of one block `(n, f)`, n >= 1, multiplied in float64 about its own mean, so that a large one costs no digits.

        Float32 products would not do: with sums of even 64 rows they stay 1e-7 off, and are then no faster.
        """
        if features.dim() != 2 or len(features) == 0:
            raise ShapeError(f"features must have shape (n, f) with n >= 1: {tuple(features.shape)}")
        n, f = features.shape
        shift = features.mean(0, dtype=torch.promote_types(features.dtype, torch.float32)).double()
        left, scatter = torch.zeros_like(shift), shift.new_zeros(f, f)
        for block in features.split(_ROWS):
            about = block.double() - shift
            left += about.sum(0)
            for start in range(0, f, _STRIPE):
                stripe = slice(start, start + _STRIPE)
                scatter[start:, stripe].addmm_(about[:, start:].T, about[:, stripe])
        if f > _STRIPE:
            scatter = scatter.tril_().add_(scatter.tril(-1).T)
        return cls(n, shift + left / n, scatter.addr_(left, left, alpha=-1 / n))

    def merge(self, other: Moments) -> Moments:
        """Of both streams: M2 = M2a + M2b + na nb / n (mb - ma)(mb - ma)^T."""
        n, step = self.n + other.n, other.mean - self.mean
        between = torch.outer(step, step * (self.n * other.n / n))
        return Moments(n, self.mean + step * (other.n / n), self.scatter + other.scatter + between)

    @classmethod
    def merged(cls, parts: Sequence[Moments]) -> Moments:
        """Of one stream or more, at once: `merge` of many, without a matrix for each."""
        if len(parts) == 1:
            return parts[0]
        n = sum(part.n for part in parts)
        share = torch.tensor([part.n / n for part in parts], dtype=torch.float64)
        means = torch.stack([part.mean for part in parts])
        mean = share @ means
        step = (means - mean) * (n * share).sqrt()[:, None]
        scatter = step.T @ step
        for part in parts:
            scatter += part.scatter
        return cls(n, mean, scatter)

    def without(self, part: Moments) -> Moments:
        """Of what is left when a part of the stream, a small one, is taken out: the inverse of `merge`."""
        n = self.n - part.n
        if n < 1:
            raise OptionError(f"{part.n} of {self.n} samples taken out leave none")
        mean = self.mean + (self.mean - part.mean) * (part.n / n)
        step = part.mean - mean
        between = torch.outer(step, step * (n * part.n / self.n))
        return Moments(n, mean, self.scatter - part.scatter - between)

    @property
    def cov(self) -> Tensor:
        """Covariance `(f, f)` with n - 1; n >= 2."""
        _enough(self.n)
        return self.scatter / (self.n - 1)

    def gaussian(self) -> Gaussian:
        """The Gaussian with these moments."""
        return Gaussian(self.mean, self.cov)


@attrs.frozen(eq=False)
class Gaussian:
    """A normal distribution N(mean, S) in float64, S given whole or as a factor, S = R^T R.

    Args:
        mean: `(f,)`.
        cov: S `(f, f)`, or None.
        rows: R `(r, f)`, or None; with r < f all that is done with S becomes cheaper.
    """

    mean: Tensor
    cov: Tensor | None = None
    rows: Tensor | None = None

    @classmethod
    def fitted(cls, features: Tensor) -> Gaussian:
        """To features `(n, f)`, n >= 2: whole for n > f, as a factor of n - 1 rows else.

        The n centred features sum to 0. A Householder reflection that turns (1, ..., 1) into the first axis makes the
        first row 0 and the others x_i + x_0 / (sqrt n - 1), with the same R^T R.
        """
        n, f = features.shape
        _enough(n)
        if n > f:
            return Moments.of(features).gaussian()
        x = features.double()
        mean = x.mean(0)
        x = (x - mean) / (n - 1) ** 0.5
        return cls(mean, rows=x[1:] + x[0] / (n**0.5 - 1))

    @property
    def trace(self) -> Tensor:
        """Tr S."""
        return self._whole().trace() if self.rows is None else self.rows.square().sum()

    def factor(self) -> Tensor:
        """R `(r, f)` with S = R^T R: the rows given, else Cholesky's, else from the eigenvalues of the correlations.

        Where S is singular to rounding, eigenvalues of the correlation matrix up to f eps count as 0, and their rows
        are left out; scaling a feature changes nothing.
        """
        if self.rows is not None:
            return self.rows
        cov = self._whole()
        lower = full_rank(cov)
        if lower is not None:
            return lower.mT
        rounding = len(cov) * _EPS
        scale = cov.diagonal().clamp_min(0).sqrt()
        unit = torch.where(scale > 0, scale, 1.0)
        values, vectors = torch.linalg.eigh(cov / unit / unit[:, None])
        there = values > rounding * values[-1]
        return (vectors[:, there] * values[there].sqrt()).mT * scale

    def _whole(self) -> Tensor:
        assert self.cov is not None
        return self.cov


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean `(f,)` and covariance `(f, f)` with n - 1, float64, of features `(n, f)`, n >= 2."""
    found = Moments.of(features)
    return found.mean, found.cov


def frechet_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """`gaussian_distance` of N(mean1, cov1) and N(mean2, cov2), means `(f,)` and covariances `(f, f)`, in float64."""
    return gaussian_distance(Gaussian(mean1.double(), cov1.double()), Gaussian(mean2.double(), cov2.double()))


def gaussian_distance(a: Gaussian, b: Gaussian) -> float:
    """||m1 - m2||^2 + Tr(S1 + S2 - 2 (S1 S2)^{1/2}), the squared Frechet (2-Wasserstein) distance, in float64.

    With S = R^T R, Tr (S1 S2)^{1/2} is the sum of the singular values of R1 R2^T, `(r1, r2)`, or of the roots of the
    eigenvalues of R1 S2 R1^T, `(r1, r1)`. The second is faster where S2 is whole (R1 then from Cholesky), but a root
    doubles the rounding of eigenvalues near 0; it is taken where that cannot matter, 1e-10 of the traces. Agrees with
    pytorch-fid where that is exact, without its matrix square root. What rounding takes below 0 is 0.

    Source: Dowson & Landau, The Frechet distance between multivariate normal distributions (1982).
    """
    _fitting(a, b)
    traces = float(a.trace + b.trace)
    roots = _roots_of_eigenvalues(a, b, traces)
    if roots is None:
        roots = float(torch.linalg.svdvals(a.factor() @ b.factor().mT).sum())
    return _distance(a, b, roots)


@attrs.frozen(eq=False)
class Derivative:
    """`gaussian_distance` of N(m1, S1) and N(m2, S2), and how it changes with their means and covariances.

    d distance = 2 step . (dm1 - dm2) + Tr (I - T) dS1 + Tr (I - T^-1) dS2, with T the symmetric matrix of the optimal
    transport, T S1 T = S2.

    Args:
        distance: itself.
        step: m1 - m2 `(f,)`.
        there: `(f, f)`, a factor of T = there there^T.
        back: `(f, f)`, a factor of T^-1 = back back^T.

    Source: Takatsu, Wasserstein geometry of Gaussian measures, Osaka J. Math. 48 (2011), for T; the envelope theorem.
    """

    distance: float
    step: Tensor
    there: Tensor
    back: Tensor


def distance_derivative(a: Gaussian, b: Gaussian, dtype: torch.dtype = torch.float64) -> Derivative | None:
    """The derivative of `gaussian_distance`, from one eigendecomposition; None where either covariance is no full one.

    With S1 = L L^T and L^T S2 L = U D U^T, T = L^-T U D^{1/2} U^T L^-1 and T^-1 = L U D^{-1/2} U^T L^T.
    The factors are computed in `dtype`; float32 is off where features hardly vary, which moves no distance.
    """
    _fitting(a, b)
    if a.cov is None or b.cov is None:
        return None
    lower = full_rank(a.cov)
    if lower is None:
        return None
    values, vectors = torch.linalg.eigh(congruent(lower, b.cov))
    roots = _certain_roots(values, float(a.trace + b.trace))
    if roots is None:
        roots = float(torch.linalg.svdvals(lower.mT @ b.factor().mT).sum())
    quarter = values.clamp_min(len(values) * _EPS * float(values[-1])).pow(0.25)
    lower, vectors, quarter = (each.to(dtype) for each in (lower, vectors, quarter))
    there = torch.linalg.solve_triangular(lower.mT, vectors * quarter, upper=True)
    back = lower_product(lower, vectors / quarter)
    return Derivative(_distance(a, b, roots), a.mean - b.mean, there, back)


def _fitting(a: Gaussian, b: Gaussian) -> None:
    if a.mean.shape != b.mean.shape:
        raise ShapeError(f"the Gaussians have {len(a.mean)} and {len(b.mean)} features")
    given = [value for side in (a, b) for value in (side.mean, side.cov, side.rows) if value is not None]
    if not all(bool(torch.isfinite(value).all()) for value in given):
        raise OptionError("means and covariances must be finite: the features hold NaN or infinity")


def _distance(a: Gaussian, b: Gaussian, roots: float) -> float:
    distance = float((a.mean - b.mean).square().sum()) + float(a.trace + b.trace) - 2 * roots
    return 0.0 if distance < 0 else distance


def _roots_of_eigenvalues(a: Gaussian, b: Gaussian, traces: float) -> float | None:
    """Tr (S1 S2)^{1/2} from eigenvalues, or None where both are factors, or rounding could matter."""
    if a.rows is not None and b.rows is not None:
        return None
    if a.rows is None and b.rows is not None:
        a, b = b, a
    if b.cov is None:
        return None
    if a.rows is not None:
        product = a.rows @ b.cov @ a.rows.mT
    elif a.cov is not None:
        lower, failed = torch.linalg.cholesky_ex(a.cov)
        if int(failed):
            return None
        product = congruent(lower, b.cov)
    return _certain_roots(torch.linalg.eigvalsh(product), traces)


def _certain_roots(values: Tensor, traces: float) -> float | None:
    """The sum of the roots of ascending eigenvalues, or None where their rounding could matter."""
    rounding = 4 * _EPS * values[-1].clamp_min(0)
    roots = values.clamp_min(0).sqrt()
    unsure = (rounding / (roots + rounding.sqrt())).nan_to_num(0).sum()
    return float(roots.sum()) if float(unsure) <= _CERTAIN * traces else None


def _enough(n: int) -> None:
    if n < 2:
        raise OptionError(f"a covariance needs 2 samples or more: {n}")
