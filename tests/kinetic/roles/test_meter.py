import attrs
import torch
from kinetic_fields import Empirical
from kinetic_solvers import Heun

from kinetic import EnergyMeter, Runner


@attrs.frozen(eq=False)
class Steps(EnergyMeter):
    """How many steps each sample took: the smallest meter there is."""

    def adds(self, step):
        return {"steps": torch.ones_like(step.energy)}

    def columns(self, sums, x0, x1):
        return {"steps": sums["steps"]}


def test_the_runner_does_the_adding():
    run = Runner(field=Empirical(torch.randn(4, 2)), solver=Heun(steps=13), meters={"steps": Steps()}).run(5)
    assert run.energy["steps"].tolist() == [13.0] * 5
