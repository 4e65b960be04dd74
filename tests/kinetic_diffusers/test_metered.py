"""Ten pipelines as they are: the same images, energies of their own, shaped as a loop by hand would."""

import copy
import re
import sys
from pathlib import Path as File

import attrs
import kinetic_diffusers
import pytest
import torch
from kinetic_diffusers.allowed import ALLOWED
from kinetic_diffusers.guidance_parts import MEANS, PARTS
from kinetic_energy import KPE, GuidanceEnergy, Path, PowerProfile
from kinetic_grids import Given
from kinetic_schedules import KTS, Constant
from kinetic_solvers import Euler

import kinetic
from kinetic.errors import MissingPackageError, OptionError

ROOT = File(__file__).parent.parent.parent
ROWS = 2  # of every call
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")


def test_images_are_the_same_bit_for_bit_and_each_has_its_energy(one_of_ten):
    plain = one_of_ten()
    scheduler = type(one_of_ten.pipe.scheduler)
    with kinetic_diffusers.metered(one_of_ten.pipe) as meter:
        metered, again = one_of_ten(), one_of_ten()
    assert torch.equal(plain, metered)
    assert torch.equal(plain, again)
    assert type(one_of_ten.pipe.scheduler) is scheduler
    energy = meter.energy
    assert energy["path"].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert energy["kpe"].shape == (4,)
    assert bool((energy["kpe"] > 0).all())
    assert bool((energy["bending"] >= -1e-6 * energy["kpe"]).all())
    assert energy["edits"].tolist() == [0.0] * 4
    assert torch.equal(energy["kpe"][:2], energy["kpe"][2:])


def test_a_gain_of_one_changes_no_bit_and_a_gain_of_nought_moves_nothing(one_of_ten):
    plain = one_of_ten()
    with kinetic_diffusers.metered(one_of_ten.pipe, Constant(1.0)) as meter:
        assert torch.equal(one_of_ten(), plain)
    with kinetic_diffusers.metered(one_of_ten.pipe, Constant(0.0)) as still:
        one_of_ten()
    assert bool((still.energy["kpe"] <= 1e-10).all())
    assert torch.allclose(meter.energy["gain"], meter.energy["t_end"])
    assert torch.allclose(still.energy["gain"], still.energy["t_start"])


def test_a_schedule_moves_images_as_a_scheduler_changed_by_hand_does(one_of_ten, monkeypatch):
    plain, scheduler, shaping = one_of_ten(), one_of_ten.pipe.scheduler, KTS(alpha=0.05, beta=0.04)
    with kinetic_diffusers.metered(one_of_ten.pipe, shaping) as meter:
        shaped = one_of_ten()
    original = type(scheduler).step

    def by_hand(model_output, timestep, sample, **more):
        sigma = scheduler.sigmas[scheduler.step_index or 0]
        t = sigma if scheduler.config.get("invert_sigmas") else 1 - sigma
        gain = 1 + 0.05 * (1 - t / 0.6) if t < 0.6 else 1 - 0.04 * torch.expm1(3 * (t - 0.6) / 0.4)
        return original(scheduler, model_output * gain, timestep, sample, **more)

    monkeypatch.setattr(scheduler, "step", by_hand)
    expected = one_of_ten()
    moved = (shaped - plain).abs().max()
    assert moved > 1e-3
    assert (shaped - expected).abs().max() < 1e-3 * moved
    assert bool((meter.energy["gain"] != 1).all())


@pytest.mark.parametrize("schedule", [None, KTS(alpha=0.05, beta=0.04)])
def test_a_pipeline_is_weighed_as_the_runner_weighs_its_transformer(tiny, schedule):
    """The same noise, grid, guidance and gain: states to 1e-6, energies to 1e-6 of their size."""
    sd3 = tiny("sd3")
    x0 = torch.randn(ROWS, 4, 2, 2)
    with kinetic_diffusers.metered(sd3.pipe, schedule) as meter:
        x1 = sd3(latents=x0)
    times = tuple((1 - sd3.pipe.scheduler.sigmas.double()).tolist())
    field = Guided(sd3.pipe.transformer, sd3.arguments, x0)
    run = kinetic.Runner(
        field=field, solver=Euler(steps=len(times) - 1, grid=Given(times=times)), schedule=schedule, meters={"k": KPE()}
    ).run(ROWS, start=x0, device="cpu")
    assert (run.samples - x1).abs().max() <= 1e-6 * x1.abs().max()
    for name in ("kpe", "early", "late", "displacement", "x0_sq", "x0_dot_x1", "x1_sq", "nfe"):
        assert torch.allclose(meter.energy[name], run.energy[name], rtol=1e-6), name
    if schedule is not None:
        assert torch.allclose(meter.energy["gain"], run.energy["gain"], atol=1e-6)


@attrs.frozen(eq=False)
class Guided(kinetic.VelocityField):
    """The velocity of an SD3 transformer: noise - data at 1000 (1 - t), guided, both halves in one batch."""

    net: torch.nn.Module
    arguments: dict
    x0: torch.Tensor

    @property
    def event_shape(self):
        return self.x0.shape[1:]

    def velocity(self, x, t, batch=None):
        prompts, pooled = (
            torch.cat([self.arguments[f"{prefix}{key}"][batch.ids] for prefix in ("negative_", "")])
            for key in ("prompt_embeds", "pooled_prompt_embeds")
        )
        time = 1000 * (1 - t).repeat(2)
        with torch.no_grad():
            without, with_prompt = self.net(x.repeat(2, 1, 1, 1), prompts, pooled, time).sample.chunk(2)
        return -(without + self.arguments["guidance_scale"] * (with_prompt - without))


def test_image_to_image_begins_late_and_its_straight_path_is_that_of_the_time_it_takes(tiny):
    img2img, states = tiny("sd3_img2img"), []
    step = img2img.pipe.scheduler.step
    plain = img2img()
    with kinetic_diffusers.metered(img2img.pipe) as meter:
        stepping = img2img.pipe.scheduler.step

        def seen(model_output, timestep, sample, **more):
            states.append(sample.clone())
            return stepping(model_output, timestep, sample, **more)

        img2img.pipe.scheduler.step = seen
        assert torch.equal(img2img(), plain)
        del img2img.pipe.scheduler.step
    assert img2img.pipe.scheduler.step == step
    start = 1 - float(img2img.pipe.scheduler.sigmas[2])  # strength 0.6 of 5 steps leaves out 2
    assert meter.energy["t_start"].tolist() == pytest.approx([start] * ROWS)
    straight = (plain - states[0]).double().square().flatten(1).sum(1) / (2 * (1 - start))
    assert torch.allclose(meter.energy["displacement"], straight)
    assert bool((meter.energy["bending"] >= 0).all())
    assert "begin at t" in " ".join(meter.notes)


def test_a_callback_that_edits_states_is_counted_and_what_joins_the_ends_is_null(tiny):
    sd3 = tiny("sd3")

    def edit(pipe, i, t, values):
        if i == 1:
            values["latents"][0, 0] += 1  # in place: one image of two
        return values

    with kinetic_diffusers.metered(sd3.pipe) as meter:
        sd3(callback_on_step_end=edit)
        sd3()
    assert meter.energy["edits"].tolist() == [1.0, 0.0, 0.0, 0.0]
    for name in ("bending", "displacement"):
        assert [value is None for value in meter.table[name].to_pylist()] == [True, False, False, False]
    assert None not in meter.table["kpe"].to_pylist()
    assert "1 of 4 samples were moved between steps" in " ".join(meter.notes)


def test_inpainting_blends_states_between_steps_which_is_an_edit(tiny):
    inpaint = tiny("sd3_inpaint")
    plain = inpaint()
    with kinetic_diffusers.metered(inpaint.pipe) as meter:
        assert torch.equal(inpaint(), plain)
    assert meter.energy["edits"].tolist() == [3.0] * ROWS  # between 4 steps
    assert bool(meter.energy["bending"].isnan().all())
    assert bool((meter.energy["kpe"] > 0).all())


GUIDERS = {
    "ClassifierFreeGuidance": {},
    "ClassifierFreeZeroStarGuidance": {},
    "AdaptiveProjectedGuidance": {"eta": 0.0},  # without the part along the conditional velocity
    "AdaptiveProjectedMixGuidance": {},
}


@pytest.mark.parametrize("guider", GUIDERS)
def test_modular_pipelines_with_guiders_are_weighed_as_they_are(tiny, guider):
    modular = tiny("sd3_modular", guider=guider, **GUIDERS[guider])
    plain = modular()
    with kinetic_diffusers.metered(modular.pipe, parts=True) as meter:
        assert torch.equal(modular(), plain)
    assert bool((meter.energy["kpe"] > 0).all())
    assert meter.energy["edits"].tolist() == [0.0] * ROWS
    if guider == "ClassifierFreeGuidance":
        assert meter.energy["guidance_scale"].tolist() == pytest.approx([5.0] * ROWS, rel=1e-5)
        assert bool((meter.energy["guidance_residual"] < 1e-5).all())
    elif guider == "AdaptiveProjectedGuidance":
        assert bool((meter.energy["guidance_residual"] > 1e-4).all())


def test_guidance_over_an_interval_leaves_parts_out_and_the_energy_in(tiny):
    modular = tiny("sd3_modular", start=0.2, stop=0.8)
    plain = modular()
    with kinetic_diffusers.metered(modular.pipe, parts=True) as meter:
        assert torch.equal(modular(), plain)
    assert bool((meter.energy["kpe"] > 0).all())
    assert bool(meter.energy["kpe_apart"].isnan().all())
    assert "two make guidance" in " ".join(meter.notes)


def test_classes_are_as_they_were_after_an_error(tiny):
    sd3 = tiny("sd3")
    before = type(sd3.pipe.scheduler)

    def stop(pipe, i, t, values):
        raise KeyError("stop")

    with pytest.raises(KeyError), kinetic_diffusers.metered(sd3.pipe):
        sd3(callback_on_step_end=stop)
    assert type(sd3.pipe.scheduler) is before
    with kinetic_diffusers.metered(sd3.pipe, parts=True) as meter:
        sd3()
    assert not sd3.pipe.transformer._forward_hooks
    assert meter.energy["kpe"].shape == (ROWS,)


def test_one_with_at_a_time_weighs_a_pipeline(tiny):
    sd3 = tiny("sd3")
    with kinetic_diffusers.metered(sd3.pipe) as meter:
        with pytest.raises(OptionError, match="metered already"), kinetic_diffusers.metered(sd3.pipe):
            pass
        sd3()
    assert meter.energy["kpe"].shape == (ROWS,)


def test_copies_of_a_scheduler_are_weighed_apart_and_work_on_afterwards(diffusers):
    """As pipelines do that move sound beside pictures: a copy of the scheduler, and the steps of both by turns."""
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    x, y = torch.randn(2, 3), torch.randn(1, 5)
    with kinetic_diffusers.metered(scheduler) as meter:
        scheduler.set_timesteps(4)
        other = copy.deepcopy(scheduler)
        for t in scheduler.timesteps:
            x = scheduler.step(x, t, x).prev_sample
            y = other.step(y, t, y, return_dict=False)[0]
    assert meter.energy["path"].tolist() == [0.0, 0.0, 1.0]
    assert "Several schedulers" in " ".join(meter.notes)
    assert type(other) is type(scheduler) is diffusers.FlowMatchEulerDiscreteScheduler
    other.set_timesteps(2)
    other.step(y, other.timesteps[0], y)
    assert meter.energy["kpe"].shape == (3,)


def test_an_unused_copy_made_inside_can_be_weighed_later(diffusers):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    with kinetic_diffusers.metered(scheduler) as first:
        other = copy.deepcopy(scheduler)
    with kinetic_diffusers.metered(other) as meter:
        walk(other, torch.randn(2, 3))
    assert first.energy == {}
    assert "no step was made" in " ".join(first.notes)
    assert meter.energy["kpe"].shape == (2,)


def test_states_written_in_place_are_weighed_as_they_were(diffusers):
    """As pipelines do that step on a view of their latents."""
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    latents, v = torch.randn(2, 3, 6), torch.randn(2, 3, 4)
    before = latents[..., :4].clone()
    with kinetic_diffusers.metered(scheduler) as meter:
        scheduler.set_timesteps(4)
        for t in scheduler.timesteps:
            latents[..., :4] = scheduler.step(v, t, latents[..., :4], return_dict=False)[0]
    half = 0.5 * (latents[..., :4] - before).double().square().flatten(1).sum(1)
    assert torch.allclose(meter.energy["displacement"], half)
    assert torch.allclose(meter.energy["kpe"], half)  # a constant velocity goes straight on
    assert meter.energy["edits"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_the_same_bit_for_bit_and_says_what_a_gain_loses(tiny, dtype):
    whole, half = tiny("sd3"), tiny("sd3")
    half.pipe.to(dtype)
    cast = {name: x.to(dtype) for name, x in half.arguments.items() if isinstance(x, torch.Tensor)}
    x0 = torch.randn(ROWS, 4, 2, 2)
    plain = half(latents=x0.to(dtype), **cast)
    with kinetic_diffusers.metered(whole.pipe) as exact:
        whole(latents=x0)
    with kinetic_diffusers.metered(half.pipe) as meter:
        assert torch.equal(half(latents=x0.to(dtype), **cast), plain)
    assert plain.dtype == dtype
    assert torch.allclose(meter.energy["kpe"], exact.energy["kpe"], rtol=0.02)
    assert meter.energy["edits"].tolist() == [0.0] * ROWS
    assert meter.notes == ()
    with kinetic_diffusers.metered(half.pipe, KTS()) as shaped:
        assert half(**cast).dtype == dtype
    assert f"rounded to {dtype}" in " ".join(shaped.notes)


@pytest.mark.parametrize("pipe", [object(), "sd3", None])
def test_what_has_no_scheduler_is_refused(diffusers, pipe):
    with pytest.raises(OptionError, match="must be a pipeline of diffusers, or a scheduler"):
        kinetic_diffusers.metered(pipe).__enter__()


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(MissingPackageError, match=r"pip install kinetic-flow\[diffusers\]"):
        kinetic_diffusers.metered(object()).__enter__()


def test_meters_of_all_kinds_are_asked(tiny):
    sd3 = tiny("sd3")
    with kinetic_diffusers.metered(sd3.pipe, meters={"path": Path(), "power": PowerProfile(bins=4)}) as meter:
        sd3()
    assert meter.energy["power"].shape == (ROWS, 4)
    assert bool((meter.energy["length"] > 0).all())
    assert len(meter.table["power"].to_pylist()[0]) == 4
    with kinetic_diffusers.metered(sd3.pipe, meters={"mine": GuidanceEnergy()}, parts=True) as meter:
        sd3()
    assert bool((meter.energy["kpe_apart"] > 0).all())
    with pytest.raises(OptionError, match="'meters' must map names"):
        kinetic_diffusers.metered(sd3.pipe, meters=[KPE()]).__enter__()


def test_the_lines_of_the_page_run_on_a_real_pipeline(tiny, capsys):
    page = (ROOT / "docs" / "pipelines.md").read_text()
    (code,) = re.findall(r"```python pipeline\n(.*?)```", page, re.DOTALL)
    sd3 = tiny("sd3")
    exec(compile(code, "page", "exec"), {"pipe": sd3.pipe, "prompts": sd3.arguments | {"output_type": "latent"}})
    assert "kpe: double" in capsys.readouterr().out


def test_the_page_has_every_scheduler_of_the_list():
    page = (ROOT / "docs" / "pipelines.md").read_text()
    assert not [name for name in ALLOWED if f"`{name}`" not in page]
    assert not [name for name in (*PARTS, *MEANS) if f"`{name}`" not in page]


def walk(scheduler, x):
    scheduler.set_timesteps(4)
    for t in scheduler.timesteps:
        x = scheduler.step(-x, t, x, return_dict=False)[0]
    return x
