import math

import pytest
import torch
from kinetic_energy import KPE, Path
from kinetic_fields import Empirical
from kinetic_solvers import RK4, Euler, Midpoint

from kinetic import Runner
from kinetic.testing import check_meter


@pytest.mark.parametrize("method", [Euler, Midpoint, RK4])
def test_length_lies_between_the_distance_and_the_root_of_twice_the_energy(method):
    meters = {"kpe": KPE(), "path": Path()}
    data = torch.randn(12, 3, dtype=torch.float64)
    found = Runner(field=Empirical(data), solver=method(steps=30), meters=meters).run(40, dtype=torch.float64)
    energy = found.energy
    squared = energy["length"] ** 2
    assert bool((2 * energy["displacement"] <= squared * (1 + 1e-12)).all())
    assert bool((squared <= 2 * energy["kpe"] * (1 + 1e-12)).all())
    assert torch.allclose(energy["tortuosity"], energy["length"] / (2 * energy["displacement"]).sqrt(), rtol=1e-12)


def test_a_quarter_circle_has_the_length_of_a_quarter_circle():
    quarter = math.pi / 2
    x0 = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    meter, sums = Path(), {}
    for step in RK4(steps=40).solve(lambda x, t, rows: quarter * x @ turn, x0):
        for name, add in meter.adds(step).items():
            sums[name] = sums.get(name, 0) + add
        last = step.x1
    columns = meter.columns(sums, x0, last)
    assert columns["length"].item() == pytest.approx(quarter, rel=1e-6)
    assert columns["tortuosity"].item() == pytest.approx(quarter / math.sqrt(2), rel=1e-6)


def test_a_path_that_returns_to_its_start_has_a_length_and_no_tortuosity():
    """One sample goes there and back, one stands still, one goes straight."""
    x0 = torch.zeros(3, 2, dtype=torch.float64)
    there = torch.tensor([[1.0, 0.0], [0.0, 0.0], [3.0, 4.0]], dtype=torch.float64)

    def velocity(x, t, rows):
        back = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
        return there * torch.where(t < 0.5, 1.0, back)[:, None]

    meter, sums = Path(), {}
    for step in Euler(steps=4).solve(velocity, x0):
        for name, add in meter.adds(step).items():
            sums[name] = sums.get(name, 0) + add
        last = step.x1
    columns = meter.columns(sums, x0, last)
    assert columns["length"].tolist() == [1.0, 0.0, 5.0]
    assert columns["tortuosity"].isnan().tolist() == [True, True, False]
    assert columns["tortuosity"][2].item() == 1.0


def test_the_contract_of_a_meter_is_kept():
    check_meter(Path())
