"""A meter."""

import attrs

from kinetic import Column, EnergyMeter


@attrs.frozen(eq=False)
class Acceleration(EnergyMeter):
    """How much the velocity changes within the steps, sum over steps of ||v_last - v_first||^2 / dt.

    For a method with two or more stages a stand-in for int ||dv/dt||^2 dt; 0 for Euler, which has one.
    Column: `acceleration`, `(n,)`.
    """

    described = (Column("acceleration", "How much the velocity changes within the steps.", "energy"),)

    def adds(self, step):
        change = (step.stages[-1].v - step.stages[0].v).flatten(1).double()
        return {"acceleration": change.square().sum(1) / step.dt}

    def columns(self, sums, x0, x1):
        return {"acceleration": sums["acceleration"]}
