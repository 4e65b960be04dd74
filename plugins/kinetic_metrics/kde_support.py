"""The density of the reference data at a sample, by Gaussian kernels."""

from __future__ import annotations

import math
from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import Column, Dataset, FeatureMetric, FeatureSpace, Score, options
from kinetic.errors import OptionError
from kinetic_metrics.data_options import dataset

_ROWS = 2048  # points of either set at a time: a block of distances is 32 MB
_ROUNDING = 1e-10  # of a log density, above which distances are taken from the differences


@final
@attrs.frozen(eq=False)
class KDESupport(FeatureMetric):
    """The log density of a Gaussian kernel density estimate of the reference, at each sample, in feature space.

    log p(x) = log 1/m sum_i N(x; y_i, H) over m reference points of f features, in nats per unit of feature volume,
    with H = h^2 I (`isotropic`) or H = h^2 S (`full`), S the covariance of the reference. Scott's rule, where no
    `bandwidth` is given, has h = m^{-1/(f + 4)}, for `isotropic` times the root mean variance of the features.

    Column and value: `log_density`, and its mean. A sample that is a reference point counts its own kernel. In many
    dimensions the nearest kernels decide alone, and numbers of other spaces or bandwidths cannot be compared.

    Args:
        reference: the data, usually those the model was trained on.
        features: the space.
        bandwidth: h, or nothing for Scott's rule, which needs 2 points or more.
        kernel: `isotropic`, as scikit-learn's KernelDensity, or `full`, as SciPy's gaussian_kde.

    Source: Scott, Multivariate Density Estimation (1992), section 6.3.
    """

    reference: Dataset = dataset("the data whose density it is")
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    bandwidth: float | None = options.number(None, above=0, doc="h; nothing for Scott's rule")
    kernel: str = options.choice("isotropic", "full", default="isotropic", doc="shape of the kernels")
    described = (
        Column("log_density", "Log density of the reference at a sample, by Gaussian kernels.", unit="nats per volume"),
    )

    def __attrs_post_init__(self) -> None:
        if len(self.reference) < 2 and (self.bandwidth is None or self.kernel == "full"):
            raise OptionError(f"'reference' must hold 2 points or more, for their spread: {len(self.reference)}")

    def compare(self, ids: Tensor, x: Tensor, reference: Tensor) -> Score:
        count, width = reference.shape
        centre = reference.double().mean(0)
        points, about = (some.double() - centre for some in (reference, x))
        h, root = self._kernel(points)
        volume = 0.0
        if root is not None:
            points, about = _solved(root, points), _solved(root, about)
            volume = float(root.diagonal().log().sum())
        columns = {"log_density": log_density(about, points, h, self.device) - volume}
        rule = "Scott's rule" if self.bandwidth is None else "given"
        note = (
            f"Log density at {len(x)} samples by {self.kernel} Gaussian kernels on {count} reference points, "
            f"bandwidth {h:.4g} ({rule}), in {width} {type(self.features).__name__} features."
        )
        return Score(self.means(columns), ids, columns, (note,))

    def _kernel(self, points: Tensor) -> tuple[float, Tensor | None]:
        """h, and the Cholesky factor of S, float64 `(f, f)`, or None, from points about their mean."""
        count, width = points.shape
        scott = float(count ** (-1 / (width + 4)))
        if self.kernel == "full":
            root, failed = torch.linalg.cholesky_ex(points.T @ points / (count - 1))
            pivots = root.diagonal()
            if int(failed) or bool((pivots <= 1e-7 * pivots.max()).any()):
                raise OptionError(
                    f"the covariance of {count} reference points in {width} features is singular: 'kernel' must be "
                    "'isotropic', or 'reference' larger"
                )
            return self.bandwidth or scott, root
        if self.bandwidth is not None:
            return self.bandwidth, None
        spread = math.sqrt(float(points.square().sum()) / (width * (count - 1)))
        if spread == 0:
            raise OptionError("'bandwidth' must be given where all reference points are equal")
        return scott * spread, None


def log_density(x: Tensor, points: Tensor, bandwidth: float, device: torch.device) -> Tensor:
    """log 1/m sum_i N(x; y_i, h^2 I) at each of `(n, f)`, float64 `(n,)` on the CPU, in blocks of samples and points.

    Squared distances are products where their rounding moves no log density by more than 1e-10, differences elsewhere.

    Args:
        x: float64 `(n, f)`.
        points: float64 `(m, f)`, about their mean.
        bandwidth: h.
        device: where to compute.
    """
    count, width = points.shape
    constant = math.log(count) + width * (math.log(bandwidth) + 0.5 * math.log(2 * math.pi))
    eps = 8 * (width + 8) * torch.finfo(torch.float64).eps
    parts = []
    for rows in x.split(_ROWS):
        mine = rows.to(device)
        total = mine.new_full((len(mine),), -math.inf)
        for block in points.split(_ROWS):
            theirs = block.to(device)
            norms = mine.square().sum(1)[:, None] + theirs.square().sum(1)
            if float(norms.max()) * eps / bandwidth <= _ROUNDING * bandwidth:  # no square: it may be no float
                squares = (norms - 2 * mine @ theirs.T).clamp_min(0)
            else:
                squares = torch.cdist(mine, theirs, compute_mode="donot_use_mm_for_euclid_dist").square()
            total = torch.logaddexp(total, torch.logsumexp(squares / bandwidth / (-2 * bandwidth), 1))
        parts.append(total.cpu() - constant)
    return torch.cat(parts)


def _solved(root: Tensor, x: Tensor) -> Tensor:
    """L^{-1} of each row of x `(n, f)`."""
    return torch.linalg.solve_triangular(root, x.T, upper=False).T.contiguous()
