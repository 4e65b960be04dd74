"""Runge-Kutta solvers on a fixed grid."""

from collections.abc import Callable

import kinetic
from kinetic_solvers.euler import Euler as Euler
from kinetic_solvers.heun import Heun as Heun
from kinetic_solvers.midpoint import Midpoint as Midpoint
from kinetic_solvers.rk4 import RK4 as RK4


@kinetic.hookimpl
def register_solvers(register: Callable[[str, type[kinetic.Solver]], None]) -> None:
    """Offer the four solvers."""
    register("euler", Euler)
    register("midpoint", Midpoint)
    register("heun", Heun)
    register("rk4", RK4)
