"""The noise floors of the metrics of an experiment, as `evidence.json` holds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from kinetic._evaluate.checked_data import datasets
from kinetic._evaluate.noise_floor import Floor, noise_floor
from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._roles.dataset import Dataset
from kinetic._roles.metric import Metric, Samples
from kinetic._sample.run import Run


def floors(
    runs: Mapping[str, Run],
    device: torch.device,
    splits: int,
    features: SharedFeatures,
    finishing: Callable[[str], None] = lambda words: None,
) -> list[dict[str, Any]]:
    """A row for each arm and score of the samples as they are.

    Args:
        runs: `{run: Run}`.
        device: of their metrics.
        splits: how often data are split; below 2 there are no rows.
        features: what spaces computed before.
        finishing: is told which metric is asked.
    Returns:
        `arm`, `metric`, `name`; `n` and `m`, how many samples, or points that stood for them, and how many points they
        were compared with; `splits`; `real`, the value of real points and its range; `value`, that of samples.
    """
    rows: list[dict[str, Any]] = []
    known: dict[tuple[int, ...], Floor | None] = {}
    for arm, run in runs.items() if splits > 1 else ():
        ids = run.finite.nonzero().flatten()
        for metric, made in run.metrics.items():
            real = _real(run.metrics)
            key = id(made), id(real), len(ids)
            if key not in known:
                finishing(f"real against real: {metric}")
                known[key] = noise_floor(made, len(ids), real, splits, features, device)
            floor = known[key]
            if floor is not None:
                rows.extend(_rows(arm, metric, floor, floor.beside(partial(_samples, run, ids, device), features)))
    return rows


def _samples(run: Run, ids: Tensor, device: torch.device, start: int, stop: int) -> Samples:
    some = ids[start:stop]
    condition = None if run.condition is None else run.condition[some].to(device)
    return Samples(some.to(device), run.samples[some].to(device), condition, state=run.state[some].to(device))


def _rows(arm: str, metric: str, floor: Floor, beside: Mapping[str, float]) -> list[dict[str, Any]]:
    sizes = {"n": floor.n, "m": floor.m, "splits": floor.splits}
    return [
        {"arm": arm, "metric": metric, "name": name, **sizes, "value": value, "real": floor.values[name].to_json()}
        for name, value in beside.items()
        if math.isfinite(value)
    ]


def _real(metrics: Mapping[str, Metric]) -> Dataset | None:
    """The first data set that a metric compares with: what stands for samples where one compares with none."""
    every = (data for metric in metrics.values() for data in datasets(metric).values())
    return next(every, None)
