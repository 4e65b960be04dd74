"""Steps of schedulers, weighed by hand from the states and velocities that a loop of one's own sees."""

import inspect
import itertools

import kinetic_diffusers
import pytest
import torch
from kinetic_schedules import Constant

from kinetic.errors import OptionError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of diffusers with numpy 2
FLOW = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
MEAN = [
    "UniPCMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "DEISMultistepScheduler",
]


def answer(x, sigma):
    """dx/dsigma of the flow from N(0, I) to N(1, I/4)."""
    t = 1 - float(sigma)
    variance = (1 - t) ** 2 + (t / 2) ** 2
    return -(1 + (t / 4 - (1 - t)) / variance * (x - t))


def walk(scheduler, x, steps=8, **more):
    """The states and velocities of a loop, and the noise levels they are at."""
    scheduler.set_timesteps(steps, **more)
    states, velocities, sigmas = [x], [], scheduler.sigmas.double().tolist()
    for i, t in enumerate(scheduler.timesteps):
        velocities.append(answer(x, sigmas[i]))
        x = scheduler.step(velocities[-1], t, x, return_dict=False)[0]
        states.append(x)
    return states, velocities, sigmas


def test_a_step_of_euler_costs_the_square_of_the_velocity_it_was_given(diffusers):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    with kinetic_diffusers.metered(scheduler) as meter:
        _, velocities, sigmas = walk(scheduler, torch.randn(4, 3))
    hand = sum(0.5 * (sigmas[i] - sigmas[i + 1]) * v.double().square().sum(1) for i, v in enumerate(velocities))
    assert torch.allclose(meter.energy["kpe"], hand, rtol=1e-6)
    assert meter.energy["t_end"].tolist() == [1.0] * 4
    assert meter.notes == ()


def test_two_calls_of_heun_are_one_step_and_the_last_is_one_of_euler(diffusers):
    scheduler, x = diffusers.FlowMatchHeunDiscreteScheduler(shift=3.0), torch.randn(4, 3)
    levels = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    levels.set_timesteps(5)
    sigmas, hand, y = levels.sigmas.double().tolist(), 0.0, x.clone()
    for i in range(5):
        dt, first = sigmas[i] - sigmas[i + 1], answer(y, sigmas[i])
        used = [first] if i == 4 else [first, answer(y - dt * first, sigmas[i + 1])]
        hand = hand + dt * sum(0.5 * v.double().square().sum(1) for v in used) / len(used)
        y = y - dt * sum(used) / len(used)
    with kinetic_diffusers.metered(scheduler) as meter:
        scheduler.set_timesteps(5)
        for t in scheduler.timesteps:
            x = scheduler.step(answer(x, t / 1000), t, x, return_dict=False)[0]
    assert torch.allclose(x, y, atol=1e-5)
    assert torch.allclose(meter.energy["kpe"], hand, rtol=1e-5)
    assert meter.energy["nfe"].tolist() == [9.0] * 4
    assert meter.energy["edits"].tolist() == [0.0] * 4
    assert bool((meter.energy["bending"] >= 0).all())


def test_a_pair_that_is_left_in_the_middle_is_an_euler_step(diffusers):
    scheduler, x = diffusers.FlowMatchHeunDiscreteScheduler(), torch.randn(2, 3)
    with kinetic_diffusers.metered(scheduler) as meter:
        scheduler.set_timesteps(4)
        scheduler.step(answer(x, 1), scheduler.timesteps[0], x)
    dt = float(scheduler.sigmas[0] - scheduler.sigmas[1])
    assert torch.allclose(meter.energy["kpe"], 0.5 * dt * answer(x, 1).double().square().sum(1), rtol=1e-6)
    assert meter.energy["t_end"].tolist() == pytest.approx([dt] * 2, abs=1e-6)


@pytest.mark.parametrize("name", MEAN)
def test_schedulers_that_combine_velocities_are_weighed_by_the_mean_velocity_of_each_step(diffusers, name):
    scheduler = getattr(diffusers, name)(**FLOW, flow_shift=3.0)
    with kinetic_diffusers.metered(scheduler) as meter:
        states, _, sigmas = walk(scheduler, torch.randn(4, 3))
    hand = sum(
        0.5 * (b - a).double().square().sum(1) / (sigmas[i] - sigmas[i + 1])
        for i, (a, b) in enumerate(itertools.pairwise(states))
        if sigmas[i] > sigmas[i + 1]
    )
    assert torch.allclose(meter.energy["kpe"], hand, rtol=1e-5)
    end = 1 - sigmas[-1]
    assert meter.energy["t_end"].tolist() == pytest.approx([end] * 4)
    straight = (states[-1] - states[0]).double().square().sum(1) / (2 * (end - 1 + sigmas[0]))
    assert torch.allclose(meter.energy["displacement"], straight, rtol=1e-5)
    assert bool((meter.energy["bending"] >= -1e-6).all())


@pytest.mark.parametrize("name", MEAN[:3])
def test_a_path_that_stops_at_the_least_noise_level_says_when(diffusers, name):
    scheduler = getattr(diffusers, name)(**FLOW, final_sigmas_type="sigma_min")
    with kinetic_diffusers.metered(scheduler) as meter:
        walk(scheduler, torch.randn(2, 3))
    end = 1 - float(scheduler.sigmas[-1])
    assert end < 0.995
    assert meter.energy["t_end"].tolist() == pytest.approx([end] * 2)
    assert meter.energy["gain"].tolist() == pytest.approx([end] * 2)
    assert bool(meter.energy["kpe"].isfinite().all())
    assert "samples stop at t" in " ".join(meter.notes)


def test_noise_levels_that_rise_from_0_are_times_of_ours(diffusers):
    """As Mochi has them: sigma = t, and a velocity towards data."""
    scheduler, v = diffusers.FlowMatchEulerDiscreteScheduler(invert_sigmas=True), torch.ones(2, 3)
    with kinetic_diffusers.metered(scheduler, Constant(0.5)) as meter:
        scheduler.set_timesteps(4)
        x = torch.zeros(2, 3)
        for t in scheduler.timesteps:
            x = scheduler.step(v, t, x, return_dict=False)[0]
    assert torch.allclose(x, torch.full((2, 3), 0.5))
    assert meter.energy["kpe"].tolist() == pytest.approx([0.375] * 2)  # 3 elements, 1/2 (1/2)^2 each
    assert meter.energy["gain"].tolist() == pytest.approx([0.5] * 2)
    assert meter.energy["t_start"].tolist() == [0.0] * 2


def test_times_that_are_not_those_of_the_noise_levels_are_said(diffusers):
    """Custom timesteps with shift 3: the network is told 500 at sigma 0.75."""
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    with kinetic_diffusers.metered(scheduler) as meter:
        walk(scheduler, torch.randn(2, 3), steps=2, timesteps=[1000.0, 500.0])
    assert meter.energy["clock_off"].tolist() == pytest.approx([0.25] * 2)
    assert "up to 0.25 from those of its noise levels" in " ".join(meter.notes)


def test_whole_timesteps_are_up_to_a_thousandth_off(diffusers):
    scheduler = diffusers.UniPCMultistepScheduler(**FLOW, flow_shift=3.0)
    with kinetic_diffusers.metered(scheduler) as meter:
        walk(scheduler, torch.randn(2, 3))
    assert 1e-5 < float(meter.energy["clock_off"].max()) <= 1e-3


def test_noise_levels_above_1_are_refused_before_a_step(diffusers):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    with pytest.raises(OptionError, match="up to sigma = 80"), kinetic_diffusers.metered(scheduler) as meter:
        walk(scheduler, torch.randn(2, 3), steps=3, sigmas=[80.0, 5.0, 0.5])
    assert meter.energy == {}


def test_noise_levels_that_rise_towards_noise_are_refused(diffusers):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    with pytest.raises(OptionError, match="do not fall from step to step"), kinetic_diffusers.metered(scheduler):
        walk(scheduler, torch.randn(2, 3), steps=3, sigmas=[0.1, 0.5, 1.0])


def test_times_per_token_are_refused(diffusers):
    scheduler, x = diffusers.FlowMatchEulerDiscreteScheduler(), torch.randn(2, 4, 3)
    scheduler.set_timesteps(3)
    with pytest.raises(OptionError, match="per_token_timesteps"), kinetic_diffusers.metered(scheduler):
        scheduler.step(x, scheduler.timesteps[0], x, per_token_timesteps=torch.full((2, 4), 500.0))


def test_churn_is_refused(diffusers):
    scheduler, x = diffusers.FlowMatchHeunDiscreteScheduler(), torch.randn(2, 3)
    scheduler.set_timesteps(3)
    with pytest.raises(OptionError, match="s_churn = 1"), kinetic_diffusers.metered(scheduler):
        scheduler.step(x, scheduler.timesteps[0], x, s_churn=1.0)


def test_a_step_that_is_repeated_is_refused(diffusers):
    scheduler, x = diffusers.FlowMatchEulerDiscreteScheduler(), torch.randn(2, 3)
    scheduler.set_timesteps(3)
    with kinetic_diffusers.metered(scheduler):
        scheduler.step(x, scheduler.timesteps[0], x)
        scheduler._step_index -= 1
        with pytest.raises(OptionError, match=r"steps from t = 0, and its last step led to t = 0\.49"):
            scheduler.step(x, scheduler.timesteps[0], x)


def test_states_that_change_their_shape_are_refused(diffusers):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(3)
    first, second = torch.randn(2, 3), torch.randn(2, 4)
    with kinetic_diffusers.metered(scheduler):
        scheduler.step(first, scheduler.timesteps[0], first)
        with pytest.raises(ShapeError, match=r"\(2, 3\), and a step of it has \(2, 4\)"):
            scheduler.step(second, scheduler.timesteps[1], second)


def test_states_rounded_to_half_precision_between_steps_are_no_edits(diffusers):
    """As Mochi does with its latents."""
    scheduler, x = diffusers.FlowMatchEulerDiscreteScheduler(), torch.randn(2, 3).bfloat16()
    with kinetic_diffusers.metered(scheduler) as meter:
        scheduler.set_timesteps(4)
        for t in scheduler.timesteps:
            x = scheduler.step(answer(x.float(), t / 1000), t, x.float(), return_dict=False)[0].bfloat16()
    assert meter.energy["edits"].tolist() == [0.0, 0.0]


def test_an_edit_between_the_two_calls_of_heun_is_counted(diffusers):
    scheduler, x = diffusers.FlowMatchHeunDiscreteScheduler(), torch.randn(2, 3)
    with kinetic_diffusers.metered(scheduler) as meter:
        scheduler.set_timesteps(3)
        for i, t in enumerate(scheduler.timesteps):
            x = scheduler.step(answer(x, t / 1000), t, x, return_dict=False)[0]
            if i == 0:
                x[1] += 1
    assert meter.energy["edits"].tolist() == [0.0, 1.0]


def test_the_signature_that_pipelines_look_at_stays(diffusers):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    before = inspect.signature(scheduler.step)
    with kinetic_diffusers.metered(scheduler):
        assert inspect.signature(scheduler.step) == before
        assert isinstance(scheduler, diffusers.FlowMatchEulerDiscreteScheduler)
        assert type(scheduler).__name__ == "FlowMatchEulerDiscreteScheduler"
