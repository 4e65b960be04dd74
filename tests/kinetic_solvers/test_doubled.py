import attrs
import pytest
import torch
from kinetic_grids import Given, Shifted
from kinetic_solvers import RK4, AdamsBashforth2, Dopri5, Doubled, DPMSolver, Euler, Heun, Midpoint, Ralston

from kinetic._sample.noise import noise
from kinetic.errors import OptionError
from kinetic.testing import check_solver


@pytest.mark.parametrize("every", [2, 4])
@pytest.mark.parametrize("method", [Euler, Midpoint, Heun, Ralston, RK4, AdamsBashforth2])
def test_the_error_bar_is_the_error_of_the_energy_on_the_gaussian_flow(method, every, gaussian_flow):
    run, _, energy = gaussian_flow(Doubled(method(steps=128), every=every), n=200)
    error, estimate = (run.energy["kpe"] - energy).abs(), run.energy["kpe_error"]
    assert estimate.median().item() == pytest.approx(error.median().item(), rel=0.1)


@pytest.mark.parametrize("method", [Euler, Midpoint, RK4])
def test_the_error_bar_of_bending_is_its_error(method, gaussian_flow):
    run, x1, energy = gaussian_flow(Doubled(method(steps=128)), n=200)
    bending = energy - 0.5 * (x1 - noise(0, range(200), (3,), torch.float64)).square().sum(1)
    error = (run.energy["bending"] - bending).abs()
    assert run.energy["bending_error"].median().item() == pytest.approx(error.median().item(), rel=0.1)


def test_the_error_bar_of_x1_is_its_error(gaussian_flow):
    run, x1, _ = gaussian_flow(Doubled(Euler(steps=128)), n=200)
    error = (run.samples - x1).square().mean(1).sqrt()
    assert run.energy["x1_error"].median().item() == pytest.approx(error.median().item(), rel=0.1)


@pytest.mark.parametrize("grid", ["cosine", Shifted(shift=2.0), Given([0, 0.1, 0.3, 0.6, 1])])
def test_the_coarse_grid_is_every_other_time_of_the_fine_one(grid):
    asked = []
    fine = Euler(steps=4, grid=grid)
    list(Doubled(fine).solve(lambda x, t, rows: asked.append(t[0].item()) or x, torch.ones(1, 1)))
    assert asked == [*fine.times()[:-1:2], *fine.times()[:-1]]


@pytest.mark.parametrize("grid", ["cosine", Shifted(shift=2.0)])
def test_the_error_bar_is_the_error_on_other_grids_too(grid, gaussian_flow):
    run, _, energy = gaussian_flow(Doubled(Midpoint(steps=128, grid=grid)), n=200)
    error, estimate = (run.energy["kpe"] - energy).abs(), run.energy["kpe_error"]
    assert estimate.median().item() == pytest.approx(error.median().item(), rel=0.1)


def test_samples_and_energies_are_those_of_the_fine_grid(gaussian_flow):
    plain, *_ = gaussian_flow(DPMSolver(steps=20))
    doubled, *_ = gaussian_flow(Doubled(DPMSolver(steps=20)))
    assert torch.equal(plain.samples, doubled.samples)
    assert torch.equal(plain.energy["kpe"], doubled.energy["kpe"])
    assert doubled.energy["nfe"].tolist() == [30.0] * 20


def test_euler_and_dopri5_agree_within_their_bars(gaussian_flow):
    """What the bars are for: energies of two solvers, one coarse, that can be compared."""
    coarse, *_ = gaussian_flow(Doubled(Euler(steps=50)), n=300)
    fine, *_ = gaussian_flow(Dopri5(rtol=1e-6, atol=1e-6), n=300)
    apart = (coarse.energy["kpe"] - fine.energy["kpe"]).abs()
    assert (apart <= 2 * (coarse.energy["kpe_error"] + fine.energy["kpe_error"])).double().mean() >= 0.9


def test_a_coarse_grid_is_warned_of(gaussian_flow):
    assert "The grid dominates" in " ".join(gaussian_flow(Doubled(Euler(steps=2)), n=100)[0].notes)
    assert gaussian_flow(Doubled(RK4(steps=64)), n=100)[0].notes == ()


def test_the_contract_of_a_solver_is_kept():
    check_solver(Doubled(Heun(steps=8)))


def test_what_cannot_be_doubled_is_refused():
    with pytest.raises(OptionError, match="'steps' must be a multiple of 'every' = 2: 7"):
        Doubled(Euler(steps=7))
    with pytest.raises(OptionError, match="'solver' must be one on a fixed grid: Dopri5 is not"):
        Doubled(Dopri5())
    with pytest.raises(OptionError, match="'every' must be an int >= 2: 1"):
        attrs.evolve(Doubled(Euler()), every=1)
