"""Against a circle and a Gaussian flow, whose accelerations are known."""

import math

import pytest
import torch
from kinetic_energy import Turning
from kinetic_fields import Gaussian
from kinetic_solvers import RK4, AdamsBashforth2, Dopri5, Euler, Heun, Midpoint

from kinetic import Runner, Stage, Step
from kinetic.testing import check_meter

OMEGA, RADIUS = 3.0, 2.0


def on_a_circle(method, steps):
    """Both columns of a path on a circle, at constant speed."""
    meter, sums = Turning(), {}
    x0 = torch.tensor([[RADIUS, 0.0]], dtype=torch.float64)

    def velocity(x, t, rows):
        """That of the exact path, whatever x is."""
        angle = OMEGA * t
        return OMEGA * RADIUS * torch.stack([-angle.sin(), angle.cos()], 1)

    for step in method(steps=steps).solve(velocity, x0):
        for name, add in meter.adds(step).items():
            sums[name] = sums.get(name, 0) + add
    columns = meter.columns(sums, x0, x0)
    return columns["acceleration_tangential"].item(), columns["acceleration_normal"].item()


@pytest.mark.parametrize("method", [Heun, RK4, Midpoint, AdamsBashforth2])
def test_on_a_circle_all_acceleration_is_normal_and_omega_squared_r(method):
    tangential, normal = on_a_circle(method, 200)
    assert tangential == pytest.approx(0, abs=1e-20)
    assert normal == pytest.approx((OMEGA**2 * RADIUS) ** 2, rel=1e-4)


def test_the_chord_of_a_step_is_what_is_measured():
    """By hand: the velocities at both ends of a step of angle a differ by 2 v sin(a/2)."""
    _, normal = on_a_circle(Heun, 4)
    assert normal == pytest.approx((2 * OMEGA * RADIUS * math.sin(OMEGA / 8) * 4) ** 2, rel=1e-12)


def of_a_gaussian(solver):
    run = Runner(field=Gaussian(std=2.0), solver=solver, meters={"turning": Turning()}).run(20, dtype=torch.float64)
    return run.energy, run.energy["x0_sq"]


@pytest.mark.parametrize(
    ("solver", "tolerance"),
    [
        (Heun(steps=400), 1e-3),
        (RK4(steps=200), 1e-5),
        (Midpoint(steps=2000), 5e-3),
        (AdamsBashforth2(steps=2000), 5e-3),
    ],
)
def test_of_a_gaussian_flow_all_acceleration_is_tangential_and_known(solver, tolerance):
    """x_t = s_t x0 with s'' = std^2/s^3 on a line through the origin: int (s'')^2 dt ||x0||^2."""
    t = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    whole = (4.0 / ((1 - t) ** 2 + 4 * t**2) ** 1.5).square().mean().item()
    energy, x0_sq = of_a_gaussian(solver)
    assert (energy["acceleration_tangential"] / x0_sq).tolist() == pytest.approx([whole] * 20, rel=tolerance)
    assert energy["acceleration_normal"].max().item() < 1e-10 * energy["acceleration_tangential"].max().item()


@pytest.mark.parametrize(("method", "order"), [(RK4, 2), (Heun, 1), (Midpoint, 1), (AdamsBashforth2, 1)])
def test_twice_the_steps_halve_the_error_order_times(method, order):
    runs = [of_a_gaussian(method(steps=n)) for n in (100, 200, 400)]
    values = [(energy["acceleration_tangential"] / x0_sq).mean().item() for energy, x0_sq in runs]
    assert (values[0] - values[1]) / (values[1] - values[2]) == pytest.approx(2**order, rel=0.15)


def test_adaptive_steps_are_seen_row_by_row():
    energy, x0_sq = of_a_gaussian(Dopri5(rtol=1e-8, atol=1e-8))
    share = energy["acceleration_tangential"] / x0_sq
    assert share.tolist() == pytest.approx([share.mean().item()] * 20, rel=0.05)


def test_eulers_method_knows_no_acceleration():
    energy, _ = of_a_gaussian(Euler(steps=5))
    assert energy["acceleration_normal"].isnan().all()
    assert energy["acceleration_tangential"].isnan().all()


def test_a_path_that_stands_still_has_none():
    meter, x0 = Turning(), torch.zeros(2, 3, dtype=torch.float64)
    (step,) = Heun(steps=1).solve(lambda x, t, rows: torch.zeros_like(x), x0)
    columns = meter.columns(meter.adds(step), x0, x0)
    assert [column.tolist() for column in columns.values()] == [[0, 0], [0, 0]]


def test_where_no_sample_moves_nothing_is_added():
    """An adaptive solver may give up on all of a batch at once."""
    x = torch.zeros(0, 3, 4, 4, dtype=torch.float64)
    t = torch.zeros(0, dtype=torch.float64)
    meter = Turning()
    sums = meter.adds(Step(t.long(), t, t, x, x, (Stage(t, x, 1.0),)))
    assert all(len(column) == 0 for column in meter.columns(sums, x, x).values())


def test_the_contract_of_a_meter_is_kept():
    check_meter(Turning())
