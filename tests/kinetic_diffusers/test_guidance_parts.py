import kinetic_diffusers
import pytest
import torch

from kinetic.errors import OptionError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
SCALES = {"sd3": 5.0, "flux_true_cfg": 4.0, "z_image": 4.0, "ltx": 3.0, "mochi": 4.5}  # z_image: c + 3 (c - u)
RESCALED = ("qwen_image", "lumina2")


def weighed(tiny, name, **more):
    pipeline = tiny(name)
    plain = pipeline(**more)
    with kinetic_diffusers.metered(pipeline.pipe, parts=True) as meter:
        assert torch.equal(pipeline(**more), plain)
    return meter


@pytest.mark.parametrize("name", SCALES)
def test_the_scale_of_guidance_is_recovered_and_the_parts_sum_to_the_energy(tiny, name):
    energy = weighed(tiny, name).energy
    w = SCALES[name]
    assert energy["guidance_scale"].tolist() == pytest.approx([w, w], rel=1e-5)
    assert bool((energy["guidance_residual"] < 1e-5).all())
    total = energy["kpe_conditional"] + (w - 1) ** 2 * energy["kpe_apart"] + energy["guidance_work"]
    assert torch.allclose(total, energy["kpe"], rtol=1e-5)


@pytest.mark.parametrize("name", RESCALED)
def test_rescaled_guidance_shows_in_the_residual(tiny, name):
    energy = weighed(tiny, name).energy
    assert bool((energy["guidance_residual"] > 1e-4).all())
    assert bool((energy["kpe_conditional"] > 0).all())


@pytest.mark.parametrize("scale", [1.5, 5.0])
def test_which_half_is_conditional_is_known_from_the_prompt(tiny, scale):
    """Without a negative prompt's effect: the conditional energy is that of the transformer with the prompt alone."""
    seen = []
    sd3 = tiny("sd3")
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
    assert "kpe_conditional" not in meter.energy
    assert "combines velocities" in " ".join(meter.notes)


def test_parts_of_heun_have_the_weights_of_its_stages(tiny, diffusers):
    sd3 = tiny("sd3", scheduler=diffusers.FlowMatchHeunDiscreteScheduler())
    with kinetic_diffusers.metered(sd3.pipe, parts=True) as meter:
        sd3()
    energy = meter.energy
    assert energy["guidance_scale"].tolist() == pytest.approx([5.0, 5.0], rel=1e-5)
    total = energy["kpe_conditional"] + 16 * energy["kpe_apart"] + energy["guidance_work"]
    assert torch.allclose(total, energy["kpe"], rtol=1e-5)


def test_a_bare_scheduler_has_no_parts(diffusers):
    with pytest.raises(OptionError, match="has none called transformer or unet"):
        kinetic_diffusers.metered(diffusers.FlowMatchEulerDiscreteScheduler(), parts=True).__enter__()
