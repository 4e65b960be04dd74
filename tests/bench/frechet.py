"""The Frechet distance against pytorch-fid: full rank, and few samples of many features."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable

import torch
from kinetic_metrics.gaussians import Gaussian, Moments, gaussian_distance
from timing import Table, race
from torch import Tensor

HEADER = ("what", "ours", "pytorch-fid", "ours is faster by", "goal", "apart (relative)")


def tables(quick: bool) -> list[Table]:
    """One table, a row for each rank; `quick` with 64 features instead of 2,048, and no goals."""
    width, many, few = (64, 300, 16) if quick else (2048, 5000, 256)
    repeats = 1 if quick else 3
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = torch.randn(many, width, dtype=torch.float64), 1.2 * torch.rand(many, width, dtype=torch.float64)
    a, b = Moments.of(x), Moments.of(y)
    full = _row(
        f"two covariances, n = {many}",
        lambda: gaussian_distance(a.gaussian(), b.gaussian()),
        lambda theirs: theirs(a.mean.numpy(), a.cov.numpy(), b.mean.numpy(), b.cov.numpy()),
        None if quick else 7,
        repeats,
    )
    low = _row(
        f"from the features, n = {few} on both sides",
        lambda: gaussian_distance(Gaussian.fitted(x[:few]), Gaussian.fitted(y[:few])),
        lambda theirs: theirs(*_statistics(x[:few]), *_statistics(y[:few])),
        None if quick else 300,
        repeats,
    )
    mixed = _row(
        f"from the features, n = {few}, to a covariance",
        lambda: gaussian_distance(Gaussian.fitted(x[:few]), b.gaussian()),
        lambda theirs: theirs(*_statistics(x[:few]), b.mean.numpy(), b.cov.numpy()),
        None,
        repeats,
    )
    note = (
        "CPU time of one thread, median (smallest to largest). pytorch-fid's `calculate_frechet_distance`; where its "
        "covariances are singular its matrix square root is inexact, ours is the nuclear norm."
    )
    return [Table(f"Frechet distance, {width} features", HEADER, [full, low, mixed], note)]


def _row(
    what: str,
    ours: Callable[[], float],
    theirs: Callable[[Callable[..., float]], float],
    goal: float | None,
    repeats: int,
) -> tuple[str, ...]:
    wanted = f"{goal:g}" if goal else ""
    peer = _pytorch_fid()
    if peer is None:
        times = race({"ours": ours}, repeats)
        return what, str(times["ours"]), "not installed, or not with this SciPy", "", wanted, ""
    found: dict[str, float] = {}
    contestants = {"ours": lambda: found.update(ours=ours()), "theirs": lambda: found.update(theirs=theirs(peer))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = race(contestants, repeats)
    ratio = times["theirs"].median / times["ours"].median
    apart = abs(found["ours"] - found["theirs"]) / abs(found["theirs"])
    return what, str(times["ours"]), str(times["theirs"]), f"{ratio:.3g}", wanted, f"{apart:.1e}"


def _statistics(x: Tensor) -> tuple[object, object]:
    """As pytorch-fid's `calculate_activation_statistics` does it."""
    import numpy as np

    features = x.numpy()
    return np.mean(features, axis=0), np.cov(features, rowvar=False)


def _pytorch_fid() -> Callable[..., float] | None:
    try:
        from pytorch_fid.fid_score import calculate_frechet_distance
        from scipy.linalg import sqrtm
    except (ImportError, RuntimeError):
        return None
    return calculate_frechet_distance if "disp" in inspect.signature(sqrtm).parameters else None
