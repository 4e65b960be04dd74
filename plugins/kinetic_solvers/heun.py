"""Heun's second-order method."""

from typing import final

import attrs

from kinetic_solvers.runge_kutta import RungeKutta, Tableau

_TABLEAU = Tableau(c=(0.0, 1.0), a=((1.0,),), b=(0.5, 0.5), order=2)


@final
@attrs.frozen(eq=False)
class Heun(RungeKutta):
    """Heun's method (explicit trapezoid): an Euler step, then the mean of both ends. Order 2, two velocities a step.

    Not Heun's third-order method. Under a schedule each end carries its own gain, so that the method integrates the
    shaped field; the paper's script multiplies the mean velocity by the mean gain, which differs by
    h/4 (gain1 - gain0)(v1 - v0).
    """

    @property
    def tableau(self) -> Tableau:
        return _TABLEAU
