"""One use of a component of each role: what it answers, for the checks that all share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from kinetic._roles.batch import Batch
from kinetic._sample.dynamics import clock_dtype
from kinetic.testing import dataset, features, grid, meter, metric
from kinetic.testing.check import Allowances
from kinetic.testing.probe import N, home, normal, own_dtypes
from kinetic.testing.walk import bend, noise

Answers = tuple[Tensor, ...]

CPU = torch.device("cpu")
"""Where a component is asked, but for one that has tensors elsewhere."""


def _field(field: Any, allow: Allowances, device: torch.device) -> Answers:
    dtype = own_dtypes(field)[0]
    device = home(field) if device == CPU else device
    x = normal(N, *field.event_shape, dtype=dtype).to(device)
    t = torch.linspace(0.1, 0.9, N).to(clock_dtype(dtype)).to(device)
    condition = None if allow.condition is None else allow.condition.to(device)
    return (field.velocity(x, t, Batch(torch.arange(N, device=device), condition)),)


def _solver(each: Any, allow: Allowances, device: torch.device) -> Answers:
    x0 = noise().to(device)
    return tuple(step.x1 for step in each.solve(bend, x0))


def _schedule(schedule: Any, allow: Allowances, device: torch.device) -> Answers:
    t = torch.linspace(0, 1, 21, dtype=torch.float64).to(device)
    return (schedule.gain(t, normal(21, 3).to(device), normal(21, 3, seed=1).to(device)),)


def _meter(each: Any, allow: Allowances, device: torch.device) -> Answers:
    steps, x0, x1 = meter.path()
    return tuple(each.columns(meter.summed(each, steps), x0, x1).values())


def _metric(each: Any, allow: Allowances, device: torch.device) -> Answers:
    score = metric.judged(each, metric.samples_of(each, allow))
    values = [torch.tensor(value.value, dtype=torch.float64) for value in score.values.values()]
    return (*values, *score.columns.values())


def _features(space: Any, allow: Allowances, device: torch.device) -> Answers:
    x = features.points(space, allow)
    return (space.features(x if device == CPU else x.to(device)),)


def _dataset(data: Any, allow: Allowances, device: torch.device) -> Answers:
    head = data.read(0, min(len(data), dataset.LOOKED_AT))
    labels = data.labels
    return (head,) if labels is None else (head, labels)


def _grid(each: Any, allow: Allowances, device: torch.device) -> Answers:
    return tuple(torch.tensor(times, dtype=torch.float64) for _, times in grid.grids(each, allow))


USES: Mapping[str, Callable[[Any, Allowances, torch.device], Answers]] = {
    "field": _field,
    "solver": _solver,
    "grid": _grid,
    "schedule": _schedule,
    "meter": _meter,
    "metric": _metric,
    "features": _features,
    "dataset": _dataset,
}
MOVED = ("field", "solver", "schedule", "features")
"""Roles that are asked on the device of a run."""
