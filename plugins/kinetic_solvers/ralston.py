"""Ralston's second-order method."""

from typing import final

import attrs

from kinetic_solvers.runge_kutta import RungeKutta, Tableau

_TABLEAU = Tableau(c=(0.0, 2 / 3), a=((2 / 3,),), b=(0.25, 0.75), order=2)


@final
@attrs.frozen(eq=False)
class Ralston(RungeKutta):
    """Ralston's method: order 2, two velocities a step, the least bound on the local error among such methods.

    It never evaluates t = 1.

    Source: Ralston, Runge-Kutta methods with minimum error bounds, Math. Comp. 16 (1962).
    """

    @property
    def tableau(self) -> Tableau:
        return _TABLEAU
