"""A solver, from the contract alone."""

import attrs
import torch

from kinetic import Solver, Stage, Step, options


@attrs.frozen(eq=False)
class Ralston(Solver):
    """Ralston's second-order method: stages at t and t + 2h/3 with weights 1/4 and 3/4.

    Among the two-stage methods it has the smallest bound on the local error.
    Source: A. Ralston, Runge-Kutta methods with minimum error bounds, Math. Comp. 16 (1962).
    """

    steps: int = options.integer(25, at_least=1, doc="number of equal steps")

    def solve(self, velocity, x0):
        x, all_rows, h = x0, slice(None), 1 / self.steps
        for k in range(self.steps):
            t0, t1 = (x0.new_full((len(x0),), time / self.steps, dtype=torch.float64) for time in (k, k + 1))
            first = Stage(t0, velocity(x, t0, all_rows), 0.25)
            middle = t0 + 2 / 3 * h
            second = Stage(middle, velocity(x + 2 / 3 * h * first.v, middle, all_rows), 0.75)
            x1 = x + h * (0.25 * first.v + 0.75 * second.v)
            yield Step(all_rows, t0, t1, x, x1, (first, second))
            x = x1
