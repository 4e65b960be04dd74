"""The method of Dormand and Prince."""

from typing import final

import attrs

from kinetic_solvers.adaptive import Adaptive
from kinetic_solvers.runge_kutta import Tableau

_TABLEAU = Tableau(
    c=(0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0),
    a=(
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    ),
    b=(35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0.0),
    order=5,
    embedded=(5179 / 57600, 0.0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40),
)


@final
@attrs.frozen(eq=False)
class Dopri5(Adaptive):
    """Dormand and Prince's pair of orders 5 and 4: adaptive, six velocities a step, the last one used again.

    Source: Dormand & Prince, A family of embedded Runge-Kutta formulae, J. Comput. Appl. Math. 6 (1980).
    """

    @property
    def tableau(self) -> Tableau:
        return _TABLEAU
