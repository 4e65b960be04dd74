import kinetic_diffusers
import pytest
import torch
from kinetic_diffusers.guidance_parts import MEANS, PARTS, GuidanceParts
from kinetic_schedules import KTS
from torch import nn

import kinetic
from kinetic.errors import OptionError

pytestmark = pytest.mark.filterwarnings("ignore")  # of diffusers
SCALES = {"sd3": 5.0, "flux_true_cfg": 4.0, "z_image": 4.0, "ltx": 3.0, "mochi": 4.5}  # z_image: c + 3 (c - u)
U, C = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)).double().unbind(0)


def taken(answers, velocity):
    parts, net = GuidanceParts(kinetic.PathMeter({})), nn.Identity()
    hook = net.register_forward_hook(parts)
    for each in answers:
        net(each)
    hook.remove()
    return parts.take(velocity, combined=False)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    "answers", [[torch.cat([U, C])], [torch.cat([C, U])], [U, C], [C, U], [[*U, *C]], [(U,), (C,)]]
)
def test_halves_are_told_apart_by_the_scale_whatever_their_order_and_sign(answers, sign):
    v = U + 4.0 * (C - U)
    numbers = taken(answers, sign * v)
    assert torch.allclose(numbers["kpe_conditional"], 0.5 * C.square().sum(1))
    assert torch.allclose(numbers["kpe_unconditional"], 0.5 * U.square().sum(1))
    assert numbers["guidance_scale"].tolist() == pytest.approx([4.0] * 3)
    assert bool((numbers["guidance_residual"] < 1e-12).all())
    total = numbers["kpe_unconditional"] + 16 * numbers["kpe_apart"] + numbers["guidance_work"]
    assert torch.allclose(total, 0.5 * v.square().sum(1))


@pytest.mark.parametrize(("answers", "order"), [([torch.cat([U, C])], "uc"), ([C, U], "cu")])
def test_a_scale_of_less_than_one_goes_by_the_order_that_pipelines_have(answers, order):
    numbers = taken(answers, U + 0.3 * (C - U))
    assert numbers["guidance_scale"].tolist() == pytest.approx([0.3] * 3)
    assert torch.allclose(numbers["kpe_conditional"], 0.5 * C.square().sum(1))


@pytest.mark.parametrize(
    "answers", [[C], [C, U, C], [torch.randn(6, 5)], [C, U[:, :2]], ["none"], [torch.cat([U, C, C])], []]
)
def test_what_is_no_pair_is_not_known(answers):
    numbers = taken(answers, C)
    assert set(numbers) == {*PARTS, *MEANS}
    assert all(bool(value.isnan().all()) for value in numbers.values())


def weighed(tiny, name, schedule=None, **more):
    made = tiny(name)
    plain = made(**more)
    with kinetic_diffusers.metered(made.pipe, schedule, parts=True) as meter:
        assert torch.equal(made(**more), plain) or schedule is not None
    return meter


@pytest.mark.parametrize("schedule", [None, KTS(alpha=0.05, beta=0.04)])
@pytest.mark.parametrize("name", SCALES)
def test_the_scale_of_guidance_is_recovered_and_the_parts_sum_to_the_energy(tiny, name, schedule):
    energy = weighed(tiny, name, schedule).energy
    w = SCALES[name]
    assert energy["guidance_scale"].tolist() == pytest.approx([w, w], rel=1e-5)
    assert bool((energy["guidance_residual"] < 1e-5).all())
    total = energy["kpe_unconditional"] + w**2 * energy["kpe_apart"] + energy["guidance_work"]
    assert torch.allclose(total, energy["kpe"], rtol=1e-5)


@pytest.mark.parametrize("name", ["qwen_image", "lumina2"])
def test_rescaled_guidance_shows_in_the_residual(tiny, name):
    meter = weighed(tiny, name)
    energy, rest = meter.energy, meter.energy["guidance_residual"]
    assert bool((rest > 1e-4).all())
    assert ("Guidance is more than one scale" in " ".join(meter.notes)) == bool(rest.max() > 1e-3)
    assert bool((energy["kpe_conditional"] > 0).all())


@pytest.mark.parametrize("scale", [1.5, 5.0])
def test_the_conditional_half_is_that_of_the_prompt(tiny, scale):
    sd3, seen = tiny("sd3"), []
    net = sd3.pipe.transformer
    hook = net.register_forward_hook(lambda module, args, answer: seen.append(answer[0].chunk(2)[1]))
    with kinetic_diffusers.metered(sd3.pipe, parts=True) as meter:
        sd3(guidance_scale=scale)
    hook.remove()
    sigmas = sd3.pipe.scheduler.sigmas.double()
    hand = sum(0.5 * (sigmas[i] - sigmas[i + 1]) * v.double().square().flatten(1).sum(1) for i, v in enumerate(seen))
    assert torch.allclose(meter.energy["kpe_conditional"], hand, rtol=1e-6)


def test_without_guidance_there_are_no_parts_and_a_note_says_so(tiny):
    meter = weighed(tiny, "flux")
    assert bool(meter.energy["kpe_conditional"].isnan().all())
    assert bool((meter.energy["kpe"] > 0).all())
    assert "answers 1 times a step: two make guidance" in " ".join(meter.notes)


@pytest.mark.parametrize("name", ["sana", "wan"])
def test_where_a_scheduler_combines_velocities_parts_are_left_out_and_a_note_says_so(tiny, name):
    meter = weighed(tiny, name)
    assert bool(meter.energy["kpe_conditional"].isnan().all())
    assert set(meter.table["kpe_conditional"].to_pylist()) == {None}
    assert "combines velocities" in " ".join(meter.notes)


def test_parts_of_heun_have_the_weights_of_its_stages(tiny, diffusers):
    sd3 = tiny("sd3")
    sd3.pipe.scheduler = diffusers.FlowMatchHeunDiscreteScheduler()
    with kinetic_diffusers.metered(sd3.pipe, parts=True) as meter:
        sd3()
    energy = meter.energy
    assert energy["guidance_scale"].tolist() == pytest.approx([5.0, 5.0], rel=1e-5)
    total = energy["kpe_unconditional"] + 25 * energy["kpe_apart"] + energy["guidance_work"]
    assert torch.allclose(total, energy["kpe"], rtol=1e-5)


def test_a_bare_scheduler_has_no_parts(diffusers):
    with pytest.raises(OptionError, match="has none called transformer or unet"):
        kinetic_diffusers.metered(diffusers.FlowMatchEulerDiscreteScheduler(), parts=True).__enter__()
