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


def test_over_another_time_the_columns_are_the_same_unless_a_meter_says_otherwise():
    sums, x, time = {"steps": torch.ones(2)}, torch.zeros(2, 3), torch.tensor([0.5, 1.0])
    assert Steps().columns_over(sums, x, x, time) == Steps().columns(sums, x, x)
