"""The explicit midpoint method."""

from typing import final

import attrs

from kinetic_solvers.runge_kutta import RungeKutta, Tableau

_TABLEAU = Tableau(c=(0.0, 0.5), a=((0.5,),), b=(0.0, 1.0), order=2)


@final
@attrs.frozen(eq=False)
class Midpoint(RungeKutta):
    """The explicit midpoint method, x <- x + h v(x + h/2 v(x, t), t + h/2): order 2, two velocities a step.

    It never evaluates t = 1, and its energy is the midpoint rule.
    """

    @property
    def tableau(self) -> Tableau:
        return _TABLEAU
