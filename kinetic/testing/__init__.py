"""What a component promises, as named checks: each by itself, or all that there are for its role.

    import pytest
    from kinetic.testing import checks

    @pytest.mark.parametrize("check", checks(Leapfrog(steps=8)), ids=str)
    def test_leapfrog(check):
        check()

They need no pytest. A component is asked in the dtype of its networks, and in float32 and float64 where it has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from kinetic._plugins.registry import role_of
from kinetic._roles.component import Component
from kinetic._roles.dataset import Dataset
from kinetic._roles.features import FeatureSpace
from kinetic._roles.field import VelocityField
from kinetic._roles.grid import TimeGrid
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.metric import Metric, Samples
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver
from kinetic.errors import CheckError as CheckError
from kinetic.errors import unknown
from kinetic.testing import dataset as _dataset  # these modules register their checks
from kinetic.testing import every as _every
from kinetic.testing import features as _features
from kinetic.testing import field as _field
from kinetic.testing import grid as _grid
from kinetic.testing import meter as _meter
from kinetic.testing import metric as _metric
from kinetic.testing import order as _order
from kinetic.testing import schedule as _schedule
from kinetic.testing import solver as _solver
from kinetic.testing.check import EVERY, Allowances, Check, allowances, name_of, promise_of, registered
from kinetic.testing.metric import cut as cut

_REGISTERING = (_dataset, _every, _features, _field, _grid, _meter, _metric, _order, _schedule, _solver)

__all__ = [
    "Allowances",
    "Check",
    "CheckError",
    "check_dataset",
    "check_features",
    "check_field",
    "check_grid",
    "check_meter",
    "check_metric",
    "check_schedule",
    "check_solver",
    "checks",
    "cut",
    "promises",
]


def checks(component: Component, *, expected: Mapping[str, str] | None = None, **allow: Any) -> list[Check]:
    """All checks of a component, in order: those of its role, then those of every component.

    Args:
        component: of any role.
        expected: `{name: reason}` of checks that it need not keep. One of these that it keeps is an error.
        allow: what the checks are given: see `kinetic.testing.check.Allowances`.
    Raises:
        UnknownNameError: `expected` names no check of the role.
        OptionError: there is no such allowance.
    """
    role, expected = role_of(type(component)), dict(expected or {})
    given, functions = allowances(role, allow), registered(role)
    names = [name_of(function) for function in functions]
    for name in expected:
        if name not in names:
            raise unknown(f"there is no check of a {role} named", name, names)
    return [
        Check(name, promise_of(function), component, expected.get(name, ""), function, given)
        for name, function in zip(names, functions, strict=True)
    ]


def promises(role: str) -> dict[str, str]:
    """`{name: promise}` of the checks of a role, or of those of all, `every`, in order."""
    functions = registered(role) if role != EVERY else registered("")
    return {name_of(function): promise_of(function) for function in functions}


def _run(component: Any, role: type[Component], expected: Mapping[str, str] | None, **allow: Any) -> None:
    if not isinstance(component, role):
        raise CheckError(f"a {role.__name__} is one", f"{component!r} is none", f"Subclass kinetic.{role.__name__}.")
    for check in checks(component, expected=expected, **{k: v for k, v in allow.items() if v is not None}):
        check.run()


def check_solver(solver: Solver, *, expected: Mapping[str, str] | None = None) -> None:
    """Run all checks of a solver, and raise the first failure."""
    _run(solver, Solver, expected)


def check_field(
    field: VelocityField,
    condition: Tensor | None = None,
    tolerance: float | None = None,
    *,
    expected: Mapping[str, str] | None = None,
) -> None:
    """Run all checks of a field, and raise the first failure.

    Args:
        field: the field.
        condition: `(6, ...)`, for a field that cannot do without one.
        tolerance: relative; by default that of its dtype.
        expected: see `checks`.
    """
    _run(field, VelocityField, expected, condition=condition, tolerance=tolerance)


def check_grid(
    grid: TimeGrid, steps: Sequence[int] = (1, 2, 7, 50), *, expected: Mapping[str, str] | None = None
) -> None:
    """Run all checks of a grid, for these numbers of steps, and raise the first failure."""
    _run(grid, TimeGrid, expected, steps=steps)


def check_schedule(schedule: Schedule, *, expected: Mapping[str, str] | None = None) -> None:
    """Run all checks of a schedule, and raise the first failure."""
    _run(schedule, Schedule, expected)


def check_meter(meter: EnergyMeter, *, expected: Mapping[str, str] | None = None) -> None:
    """Run all checks of a meter, and raise the first failure."""
    _run(meter, EnergyMeter, expected)


def check_metric(
    metric: Metric,
    samples: Samples | None = None,
    tolerance: float | None = None,
    *,
    expected: Mapping[str, str] | None = None,
) -> None:
    """Run all checks of a metric, and raise the first failure.

    Args:
        metric: the metric.
        samples: eight or more that it can score; by default some in [-1, 1], of the shape of its references.
        tolerance: relative, of scores and columns; 1e-10 by default. Networks in float32 need more.
        expected: see `checks`.
    """
    _run(metric, Metric, expected, samples=samples, tolerance=tolerance)


def check_features(
    features: FeatureSpace,
    event_shape: Sequence[int] | None = None,
    tolerance: float | None = None,
    *,
    expected: Mapping[str, str] | None = None,
) -> None:
    """Run all checks of a feature space on samples of a shape, and raise the first failure."""
    _run(features, FeatureSpace, expected, event_shape=event_shape, tolerance=tolerance)


def check_dataset(dataset: Dataset, *, expected: Mapping[str, str] | None = None) -> None:
    """Run all checks of a data set, and raise the first failure."""
    _run(dataset, Dataset, expected)
