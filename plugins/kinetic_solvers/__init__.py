"""Solvers: Runge-Kutta and multistep methods on a fixed grid, adaptive pairs that step each sample by itself."""

from collections.abc import Callable

import kinetic
from kinetic_solvers.adams_bashforth2 import AdamsBashforth2 as AdamsBashforth2
from kinetic_solvers.adaptive import Adaptive as Adaptive
from kinetic_solvers.dopri5 import Dopri5 as Dopri5
from kinetic_solvers.doubled import Doubled as Doubled
from kinetic_solvers.dpm_solver import DPMSolver as DPMSolver
from kinetic_solvers.euler import Euler as Euler
from kinetic_solvers.fixed_grid import FixedGrid as FixedGrid
from kinetic_solvers.heun import Heun as Heun
from kinetic_solvers.midpoint import Midpoint as Midpoint
from kinetic_solvers.ralston import Ralston as Ralston
from kinetic_solvers.rk4 import RK4 as RK4
from kinetic_solvers.runge_kutta import RungeKutta as RungeKutta
from kinetic_solvers.runge_kutta import Tableau as Tableau
from kinetic_solvers.tsit5 import Tsit5 as Tsit5


@kinetic.hookimpl
def register_solvers(register: Callable[[str, type[kinetic.Solver]], None]) -> None:
    """Offer the solvers."""
    register("euler", Euler)
    register("midpoint", Midpoint)
    register("heun", Heun)
    register("ralston", Ralston)
    register("rk4", RK4)
    register("ab2", AdamsBashforth2)
    register("dpm++2m", DPMSolver)
    register("dopri5", Dopri5)
    register("tsit5", Tsit5)
    register("doubled", Doubled)
