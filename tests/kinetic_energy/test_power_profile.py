import pytest
import torch
from kinetic_energy import KPE, PowerProfile
from kinetic_fields import Empirical
from kinetic_solvers import Euler, Midpoint

from kinetic import Runner
from kinetic.errors import OptionError
from kinetic.testing import check_meter


@pytest.mark.parametrize("grid", ["uniform", "cosine"])
@pytest.mark.parametrize("bins", [1, 7, 50])
def test_the_mean_power_over_the_bins_is_the_kpe(bins, grid):
    meters = {"kpe": KPE(), "power": PowerProfile(bins=bins)}
    field = Empirical(torch.randn(6, 3, dtype=torch.float64))
    found = Runner(field=field, solver=Midpoint(steps=11, grid=grid), meters=meters).run(9, dtype=torch.float64)
    assert found.energy["power"].shape == (9, bins)
    assert torch.allclose(found.energy["power"].mean(1), found.energy["kpe"], rtol=1e-12)


def test_the_peak_is_found_where_the_power_peaks():
    """v = (sin(pi t)), whose power 1/2 sin^2(pi t) peaks at t = 1/2 with 1/2."""
    meter, sums = PowerProfile(bins=25), {}
    x0 = torch.zeros(2, 1, dtype=torch.float64)
    for step in Euler(steps=1000).solve(lambda x, t, rows: torch.sin(torch.pi * t)[:, None], x0):
        for name, add in meter.adds(step).items():
            sums[name] = sums.get(name, 0) + add
    columns = meter.columns(sums, x0, x0)
    t = (torch.arange(25, dtype=torch.float64) + 0.5) / 25
    assert torch.allclose(columns["power"][0], 0.5 * torch.sin(torch.pi * t) ** 2, atol=6e-3)
    assert columns["peak_time"].tolist() == pytest.approx([0.5, 0.5])
    assert columns["peak"].tolist() == pytest.approx([0.5, 0.5], abs=5e-3)


def test_the_contract_of_a_meter_is_kept():
    check_meter(PowerProfile(bins=9))


@pytest.mark.parametrize("bins", [0, 10**6 + 1, 2**63 - 1])
def test_more_bins_than_a_solver_can_have_steps_are_refused(bins):
    with pytest.raises(OptionError, match=f"'bins' must be an int >= 1 and <= 1000000: {bins}"):
        PowerProfile(bins=bins)
