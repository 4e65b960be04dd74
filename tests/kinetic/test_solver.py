import pytest
import torch

from kinetic import Stage, Step


def step(weights=(0.25, 0.75), dtype=torch.float64):
    t0, t1 = torch.zeros(3, dtype=torch.float64), torch.full((3,), 0.2, dtype=torch.float64)
    stages = tuple(Stage(t0, torch.randn(3, 2, 4, dtype=dtype), weight) for weight in weights)
    return Step(slice(None), t0, t1, torch.zeros(3, 2, 4), torch.zeros(3, 2, 4), stages)


def test_the_power_of_a_stage_is_half_its_squared_norm_over_all_elements():
    found = step().stages[0]
    assert torch.allclose(found.power, 0.5 * found.v.square().sum((1, 2)))
    assert found.power is found.power  # computed once


def test_the_energy_of_a_step_is_dt_times_the_weighted_power():
    found = step()
    expected = 0.2 * (0.25 * found.stages[0].power + 0.75 * found.stages[1].power)
    assert torch.allclose(found.energy, expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_power_is_float64_and_does_not_overflow_in_half_precision(dtype):
    v = torch.full((1, 3000), 300.0, dtype=dtype)
    power = Stage(torch.zeros(1), v, 1.0).power
    assert power.dtype == torch.float64
    assert power.item() == pytest.approx(0.5 * 3000 * v[0, 0].item() ** 2, rel=1e-5)
