"""Unmodified pipelines, weighed bit for bit, and shaped as a loop by hand would."""

import copy

import attrs
import pytest
import torch
from kinetic_diffusers import metered
from kinetic_energy import KPE
from kinetic_grids import Given
from kinetic_schedules import KTS, Constant
from kinetic_solvers import Euler

from kinetic import Runner, Schedule, VelocityField
from kinetic.errors import KineticError

pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = [
    "sd3", "flux", "flux, true guidance", "qwen-image", "z-image", "sana, dpm++ 2m", "wan, unipc", "wan, two experts",
    "ltx", "mochi", "lumina2",
]  # fmt: skip


@attrs.frozen(eq=False)
class Nothing(Schedule):
    breakpoints = ()

    def gain(self, t, x, v):
        return torch.zeros_like(t)


def recorded(scheduler):
    """Every call of a scheduler's step, by hand: (sigma, next sigma, sample, answer, previous sample)."""
    calls, own = [], type(scheduler).step

    def step(model_output, timestep, sample, **more):
        if scheduler.step_index is None:
            scheduler._init_step_index(timestep)
        i = scheduler.step_index
        kept = sample.clone()
        out = own(scheduler, model_output, timestep, sample, **more)
        calls.append((scheduler.sigmas[i], scheduler.sigmas[i + 1], kept, model_output.clone(), out[0].clone()))
        return out

    scheduler.step = step
    return calls


@pytest.mark.parametrize("name", NAMES)
def test_metering_changes_no_bit_and_gives_each_image_its_energy(tiny, draw, name):
    pipe, asked = tiny.PIPELINES[name]()
    plain, own = draw(pipe, asked), type(pipe.scheduler)
    with metered(pipe, parts=True) as meter:
        weighed = draw(pipe, asked)
    assert torch.equal(plain, weighed)
    assert type(pipe.scheduler) is own
    energy = meter.energy
    assert energy["kpe"].shape == (2,)
    assert (energy["kpe"] > 0).all()
    assert torch.allclose(energy["kpe"], energy["displacement"] + energy["bending"])
    assert (energy["nfe"] == 4).all()
    assert meter.table.column_names[:2] == ["image", "kpe"]
    assert torch.equal(draw(pipe, asked), plain)


@pytest.mark.parametrize("name", ["sd3", "flux", "flux, true guidance", "qwen-image", "z-image", "ltx", "lumina2"])
def test_the_energy_of_an_euler_pipeline_is_the_sum_by_hand(tiny, draw, name):
    pipe, asked = tiny.PIPELINES[name]()
    calls = recorded(pipe.scheduler)
    draw(pipe, asked)
    del pipe.scheduler.step
    kpe = sum(0.5 * float(s - n) * v.double().flatten(1).square().sum(1) for s, n, _, v, _ in calls)
    with metered(pipe) as meter:
        draw(pipe, asked)
    assert torch.allclose(meter.energy["kpe"], kpe, rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_gain_of_1_changes_no_bit_and_a_gain_of_0_moves_nothing(tiny, draw, name):
    pipe, asked = tiny.PIPELINES[name]()
    plain = draw(pipe, asked)
    with metered(pipe, schedule=Constant(value=1.0)):
        assert torch.equal(draw(pipe, asked), plain)
    with metered(pipe, schedule=Nothing()) as meter:
        draw(pipe, asked)
    assert (meter.energy["kpe"] <= 1e-10).all()
    assert (meter.energy["gain"] == 0).all()


@pytest.mark.parametrize("name", ["sd3", "flux", "mochi"])
def test_trajectory_shaping_is_that_of_a_loop_by_hand(tiny, draw, name):
    pipe, asked = tiny.PIPELINES[name]()
    kts = KTS(alpha=0.2, beta=0.04)
    plain = draw(pipe, asked)
    inverted = name == "mochi"
    own = type(pipe.scheduler).step

    def by_hand(model_output, timestep, sample, **more):
        if pipe.scheduler.step_index is None:
            pipe.scheduler._init_step_index(timestep)
        sigma = pipe.scheduler.sigmas[pipe.scheduler.step_index].double()
        gain = kts.gain((sigma if inverted else 1 - sigma).expand(len(sample)), sample, model_output)
        shaped = model_output * gain.to(model_output.dtype).view(-1, *[1] * (model_output.dim() - 1))
        return own(pipe.scheduler, shaped, timestep, sample, **more)

    pipe.scheduler.step = by_hand
    expected = draw(pipe, asked)
    del pipe.scheduler.step
    with metered(pipe, schedule=kts) as meter:
        shaped = draw(pipe, asked)
    assert torch.equal(shaped, expected)
    assert not torch.equal(shaped, plain)
    assert (meter.energy["gain"] != 1).all()


@attrs.frozen(eq=False)
class SD3Field(VelocityField):
    """The same transformer and guidance, asked by kinetic's own convention."""

    pipe: object
    asked: dict
    event_shape = torch.Size([4, 8, 8])

    def velocity(self, x, t, batch=None):
        ids = batch.ids
        embeds = torch.cat([self.asked["negative_prompt_embeds"][ids], self.asked["prompt_embeds"][ids]])
        pooled = torch.cat([self.asked["negative_pooled_prompt_embeds"][ids], self.asked["pooled_prompt_embeds"][ids]])
        both = self.pipe.transformer(
            hidden_states=torch.cat([x, x]), timestep=torch.cat([1000 * (1 - t)] * 2), encoder_hidden_states=embeds,
            pooled_projections=pooled, return_dict=False,
        )[0]  # fmt: skip
        free, conditional = both.chunk(2)
        return -(free + self.asked["guidance_scale"] * (conditional - free))


@pytest.mark.parametrize("schedule", [None, KTS(alpha=0.2, beta=0.04)])
def test_the_runner_on_the_same_grid_gives_the_same_samples_and_energies(tiny, draw, schedule):
    pipe, asked = tiny.sd3()
    from kinetic._sample.noise import noise

    latents = noise(0, range(2), (4, 8, 8))
    with metered(pipe, schedule=schedule) as meter:
        theirs = draw(pipe, asked, steps=6, latents=latents)
    grid = Given(times=[0.0, *(1 - pipe.scheduler.sigmas[1:-1].double()).tolist(), 1.0])
    runner = Runner(SD3Field(pipe, asked), Euler(steps=6, grid=grid), schedule, meters={"kpe": KPE()})
    run = runner.run(2)
    assert torch.allclose(run.samples, theirs, atol=1e-5)
    for column in ("kpe", "displacement", "bending"):
        assert torch.allclose(run.energy[column], meter.energy[column], rtol=1e-5, atol=1e-5)


def test_halves_of_guidance_add_up_to_what_is_travelled(tiny, draw):
    pipe, asked = tiny.sd3()
    with metered(pipe, parts=True) as meter:
        draw(pipe, asked)
    e, scale = meter.energy, asked["guidance_scale"]
    total = e["kpe_unconditional"] + scale**2 * e["kpe_apart"] + e["guidance_work"]
    assert torch.allclose(total, e["kpe"], rtol=1e-5)
    assert meter.notes == ()


def test_what_rescales_guidance_is_told_and_combined_velocities_leave_the_parts_out(tiny, draw):
    pipe, asked = tiny.qwen()
    with metered(pipe, parts=True) as meter:
        draw(pipe, asked)
    assert any("Guidance is more than a scale" in note for note in meter.notes)
    pipe, asked = tiny.wan()
    with metered(pipe, parts=True) as meter:
        draw(pipe, asked)
    assert "kpe_apart" not in meter.energy
    assert any("combines velocities of several steps" in note for note in meter.notes)
    assert any("was told times up to" in note for note in meter.notes)  # whole time steps


def test_a_pair_of_heun_is_one_step_of_two_velocities(tiny, draw, diffusers):
    pipe, asked = tiny.sd3()
    pipe.scheduler = diffusers.FlowMatchHeunDiscreteScheduler(shift=3.0)
    calls, own = [], diffusers.FlowMatchHeunDiscreteScheduler.step

    def step(model_output, timestep, sample, **more):
        calls.append(model_output.clone())
        return own(pipe.scheduler, model_output, timestep, sample, **more)

    pipe.scheduler.step = step
    plain = draw(pipe, asked, steps=3)
    del pipe.scheduler.step
    with metered(pipe) as meter:
        assert torch.equal(draw(pipe, asked, steps=3), plain)
    sigmas = pipe.scheduler.sigmas.double().unique().flip(0)
    half = [0.5 * v.double().flatten(1).square().sum(1) for v in calls]
    pairs = [(half[0] + half[1]) / 2, (half[2] + half[3]) / 2, half[4]]
    kpe = sum((a - b) * e for a, b, e in zip(sigmas[:-1], sigmas[1:], pairs, strict=True))
    assert torch.allclose(meter.energy["kpe"], kpe, rtol=1e-6)
    assert (meter.energy["nfe"] == 5).all()


def test_image_to_image_is_the_rest_of_a_path(tiny, draw, diffusers):
    pipe, asked = tiny.sd3()
    more = {name: value for name, value in asked.items() if name not in ("height", "width")}
    part = diffusers.StableDiffusion3Img2ImgPipeline(**pipe.components)
    part.image_processor = pipe.image_processor
    image = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    call = {**more, "image": image, "strength": 0.5, "height": 8, "width": 8}
    plain = draw(part, call)
    with metered(part) as meter:
        assert torch.equal(draw(part, call), plain)
    assert (meter.energy["t_start"] > 0.1).all()
    assert (meter.energy["t_end"] == 1).all()
    assert (meter.energy["bending"] >= -1e-9).all()  # with the displacement in the time there was
    assert any("their energy is that of this part" in note for note in meter.notes)


def test_two_calls_are_rows_one_after_the_other_and_copies_of_a_scheduler_are_paths_of_their_own(tiny, draw):
    pipe, asked = tiny.sd3()
    with metered(pipe) as meter:
        draw(pipe, asked)
        draw(pipe, asked)
    assert len(meter.energy["kpe"]) == 4
    assert torch.equal(meter.energy["kpe"][:2], meter.energy["kpe"][2:])
    x, other = torch.randn(2, 1, 3), torch.randn(2, 1, 3)
    with metered(pipe) as meter:  # video pipelines deep-copy a scheduler and step both in turn
        twin = copy.deepcopy(pipe.scheduler)
        for each in (pipe.scheduler, twin):
            each.set_timesteps(3)
        for t in pipe.scheduler.timesteps:
            x = pipe.scheduler.step(torch.ones_like(x), t, x, return_dict=False)[0]
            other = twin.step(2 * torch.ones_like(other), t, other, return_dict=False)[0]
    assert torch.allclose(meter.energy["kpe"], torch.tensor([1.5, 1.5, 6.0, 6.0], dtype=torch.float64))
    twin.set_timesteps(2)
    assert twin.step(x, twin.timesteps[0], x, return_dict=False)[0].shape == x.shape  # after the `with`, as it was


def scheduler_of(diffusers, name="FlowMatchEulerDiscreteScheduler", **config):
    class Pipe:
        pass

    pipe = Pipe()
    pipe.components = {"scheduler": getattr(diffusers, name)(**config)}
    return pipe, pipe.components["scheduler"]


def walk(scheduler, x, v, steps=4, edit=lambda x: x, **more):
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        x = scheduler.step(v, t, edit(x), return_dict=False, **more)[0]
    return x


def test_states_changed_between_steps_are_counted_and_take_bending_away(diffusers):
    pipe, scheduler = scheduler_of(diffusers)
    x, v = torch.zeros(2, 3), torch.ones(2, 3)
    row = torch.tensor([[1.0], [0.0]])  # inpainting blends one image
    with metered(pipe) as meter:
        walk(scheduler, x, v, edit=lambda x: x + row)
    assert meter.energy["edits"].tolist() == [3, 0]
    assert meter.energy["bending"].isnan().tolist() == [True, False]
    assert meter.table["displacement"].to_pylist()[0] is None
    assert torch.allclose(meter.energy["kpe"], torch.full((2,), 1.5, dtype=torch.float64))
    assert any("changed states between steps" in note for note in meter.notes)


def test_a_step_made_in_place_keeps_its_beginning(diffusers):
    pipe, scheduler = scheduler_of(diffusers)
    held = torch.zeros(2, 6)
    scheduler.set_timesteps(4)
    with metered(pipe) as meter:
        for t in scheduler.timesteps:  # Kandinsky 5 steps on a view and writes into it
            held[:, :3] = scheduler.step(torch.ones(2, 3), t, held[:, :3], return_dict=False)[0]
    assert torch.allclose(meter.energy["displacement"], torch.full((2,), 1.5, dtype=torch.float64))


def test_a_path_that_stops_early_says_when(diffusers):
    pipe, scheduler = scheduler_of(
        diffusers, "DPMSolverMultistepScheduler", use_flow_sigmas=True, prediction_type="flow_prediction",
        final_sigmas_type="sigma_min", algorithm_type="dpmsolver++",
    )  # fmt: skip
    with metered(pipe) as meter:
        walk(scheduler, torch.randn(2, 3), torch.ones(2, 3), steps=8)
    assert (meter.energy["t_end"] < 1).all()
    assert (meter.energy["kpe"] > 0).all()
    assert torch.allclose(meter.energy["bending"], torch.zeros(2, dtype=torch.float64), atol=1e-4)


def test_low_precision_is_metered_bit_for_bit_and_shaping_it_is_noted(tiny, draw):
    pipe, asked = tiny.sd3()
    with metered(pipe) as meter:
        draw(pipe, asked)
    full = meter.energy["kpe"]
    pipe.transformer.to(torch.bfloat16)
    asked = {k: v.to(torch.bfloat16) if isinstance(v, torch.Tensor) else v for k, v in asked.items()}
    plain = draw(pipe, asked)
    with metered(pipe) as meter:
        assert torch.equal(draw(pipe, asked), plain)
    assert plain.dtype == torch.bfloat16
    assert torch.allclose(meter.energy["kpe"], full, rtol=0.02)
    with metered(pipe, schedule=KTS(alpha=0.01, beta=0.0)) as meter:
        draw(pipe, asked)
    assert any("drown in their rounding" in note for note in meter.notes)


@pytest.mark.parametrize(
    ("name", "config", "words"),
    [
        ("FlowMatchEulerDiscreteScheduler", {"stochastic_sampling": True}, "draws noise as it goes"),
        ("DDIMScheduler", {}, "DDIMScheduler cannot be metered"),
        ("FlowMatchLCMScheduler", {}, "FlowMatchLCMScheduler cannot be metered"),
        ("UniPCMultistepScheduler", {}, "not set to a flow"),
        (
            "DPMSolverMultistepScheduler",
            {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "algorithm_type": "sde-dpmsolver++"},
            "draws noise as it goes",
        ),
    ],
)
def test_what_walks_no_ode_is_refused_by_an_allow_list(diffusers, name, config, words):
    pipe, _ = scheduler_of(diffusers, name, **config)
    with pytest.raises(KineticError, match=words), metered(pipe):
        pass


def test_noise_levels_above_1_times_by_token_and_noise_in_a_call_are_refused(diffusers):
    pipe, scheduler = scheduler_of(diffusers)
    x = torch.randn(2, 3)
    own = type(scheduler)
    scheduler.set_timesteps(sigmas=[80.0, 1.0])
    scheduler.sigmas = torch.tensor([80.0, 1.0, 0.0])  # Cosmos-2
    with pytest.raises(KineticError, match="rise to 80: a flow's lie in"), metered(pipe):
        scheduler.step(x, scheduler.timesteps[0], x)
    assert type(scheduler) is own
    with pytest.raises(KineticError, match="times token by token"), metered(pipe):
        walk(scheduler, x, x, per_token_timesteps=torch.ones(2, 3))
    with pytest.raises(KineticError, match="asked to add noise"), metered(pipe):
        walk(scheduler, x, x, s_churn=1.0)
    with pytest.raises(KineticError, match="is metered already"), metered(pipe), metered(pipe):
        pass
    assert type(scheduler) is own
    with pytest.raises(KineticError, match="has no scheduler"), metered(object.__new__(type("Bare", (), {}))):
        pass


def test_custom_times_that_are_not_the_noise_levels_are_noted(diffusers):
    pipe, scheduler = scheduler_of(diffusers, shift=3.0)
    with metered(pipe) as meter:
        scheduler.set_timesteps(timesteps=[1000.0, 500.0], sigmas=[1.0, 0.75])
        x = torch.zeros(1, 3)
        for t in scheduler.timesteps:
            x = scheduler.step(torch.ones(1, 3), t, x, return_dict=False)[0]
    told = bool(abs(float(scheduler.timesteps[1]) / 1000 - float(scheduler.sigmas[1])) > 1e-4)
    assert any("was told times up to" in note for note in meter.notes) == told
