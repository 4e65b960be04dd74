"""Set scores of given features, against torchmetrics, torch-fidelity and prdc; memory at 50,000."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import time
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import torch
from kinetic_metrics import PRDC, FrechetDistance, KernelDistance
from kinetic_metrics.gaussians import frechet_distance
from timing import Table, Times, race
from torch import Tensor

from kinetic import Estimate, Metric, Samples, evidence

try:
    import torchmetrics.image.fid
    import torchmetrics.image.kid
except ImportError:
    torchmetrics = None
try:
    from torch_fidelity.metric_fid import fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
except ImportError:
    fid_statistics_to_metric = None
try:
    import prdc
except ImportError:
    prdc = None


class _Given(torch.nn.Module):
    """The features themselves, where torchmetrics wants a net."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, x: Tensor) -> Tensor:
        return x


def judged(metric: Metric, x: Tensor, batch: int = 1000) -> dict[str, float]:
    """The scores of the features, seen in batches."""
    return {name: estimate.value for name, estimate in estimates(metric, x, batch).items()}


def estimates(metric: Metric, x: Tensor, batch: int = 1000) -> Mapping[str, Estimate]:
    """The same with their intervals."""
    state = metric.begin()
    for start in range(0, len(x), batch):
        part = x[start : start + batch]
        state = metric.observe(state, Samples(torch.arange(start, start + len(part)), part))
    return metric.finish(state).values


def _torchmetrics(kind: str, x: Tensor, y: Tensor, subsets: int, size: int) -> float:
    width = x.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "fid":
            metric = torchmetrics.image.fid.FrechetInceptionDistance(feature=_Given(width))
        else:
            metric = torchmetrics.image.kid.KernelInceptionDistance(
                feature=_Given(width), subsets=subsets, subset_size=size
            )
        for start in range(0, len(x), 1000):
            metric.update(y[start : start + 1000], real=True)
            metric.update(x[start : start + 1000], real=False)
        found = metric.compute()
    return float(found if kind == "fid" else found[0])


def _fidelity(kind: str, x: Tensor, y: Tensor, subsets: int, size: int) -> float:
    if kind == "fid":
        statistics = [
            {"mu": v.double().mean(0).numpy(), "sigma": np.cov(v.double().numpy(), rowvar=False)} for v in (x, y)
        ]
        return float(fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"])
    found = kid_features_to_metric(
        x,
        y,
        kid_subsets=subsets,
        kid_subset_size=size,
        kid_degree=3,
        kid_gamma=None,
        kid_coef0=1,
        rng_seed=2020,
        verbose=False,
    )
    return float(found["kernel_inception_distance_mean"])


def tables(quick: bool) -> list[Table]:
    """Times and values, then memory."""
    n, width, subsets, size = (200, 32, 4, 50) if quick else (5000, 2048, 10, 1000)
    few = 100 if quick else 2000
    torch.manual_seed(0)
    x, y = 0.02 + torch.randn(n, width), torch.randn(n, width)
    runs: dict[str, dict[str, Callable[[], float]]] = {
        f"Frechet, n = {n:,}": {"kinetic": lambda: judged(FrechetDistance(y), x)["fd"]},
        f"KID, n = {n:,}, {subsets} subsets of {size:,}": {
            "kinetic": lambda: judged(KernelDistance(y, subsets=subsets, subset_size=size), x)["kid"]
        },
        f"PRDC, n = {few:,}": {"kinetic": lambda: judged(PRDC(y[:few]), x[:few])["coverage"]},
    }
    fid, kid, support = runs.values()
    for kind, chosen in (("fid", fid), ("kid", kid)):
        if torchmetrics is not None:
            chosen["torchmetrics"] = lambda kind=kind: _torchmetrics(kind, x, y, subsets, size)
        if fid_statistics_to_metric is not None:
            chosen["torch-fidelity"] = lambda kind=kind: _fidelity(kind, x, y, subsets, size)
    if prdc is not None:
        support["prdc"] = lambda: float(
            prdc.compute_prdc(real_features=y[:few].numpy(), fake_features=x[:few].numpy(), nearest_k=5)["coverage"]
        )
    rows = []
    for what, contestants in runs.items():
        values: dict[str, float] = {}

        def kept(who: str, run: Callable[[], float], values: dict[str, float] = values) -> None:
            with contextlib.redirect_stdout(io.StringIO()):
                values[who] = run()

        times: dict[str, Times] = race(
            {who: lambda who=who, run=run, kept=kept: kept(who, run) for who, run in contestants.items()}, 1, 0
        )
        for who in ("kinetic", "torchmetrics", "torch-fidelity", "prdc"):
            if who in times:
                rows.append([what, who, f"{times[who].median:.3g} s", f"{values[who]:.10g}"])
            elif (who == "prdc") == what.startswith("PRDC"):
                rows.append([what, who, "not installed", ""])
    return [
        Table(
            f"Set scores of {width:,} features, once",
            ("score", "who", "CPU time", "value"),
            rows,
            "One thread; kinetic's times include its intervals, over samples and over the reference. torchmetrics draws other subsets for the KID.",
        ),
        _differences(quick),
        _memory(quick),
    ]


def _differences(quick: bool) -> Table:
    """How often the interval of a difference of two arms holds that of their laws, over draws of samples and reference.

    Arms .9 z and .8 A z of shared noise z, A = I + .3 N/sqrt d, the reference A y; the truth is the formula's for
    Gaussians, and the mean over all draws elsewhere.
    """
    draws = 10 if quick else 200
    rows = []
    for d, n, m in ((8, 500, 200),) if quick else ((8, 2000, 360), (64, 2000, 360), (64, 2000, 2000)):
        generator = torch.Generator().manual_seed(0)
        bent = torch.eye(d) + 0.3 * torch.randn(d, d, generator=generator) / d**0.5
        pairs: dict[str, list[tuple[Estimate, Estimate]]] = {}
        for _ in range(draws):
            z, y = (torch.randn(k, d, generator=generator) for k in (n, m))
            y = y @ bent.T
            for metric in (FrechetDistance(y), KernelDistance(y, subsets=20, subset_size=200), PRDC(y)):
                one, other = (estimates(metric, x) for x in (0.9 * z, 0.8 * z @ bent.T))
                for name in one:
                    pairs.setdefault(name, []).append((other[name], one[name]))
        truth = _laws(0.8 * bent, bent) - _laws(0.9 * torch.eye(d), bent)
        rows += [[name, f"{d}", f"{n:,}", f"{m:,}", *_held(arms, truth)] for name, arms in pairs.items()]
    return Table(
        f"Differences of two arms: how often their interval holds the truth in {draws} draws",
        ("score", "features", "n", "m", "given the reference", "over draws of both", "standard error / true spread"),
        rows,
        "Nominal: 95%. Given the reference: the jackknife over samples alone, and no bias taken off. Where no "
        "group matters, as for a coverage of 1, there is no interval over both, and [0, 0] is one given the reference.",
    )


def _laws(arm: Tensor, reference: Tensor) -> float:
    """The Frechet distance of N(0, A A^T) and N(0, B B^T)."""
    zero = torch.zeros(len(arm))
    return frechet_distance(zero, arm @ arm.T, zero, reference @ reference.T)


def _held(arms: list[tuple[Estimate, Estimate]], truth: float) -> list[str]:
    both = [evidence.jackknife_difference(*pair) for pair in arms]
    given = [evidence.jackknife(a.value - b.value, np.subtract(a.leave_out, b.leave_out)) for a, b in arms]
    freed = any(a.unbiased != a.value for a, _ in arms)
    target = truth if freed else float(np.mean([each.value for each in both]))
    known = [[each for each in some if each.low is not None] for some in (given, both)]
    hits = [sum(each.low <= target <= each.high for each in some) for some in known]
    shares = [f"{hit / len(some):.1%} of {len(some)}" for hit, some in zip(hits, known, strict=True)]
    width = np.mean([e.high - e.value for e in both if e.low is not None]) / 2.093
    spread = float(np.std([each.value for each in both]))
    return [*shares, f"{width / spread:.2f}" if spread > 0 else ""]


def _grown(n: int, width: int, answer: multiprocessing.Queue[list[list[str]]]) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = 0.02 + torch.randn(n, width), torch.randn(n, width)
    rows = []
    for what, metric in (("Frechet", FrechetDistance(y)), ("KID", KernelDistance(y)), ("PRDC", PRDC(y))):
        start = time.process_time()
        judged(metric, x)
        rows.append([what, f"{time.process_time() - start:.3g} s", f"{_highest_resident() / 2**30:.2f} GiB"])
    answer.put(rows)


def _highest_resident() -> int:
    """Bytes: Linux's VmHWM of this process; `ru_maxrss` would begin with that of the parent."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _memory(quick: bool) -> Table:
    n, width = (2000, 16) if quick else (50_000, 2048)
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_grown, args=(n, width, answer))
    process.start()
    rows = answer.get()
    process.join()
    return Table(
        f"One process scores {n:,} against {n:,} x {width:,} float32 features",
        ("score", "CPU time", "highest resident size by then, features included"),
        rows,
        "Goal: at most 4 GiB. With intervals.",
    )
