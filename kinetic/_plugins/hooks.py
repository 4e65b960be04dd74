"""The hooks: one for each of the eight roles, and one for commands. A plugin implements those it has something for.

    import kinetic

    @kinetic.hookimpl
    def register_solvers(register):
        register("leapfrog", Leapfrog)

and names itself in its pyproject.toml, after its package:

    [project.entry-points.kinetic]
    kinetic_leapfrog = "kinetic_leapfrog"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

from kinetic._plugins.distributions import GROUP

if TYPE_CHECKING:
    import typer

    from kinetic import Dataset, EnergyMeter, FeatureSpace, Metric, Schedule, Solver, TimeGrid, VelocityField

ROLES = {
    "field": "register_fields",
    "solver": "register_solvers",
    "grid": "register_grids",
    "schedule": "register_schedules",
    "meter": "register_meters",
    "metric": "register_metrics",
    "features": "register_features",
    "dataset": "register_datasets",
}
"""Each role and its hook."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def register_fields(register: Callable[[str, type[VelocityField]], None]) -> None:
    """Offer velocity fields, each under the name a recipe uses: `register("gaussian", Gaussian)`."""


@hookspec
def register_solvers(register: Callable[[str, type[Solver]], None]) -> None:
    """Offer solvers."""


@hookspec
def register_grids(register: Callable[[str, type[TimeGrid]], None]) -> None:
    """Offer time grids."""


@hookspec
def register_schedules(register: Callable[[str, type[Schedule]], None]) -> None:
    """Offer schedules."""


@hookspec
def register_meters(register: Callable[[str, type[EnergyMeter]], None]) -> None:
    """Offer energy meters."""


@hookspec
def register_metrics(register: Callable[[str, type[Metric]], None]) -> None:
    """Offer metrics."""


@hookspec
def register_features(register: Callable[[str, type[FeatureSpace]], None]) -> None:
    """Offer feature spaces."""


@hookspec
def register_datasets(register: Callable[[str, type[Dataset]], None]) -> None:
    """Offer data sets."""


@hookspec
def register_commands(register: Callable[[str, Callable[..., None] | typer.Typer], None]) -> None:
    """Offer commands, `kinetic NAME`: functions with typer's annotations, or a `typer.Typer` with commands of its own.

    `kinetic --help` imports no plugin: it lists the names that the source of this hook spells out.
    """
