"""Set scores of given features, against torchmetrics, torch-fidelity and prdc; memory at 50,000."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from kinetic_metrics import PRDC, FrechetDistance, KernelDistance
from timing import Table, Times, race
from torch import Tensor

from kinetic import Metric, Samples

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
    state = metric.begin()
    for start in range(0, len(x), batch):
        part = x[start : start + batch]
        state = metric.observe(state, Samples(torch.arange(start, start + len(part)), part))
    return {name: estimate.value for name, estimate in metric.finish(state).values.items()}


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
            "One thread; kinetic's times include its intervals. torchmetrics draws other subsets for the KID.",
        ),
        _memory(quick),
    ]


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
