import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Empirical, Gaussian
from kinetic_schedules import KTS
from kinetic_solvers import RK4, Euler, Heun, Midpoint

from kinetic import Runner
from kinetic.testing import check_meter


def run(field, solver, n=30, **more):
    return Runner(field=field, solver=solver, meters={"kpe": KPE(**more)}).run(n, dtype=torch.float64, device="cpu")


@pytest.mark.parametrize("method", [Euler, Midpoint, Heun, RK4])
@pytest.mark.parametrize("grid", ["uniform", "cosine"])
def test_bending_is_the_integral_of_the_deviation_from_the_straight_path(method, grid):
    """1/2 int ||v - dx||^2 dt by its own quadrature, not as the remainder."""
    data = torch.randn(9, 3, dtype=torch.float64)
    field, solver = Empirical(data), method(steps=12, grid=grid)
    x0 = torch.randn(15, 3, dtype=torch.float64)
    steps = list(solver.solve(lambda x, t, rows: field.velocity(x, t.clamp_max(0.99)), x0))
    dx = steps[-1].x1 - x0
    bending = sum(
        step.dt * sum(stage.weight * 0.5 * (stage.v - dx).square().sum(1) for stage in step.stages) for step in steps
    )
    meter, sums = KPE(), {}
    for step in steps:
        for name, add in meter.adds(step).items():
            sums[name] = sums.get(name, 0) + add
    columns = meter.columns(sums, x0, steps[-1].x1)
    assert torch.allclose(columns["bending"], bending, rtol=1e-11, atol=1e-11)
    assert bool((columns["bending"] >= 0).all())
    assert torch.allclose(columns["kpe"], columns["displacement"] + columns["bending"], rtol=0, atol=1e-12)


def test_euler_energy_is_the_sum_of_squared_steps():
    """KPE = sum ||x_{k+1} - x_k||^2 / (2 dt), from the states alone."""
    x0 = torch.randn(4, 3, dtype=torch.float64)
    steps = list(Euler(steps=20).solve(lambda x, t, rows: torch.cos(x), x0))
    from_states = sum((step.x1 - step.x0).square().sum(1) / (2 * step.dt) for step in steps)
    assert torch.allclose(sum(step.energy for step in steps), from_states, rtol=1e-12)


@pytest.mark.parametrize("split", [0.1, 0.35, 0.6, 0.999])
def test_early_and_late_part_the_energy_at_the_split_even_inside_a_step(split):
    found = run(Empirical(torch.full((1, 2), 3.0, dtype=torch.float64)), Euler(steps=7), split=split)
    kpe, early, late = (found.energy[name] for name in ("kpe", "early", "late"))
    assert torch.allclose(early, split * kpe, rtol=1e-12)  # one atom: constant power
    assert torch.allclose(early + late, kpe, rtol=1e-14)


def test_a_shaped_path_is_weighed_as_travelled():
    """With v constant the energy is 1/2 ||v||^2 times the mean of the squared gain."""
    class_ = Gaussian(size=2, mean=0.0, std=1.0)
    schedule = KTS(alpha=0.05, beta=0.02)
    solver = Midpoint(steps=40)
    x0 = torch.randn(5, 2, dtype=torch.float64)
    c = torch.randn(5, 2, dtype=torch.float64)
    steps = list(solver.solve(lambda x, t, rows: c * schedule.gain(t, x, c)[:, None], x0))
    squared = sum(step.dt[0] * schedule.gain(step.stages[1].t, x0, c)[0] ** 2 for step in steps)
    assert torch.allclose(sum(step.energy for step in steps), 0.5 * c.square().sum(1) * squared, rtol=1e-12)
    assert class_.event_shape == (2,)


def test_accounts_are_float64_whatever_the_samples_are():
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        found = Runner(field=Gaussian(size=64), solver=Euler(steps=4), meters={"kpe": KPE()}).run(3, dtype=dtype)
        assert found.samples.dtype == dtype
        assert found.energy["kpe"].dtype == torch.float64
        exact = Runner(field=Gaussian(size=64), solver=Euler(steps=4), meters={"kpe": KPE()}).run(
            3, dtype=torch.float64
        )
        tolerance = {torch.float16: 2e-2, torch.bfloat16: 1e-1, torch.float32: 1e-5}[dtype]
        assert torch.allclose(found.energy["kpe"], exact.energy["kpe"], rtol=tolerance)


def test_weighing_costs_no_velocity_call():
    calls = []
    for meters in ({}, {"kpe": KPE()}):
        count = [0]

        def velocity(x, t, rows, count=count):
            count[0] += 1
            return -x

        for step in Heun(steps=6).solve(velocity, torch.ones(2, 2)):
            for meter in meters.values():
                meter.adds(step)
        calls.append(count[0])
    assert calls[0] == calls[1] == 12


def test_the_contract_of_a_meter_is_kept():
    check_meter(KPE())
    check_meter(KPE(split=0.25))


def test_over_a_time_other_than_1_the_straight_path_costs_its_square_over_that_time():
    sums = {"kpe": torch.tensor([3.0, 3.0]).double(), "early": torch.tensor([1.0, 1.0]).double()}
    x0, x1 = torch.zeros(2, 4), torch.ones(2, 4)
    columns = KPE().columns_over(sums, x0, x1, torch.tensor([1.0, 0.8]).double())
    assert columns["displacement"].tolist() == pytest.approx([2.0, 2.5])
    assert columns["bending"].tolist() == pytest.approx([1.0, 0.5])


def test_per_dimension_columns_stand_beside_the_others_where_asked():
    plain, beside = (
        Runner(Gaussian(size=7, mean=1.0), Euler(steps=4), meters={"kpe": KPE(per_dim=given)}).run(5).energy
        for given in (False, True)
    )
    assert "kpe_per_dim" not in plain
    for name in ("kpe", "bending"):
        assert torch.equal(beside[name], plain[name])
        assert torch.allclose(beside[f"{name}_per_dim"], plain[name] / 7)
