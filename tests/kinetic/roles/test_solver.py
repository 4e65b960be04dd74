import pytest
import torch
from kinetic_energy import KPE

from kinetic import Stage, Status, Step


def step(weights=(0.25, 0.75), dtype=torch.float64):
    t0, t1 = torch.zeros(3, dtype=torch.float64), torch.full((3,), 0.2, dtype=torch.float64)
    stages = tuple(Stage(t0, torch.randn(3, 2, 4, dtype=dtype), weight) for weight in weights)
    return Step(slice(None), t0, t1, torch.zeros(3, 2, 4), torch.zeros(3, 2, 4), stages)


def test_the_power_of_a_stage_is_half_its_squared_norm_over_all_elements():
    found = step().stages[0]
    assert torch.allclose(found.power, 0.5 * found.v.square().sum((1, 2)))
    assert found.square is found.square  # computed once


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


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_energies_beyond_float32_are_finite(dtype):
    """3 elements of 1e30, so 1/2 ||v||^2 = 1.5e60, over a step of 1/4."""
    t = torch.zeros(2, dtype=torch.float64)
    v = torch.tensor([[1e30] * 3, [1.0] * 3]).to(dtype)
    power = 1.5 * v[:, 0].double() ** 2
    stage = Stage(t, v, 1.0, 0.5)
    assert torch.allclose(stage.power, power, rtol=1e-6)
    for span in (None, (0.0, 0.25)):
        found = Step(slice(None), t, t + 0.25, v * 0, v / 4, (stage,), span)
        assert torch.allclose(found.energy, 0.25 * power, rtol=1e-6)
        assert torch.allclose(found.energy_error, 0.125 * power, rtol=1e-6)


def test_two_rules_for_one_step_differ_by_the_error_of_its_energy():
    """Heun's step with Euler embedded: dt ((1/2 - 1) p0 + 1/2 p1)."""
    t = [torch.tensor([0.0]), torch.tensor([0.5])]
    stages = tuple(
        Stage(t[i].double(), torch.tensor([[float(i + 1)]]), 0.5, embedded) for i, embedded in enumerate((1.0, 0.0))
    )
    step = Step(slice(None), t[0].double(), t[1].double(), torch.zeros(1, 1), torch.zeros(1, 1), stages)
    assert step.energy_error.tolist() == pytest.approx([0.5 * (-0.5 * 0.5 + 0.5 * 2.0)])
    plain = Step(slice(None), step.t0, step.t1, step.x0, step.x1, (Stage(step.t0, stages[0].v, 1.0),))
    assert plain.energy_error.tolist() == [0.0]


def test_the_mean_looks_at_no_stage_of_weight_zero():
    t = torch.zeros(1, dtype=torch.float64)
    unused, used = Stage(t, torch.full((1, 1), torch.inf), 0.0), Stage(t, torch.ones(1, 1), 1.0)
    assert Step(slice(None), t, t + 1, torch.zeros(1, 1), torch.ones(1, 1), (unused, used)).energy.tolist() == [0.5]


def test_every_status_says_what_it_means():
    said = ["reached t = 1", "stopped: step limit", "stopped: step too small", "stopped: not finite"]
    assert [status.words for status in Status] == said


@pytest.mark.parametrize("weights", [(1.0,), (0.25, 0.75), (0.0, 1.0), (1.5, -0.5)])
def test_a_step_whose_samples_share_their_times_has_the_same_energy(weights):
    t0, t1 = torch.full((3,), 0.2, dtype=torch.float64), torch.full((3,), 0.45, dtype=torch.float64)
    stages = tuple(Stage(t0, torch.randn(3, 5, dtype=torch.float64), weight) for weight in weights)
    x = torch.zeros(3, 5)
    shared = Step(slice(None), t0, t1, x, x, stages, (0.2, 0.45))
    own = Step(slice(None), t0, t1, x, x, stages)
    assert torch.allclose(shared.energy, own.energy, rtol=1e-14)
    for split in (0.1, 0.3, 0.9):
        meter = KPE(split=split)
        assert torch.allclose(meter.adds(shared)["early"], meter.adds(own)["early"], rtol=1e-13)
