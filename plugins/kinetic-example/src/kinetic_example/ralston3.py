"""A solver, from the contract alone."""

import attrs
import torch

from kinetic import Solver, Stage, Step, options


@attrs.frozen(eq=False)
class Ralston3(Solver):
    """Ralston's third-order method: stages at t, t + h/2 and t + 3h/4 with weights 2/9, 1/3 and 4/9.

    Among the three-stage methods of order 3 it has the smallest bound on the local error.
    Source: A. Ralston, Runge-Kutta methods with minimum error bounds, Math. Comp. 16 (1962).
    """

    steps: int = options.integer(17, at_least=1, doc="number of equal steps")

    def solve(self, velocity, x0):
        x, all_rows, h = x0, slice(None), 1 / self.steps
        for k in range(self.steps):
            t0, t1 = (x0.new_full((len(x0),), time / self.steps, dtype=torch.float64) for time in (k, k + 1))
            first = Stage(t0, velocity(x, t0, all_rows), 2 / 9)
            second = Stage(t0 + h / 2, velocity(x + h / 2 * first.v, t0 + h / 2, all_rows), 1 / 3)
            third = Stage(t0 + 0.75 * h, velocity(x + 0.75 * h * second.v, t0 + 0.75 * h, all_rows), 4 / 9)
            x1 = x + h * (2 / 9 * first.v + 1 / 3 * second.v + 4 / 9 * third.v)
            yield Step(all_rows, t0, t1, x, x1, (first, second, third))
            x = x1
