"""Against sums by hand, and the whole."""

import pytest
import torch
from kinetic_energy import KPE, Channels
from kinetic_fields import Gaussian
from kinetic_solvers import RK4, Euler, Heun

from kinetic import Runner, Stage, Step
from kinetic.errors import ShapeError
from kinetic.testing import check_meter


def test_each_channel_has_the_energy_of_its_own_elements():
    v = torch.randn(2, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    meter, x0 = Channels(channels=3), torch.zeros_like(v)
    (step,) = Euler(steps=1).solve(lambda x, t, rows: v, x0)
    columns = meter.columns(meter.adds(step), x0, step.x1)
    for c in range(3):
        assert torch.allclose(columns[f"kpe_channel_{c}"], 0.5 * v[:, c].square().sum((1, 2)), rtol=1e-14)


@pytest.mark.parametrize("method", [Euler, Heun, RK4])
def test_channels_add_up_to_the_kinetic_path_energy(method):
    meters = {"kpe": KPE(), "channels": Channels(channels=5)}
    run = Runner(field=Gaussian(size=5, std=2.0), solver=method(steps=7), meters=meters).run(9, dtype=torch.float64)
    total = sum(run.energy[f"kpe_channel_{c}"] for c in range(5))
    assert torch.allclose(total, run.energy["kpe"], rtol=1e-13)


def test_another_number_of_channels_is_refused_before_any_sample_is_drawn():
    runner = Runner(field=Gaussian(size=5), solver=Euler(steps=2), meters={"channels": Channels(channels=4)})
    with pytest.raises(ShapeError, match=r"'channels' must be the length of the first axis of .* shape \(5,\): 4"):
        runner.dry_run()


def test_each_channel_says_which_it_is():
    assert [column.name for column in Channels(channels=2).described] == ["kpe_channel_0", "kpe_channel_1"]


def test_where_no_sample_moves_nothing_is_added():
    """An adaptive solver may give up on all of a batch at once."""
    x = torch.zeros(0, 3, 4, 4, dtype=torch.float64)
    t = torch.zeros(0, dtype=torch.float64)
    meter = Channels(channels=3)
    sums = meter.adds(Step(t.long(), t, t, x, x, (Stage(t, x, 1.0),)))
    assert all(len(column) == 0 for column in meter.columns(sums, x, x).values())


def test_the_contract_of_a_meter_is_kept():
    check_meter(Channels(channels=3))
