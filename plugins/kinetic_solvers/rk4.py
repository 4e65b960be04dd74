"""The classical Runge-Kutta method."""

from typing import final

import attrs

from kinetic_solvers.runge_kutta import RungeKutta, Tableau

_TABLEAU = Tableau(
    c=(0.0, 0.5, 0.5, 1.0),
    a=((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
    b=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
    order=4,
)


@final
@attrs.frozen(eq=False)
class RK4(RungeKutta):
    """The classical fourth-order method of Kutta: four velocities a step."""

    @property
    def tableau(self) -> Tableau:
        return _TABLEAU
