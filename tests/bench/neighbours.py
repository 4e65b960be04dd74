"""Nearest neighbours against scikit-learn, faiss and torch, and against the product that none can do without."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from kinetic_metrics.nearest import nearest
from timing import Table, race
from torch import Tensor

from kinetic import TensorData

HEADER = ("what", "CPU time", "of the product alone", "ours is faster by", "goal", "error", "wrong neighbours")
OURS, FLOOR, SKLEARN = "ours", "torch.mm, the product alone", "scikit-learn, brute"
GOALS = {OURS: "<= 1.15 of the product", SKLEARN: ">= 1.8 faster"}


def tables(quick: bool) -> list[Table]:
    """A table for 2 and one for 10 neighbours; `quick` with small data, for which there are no goals."""
    n, f, m = (500, 48, 20) if quick else (50_000, 3072, 1000)
    repeats = 1 if quick else 5
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data, x = torch.rand(n, f), torch.rand(m, f)
    x[: m // 2] = data[n // 2 : n // 2 + m // 2] + (0.3 / f) ** 0.5 * torch.randn(m // 2, f)
    squared = data.double().square().sum(1) - 2 * x.double() @ data.double().T
    truth = squared.topk(10, dim=1, largest=False).indices
    return [_table(x, data, truth[:, :k], repeats, {} if quick else GOALS) for k in (2, 10)]


def _table(x: Tensor, data: Tensor, truth: Tensor, repeats: int, goals: Mapping[str, str]) -> Table:
    points, k = TensorData(data), truth.shape[1]
    contestants: dict[str, Callable[[], tuple[Tensor, Tensor]] | None] = {
        OURS: lambda: nearest(x, points, k),
        SKLEARN: _sklearn(x, data, k),
        "faiss, IndexFlatL2": _faiss(x, data, k),
        "torch.cdist and topk": lambda: torch.cdist(x, data).topk(k, dim=1, largest=False),
    }
    found: dict[str, tuple[Tensor, Tensor]] = {}

    def keeping(name: str, contestant: Callable[[], tuple[Tensor, Tensor]]) -> Callable[[], object]:
        return lambda: found.update({name: contestant()})

    runners: dict[str, Callable[[], object]] = {FLOOR: lambda: torch.mm(x, data.T)}
    runners |= {name: keeping(name, there) for name, there in contestants.items() if there is not None}
    times = race(runners, repeats)
    floor, ours = times[FLOOR].median, times[OURS].median
    rows = [(FLOOR, str(times[FLOOR]), "1", "", "", "", "")]
    for name in contestants:
        goal = goals.get(name, "")
        if name not in times:
            rows.append((name, "not installed", "", "", goal, "", ""))
            continue
        distances, index = found[name]
        faster = "" if name == OURS else f"{times[name].median / ours:.3g}"
        wrong = str(int((index != truth).sum()))
        error = f"{_error(x, data, distances[:, 0], truth[:, 0]):.1e}"
        rows.append((name, str(times[name]), f"{times[name].median / floor:.3g}", faster, goal, error, wrong))
    note = (
        "CPU time of one thread, median (smallest to largest). Half of the queries are near-duplicates, |a - b|^2 of "
        "0.3. Error: the largest relative one of a squared distance to the nearest point, against float64 differences. "
        "Wrong neighbours: places in the lists that hold another point than float64 products put there."
    )
    title = f"{k} nearest of {len(data)} points to {len(x)} queries, {x.shape[1]} features, float32"
    return Table(title, HEADER, rows, note)


def _error(x: Tensor, data: Tensor, distances: Tensor, index: Tensor) -> float:
    exact = (x.double() - data[index].double()).square().sum(1)
    return float(((distances.double().square() - exact).abs() / exact).max())


def _sklearn(x: Tensor, data: Tensor, k: int) -> Callable[[], tuple[Tensor, Tensor]] | None:
    try:
        from sklearn.neighbors import NearestNeighbors
    except ImportError:
        return None
    model = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(data.numpy())

    def search() -> tuple[Tensor, Tensor]:
        distances, index = model.kneighbors(x.numpy())
        return torch.from_numpy(distances), torch.from_numpy(index)

    return search


def _faiss(x: Tensor, data: Tensor, k: int) -> Callable[[], tuple[Tensor, Tensor]] | None:
    try:
        import faiss
    except ImportError:
        return None
    faiss.omp_set_num_threads(1)
    model = faiss.IndexFlatL2(data.shape[1])
    model.add(data.numpy())

    def search() -> tuple[Tensor, Tensor]:
        squared, index = model.search(x.numpy(), k)
        return torch.from_numpy(np.sqrt(np.maximum(squared, 0))), torch.from_numpy(index)

    return search
