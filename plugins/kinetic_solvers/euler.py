"""Euler's method."""

from typing import final

import attrs

from kinetic_solvers.runge_kutta import RungeKutta, Tableau

_TABLEAU = Tableau(c=(0.0,), a=(), b=(1.0,), order=1)


@final
@attrs.frozen(eq=False)
class Euler(RungeKutta):
    """Euler's method, x <- x + h v(x, t): order 1, one velocity a step. It never evaluates t = 1.

    Its energy is the left Riemann sum of the paper's own script, sum_k h_k 1/2 ||v(x_k, t_k)||^2.
    """

    @property
    def tableau(self) -> Tableau:
        return _TABLEAU
