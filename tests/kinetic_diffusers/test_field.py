"""Transformers of diffusers as fields, held against the pipelines they come from."""

import itertools
import json
import os

import pytest
import torch
from kinetic_diffusers import DiffusersField, metered
from kinetic_energy import KPE
from kinetic_fields import Guided
from kinetic_grids import Given
from kinetic_solvers import Euler
from safetensors.torch import load_file, save_file

from kinetic import Batch, Runner, testing
from kinetic._sample.noise import noise
from kinetic.errors import KineticError, MissingFileError, OptionError

pytestmark = pytest.mark.filterwarnings("ignore")


def saved(pipe, asked, folder, **more):
    """The field of a pipeline's transformer, its prompts after those of the negative ones where there are any."""
    pipe.transformer.save_pretrained(folder / "transformer")
    needs = ("prompt_embeds", "pooled_prompt_embeds", "prompt_attention_mask")
    rows = {
        name: torch.cat([asked[name], asked.get(f"negative_{name}", asked[name])]).contiguous()
        for name in needs
        if name in asked
    }
    save_file(rows, folder / "c.safetensors")
    return DiffusersField(pretrained=str(folder), conditions=str(folder / "c.safetensors"), **more)


@pytest.mark.parametrize("name", ["sd3", "flux", "lumina2"])
def test_euler_gives_the_samples_and_energies_of_the_pipeline(pipelines, draw, tmp_path, name):
    pipe, asked = pipelines.PIPELINES[name]()
    one = {"sd3": {"guidance_scale": 1.0}, "flux": {"guidance_scale": 3.5}, "lumina2": {"guidance_scale": 1.0}}[name]
    asked |= one
    size = 8 if name != "lumina2" else 4
    # Flux packs latents of 8 x 8 pixels, which its own autoencoder shrinks by two, into 16 tokens of 4 numbers
    shape = (1, 8, 8) if name == "flux" else (4, size, size)
    field = saved(pipe, asked, tmp_path, height=size, width=size, **({"guidance": 3.5} if name == "flux" else {}))
    assert field.event_shape == torch.Size(shape)
    testing.check_field(field, torch.arange(6) % 2, tolerance=1e-4)
    z = noise(0, range(2), shape)
    latents = z.view(2, 1, 4, 2, 4, 2).permute(0, 2, 4, 1, 3, 5).reshape(2, 16, 4) if name == "flux" else z
    energies, before = [], [latents.clone()]

    def add(pipe, k, timestep, tensors):
        """Half of |dx|^2 over the step's time: that of the velocity Euler took."""
        ends = pipe.scheduler.sigmas.double()[k : k + 2]
        moved = (tensors["latents"] - before.pop()).double().flatten(1)
        energies.append(moved.square().sum(1) / (2 * (ends[0] - ends[1])))
        before.append(tensors["latents"].clone())
        return {}

    summing = {"callback_on_step_end": add}
    with metered(pipe) as meter:
        theirs, by_hand = draw(pipe, asked, steps=5, latents=latents, **summing), sum(energies)
    grid = Given(times=[0.0, *(1 - pipe.scheduler.sigmas[1:-1].double()).tolist(), 1.0])
    run = Runner(field, Euler(steps=5, grid=grid), meters={"kpe": KPE()}).run(2, classes=2)
    ours = run.samples
    if name == "flux":
        ours = ours.view(2, 1, 4, 2, 4, 2).permute(0, 2, 4, 1, 3, 5).reshape(2, 16, 4)
    assert torch.allclose(ours, theirs, atol=2e-6)
    assert torch.allclose(run.energy["kpe"], by_hand, rtol=1e-5)
    assert torch.allclose(run.energy["kpe"], meter.energy["kpe"], rtol=1e-5)


def test_guidance_around_the_field_is_that_of_the_pipeline(pipelines, draw, tmp_path):
    pipe, asked = pipelines.sd3()
    embeds = {name: value for name, value in asked.items() if isinstance(value, torch.Tensor)}
    for name in ("negative_prompt_embeds", "negative_pooled_prompt_embeds"):
        embeds[name] = embeds[name][:1].expand_as(embeds[name]).contiguous()
    field = saved(pipe, embeds, tmp_path, null=2)
    with metered(pipe) as meter:
        theirs = draw(pipe, {**asked, **embeds}, latents=noise(0, range(2), (4, 8, 8)))
    grid = Given(times=[0.0, *(1 - pipe.scheduler.sigmas[1:-1].double()).tolist(), 1.0])
    guided = Runner(Guided(field, scale=4.0), Euler(steps=4, grid=grid), meters={"kpe": KPE()})
    run = guided.run(2, classes=2)
    assert torch.allclose(run.samples, theirs, atol=1e-5)
    assert torch.allclose(run.energy["kpe"], meter.energy["kpe"], rtol=1e-5)


@pytest.fixture
def dit(diffusers, tmp_path):
    """A tiny DiT that learns its variance, saved as the transformer of a pipeline."""
    torch.manual_seed(0)
    net = diffusers.DiTTransformer2DModel(
        sample_size=8, num_layers=1, patch_size=2, attention_head_dim=4, num_attention_heads=2, in_channels=4,
        out_channels=8, attention_bias=True, activation_fn="gelu-approximate", num_embeds_ada_norm=10,
        norm_type="ada_norm_zero", norm_elementwise_affine=False,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(5)
    for p in net.parameters():
        if p.abs().sum() == 0:
            p.data = torch.randn(p.shape, generator=generator) * 0.05
    net.eval().save_pretrained(tmp_path / "transformer")
    return net


def test_dit_goes_by_its_probability_flow(dit, tmp_path):
    net, generator = dit, torch.Generator().manual_seed(6)
    field = DiffusersField(pretrained=str(tmp_path), null=10)
    testing.check_field(field, torch.arange(6), tolerance=1e-4)
    assert "1000 betas" in field.time_map
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)
    y = torch.randn(3, 4, 8, 8, generator=generator)
    batch, steps = Batch(torch.arange(3), torch.tensor([1, 4, 7])), [900, 700, 500, 300, 100]
    a, b = kept.sqrt(), (1 - kept).sqrt()
    x = y / (a[900] + b[900]).float()
    for k, following in itertools.pairwise(steps):
        with torch.no_grad():
            e = net(y, torch.full((3,), k), class_labels=batch.condition).sample[:, :4]
        x1 = (y - b[k].float() * e) / a[k].float()
        y = a[following].float() * x1 + b[following].float() * e  # DDIM
        t0, t1 = (float(a[s] / (a[s] + b[s])) for s in (k, following))
        x = x + (t1 - t0) * field.velocity(x, torch.full((3,), t0), batch)
        assert torch.allclose(x, y / (a[following] + b[following]).float(), atol=2e-5)
    assert field.velocity(x, torch.full((3,), 0.5)).shape == x.shape


def test_euler_of_dit_gives_the_samples_and_energies_of_the_scheduler_of_its_pipeline(diffusers, dit, tmp_path):
    scheduler = diffusers.DDIMScheduler(clip_sample=False, timestep_spacing="leading", set_alpha_to_one=True)
    scheduler.save_pretrained(tmp_path / "scheduler")
    scheduler.set_timesteps(5)
    field = DiffusersField(pretrained=str(tmp_path), null=10)
    kept = scheduler.alphas_cumprod.double()
    t = [float(kept[k].sqrt() / (kept[k].sqrt() + (1 - kept[k]).sqrt())) for k in scheduler.timesteps] + [1.0]
    batch, x = Batch(torch.arange(3), torch.tensor([1, 4, 7])), torch.randn(3, 4, 8, 8)
    first = kept[scheduler.timesteps[0]]
    y = x * float(first.sqrt() + (1 - first).sqrt())
    kpe, by_hand = 0, 0
    for k, step in enumerate(scheduler.timesteps):
        a, b = kept[step].sqrt().float(), (1 - kept[step]).sqrt().float()
        with torch.no_grad():
            e = dit(y, step.expand(3), class_labels=batch.condition).sample[:, :4]
        x1 = (y - b * e) / a
        by_hand = by_hand + (t[k + 1] - t[k]) / 2 * (x1 - e).double().flatten(1).square().sum(1)  # dx/dt is x1 - e
        y = scheduler.step(e, step, y).prev_sample
        v = field.velocity(x, torch.full((3,), t[k]), batch)
        kpe = kpe + (t[k + 1] - t[k]) / 2 * v.double().flatten(1).square().sum(1)
        x = x + (t[k + 1] - t[k]) * v
    assert torch.allclose(x, y, rtol=1e-4, atol=1e-4)
    assert torch.allclose(kpe, by_hand, rtol=1e-4)


def test_dit_in_half_precision_rounds_what_it_is_told_and_not_what_moves(dit, tmp_path):
    """v = (x - e) / t: a state rounded to bfloat16 would be off by up to 2^-8 |x| / t, half of it at t = 0.01."""
    fields = [DiffusersField(pretrained=str(tmp_path), null=10, dtype=each) for each in ("float32", "bfloat16")]
    x, t = torch.randn(64, 4, 8, 8), torch.full((64,), 0.01)
    full, half = (t.view(-1, 1, 1, 1) * field.velocity(x, t) for field in fields)  # x - e
    with torch.no_grad():
        told = fields[1]._net((x * fields[1]._way.PATH.size(t).view(-1, 1, 1, 1)).bfloat16(),
                              timestep=fields[1]._way.PATH.time(t), class_labels=torch.full((64,), 10))  # fmt: skip
    assert torch.allclose(half, x - told.sample[:, :4].float(), atol=1e-6)
    assert (half - full).abs().max() < 0.05


def test_a_pipeline_of_another_noise_is_refused(diffusers, dit, tmp_path):
    diffusers.DDIMScheduler(beta_schedule="squaredcos_cap_v2").save_pretrained(tmp_path / "scheduler")
    with pytest.raises(OptionError, match=r"trained with {'beta_schedule': 'squaredcos_cap_v2'}, and is asked with"):
        DiffusersField(pretrained=str(tmp_path), null=10)
    diffusers.DDIMScheduler(prediction_type="v_prediction").save_pretrained(tmp_path / "scheduler")
    with pytest.raises(OptionError, match=r"trained with {'prediction_type': 'v_prediction'}"):
        DiffusersField(pretrained=str(tmp_path), null=10)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"guidance": 3.0}, "'guidance' is told to a distilled Flux and to no other one: 3.0"),
        ({"null": 11}, "'null' must be below 11, the number of rows: 11"),
        ({"height": 4, "width": 16}, r"'height' and 'width' must be alike, as DiT's latents are squares: \(4, 16\)"),
        ({"height": 4}, r"'height' and 'width' must be alike"),
    ],
)
def test_options_that_do_not_go_with_dit_are_named(dit, tmp_path, more, message):
    with pytest.raises(OptionError, match=message):
        DiffusersField(pretrained=str(tmp_path), **more)


def test_classes_need_no_prompts(dit, tmp_path):
    with pytest.raises(OptionError, match="'conditions' is for prompts"):
        DiffusersField(pretrained=str(tmp_path), conditions="c.safetensors")


def test_what_cannot_be_loaded_is_named(pipelines, diffusers, tmp_path):
    pipe, asked = pipelines.sd3()
    field = saved(pipe, asked, tmp_path)
    x, t = torch.randn(2, 4, 8, 8), torch.full((2,), 0.5)
    with pytest.raises(OptionError, match="'null' says no row"):
        field.velocity(x, t)
    with pytest.raises(OptionError, match="a row from 0 to 3"):
        field.velocity(x, t, Batch(torch.arange(2), torch.tensor([0, 4])))
    folder, conditions = str(tmp_path), str(tmp_path / "c.safetensors")
    with pytest.raises(OptionError, match="'conditions' must be given"):
        DiffusersField(pretrained=folder)
    save_file({"prompt_embeds": torch.zeros(2, 3)}, tmp_path / "less.safetensors")
    with pytest.raises(OptionError, match="'conditions' lacks pooled_prompt_embeds"):
        DiffusersField(pretrained=folder, conditions=str(tmp_path / "less.safetensors"))
    for made, words in (
        ({"prompt_embeds": (2, 5, 31), "pooled_prompt_embeds": (2, 64)}, r"prompt_embeds of shape \(2, 5, 31\)"),
        ({"prompt_embeds": (2, 5, 32), "pooled_prompt_embeds": (2, 5, 64)}, r"pooled_prompt_embeds of shape"),
        ({"prompt_embeds": (2, 5, 32), "pooled_prompt_embeds": (3, 64)}, "unlike numbers of prompts"),
    ):
        save_file({name: torch.zeros(shape) for name, shape in made.items()}, tmp_path / "un.safetensors")
        with pytest.raises(OptionError, match=words):
            DiffusersField(pretrained=folder, conditions=str(tmp_path / "un.safetensors"))
    with pytest.raises(KineticError, match="there is no"):
        DiffusersField(pretrained=str(tmp_path / "none"), conditions=conditions)
    with pytest.raises(OptionError, match="'null' must be below 4"):
        DiffusersField(pretrained=folder, conditions=conditions, null=4)
    with pytest.raises(OptionError, match="'guidance' is told to a distilled Flux and to no other one: 2"):
        DiffusersField(pretrained=folder, conditions=conditions, guidance=2.0)
    flux, more = pipelines.flux()
    with pytest.raises(OptionError, match="'guidance' is told to a distilled Flux"):
        saved(flux, more, tmp_path / "flux", height=8, width=8)
    with pytest.raises(OptionError, match=r"'width' must be a multiple of 2, .*: 9"):
        saved(flux, more, tmp_path / "flux", height=8, width=9, guidance=3.5)
    config = tmp_path / "transformer" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "_class_name": "UNet2DModel"}))
    with pytest.raises(OptionError, match="'pretrained' is a 'UNet2DModel'; known are"):
        DiffusersField(pretrained=folder, conditions=conditions)


@pytest.fixture
def part(pipelines, tmp_path):
    """The folder of a transformer, and the field of it."""
    pipe, asked = pipelines.sd3()
    saved(pipe, asked, tmp_path)
    return tmp_path / "transformer", lambda: DiffusersField(
        pretrained=str(tmp_path), conditions=str(tmp_path / "c.safetensors")
    )


WEIGHTS, INDEX = "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json"


def test_no_tensor_is_left_at_random(part):
    """Where some are missing diffusers itself warns, and goes on with random ones."""
    folder, field = part
    whole = load_file(folder / WEIGHTS)
    first = next(iter(whole))
    save_file({name: each for name, each in whole.items() if name != first}, folder / WEIGHTS)
    with pytest.raises(
        OptionError, match=f"does not hold the tensors of SD3Transformer2DModel: .*: 1 missing: {first}\n"
    ):
        field()
    save_file({f"model.{name}": each for name, each in whole.items()}, folder / WEIGHTS)
    n = len(whole)
    with pytest.raises(OptionError, match=rf": {n} missing: .*, \.\.\.; {n} unexpected: model\."):
        field()
    save_file({**whole, first: torch.zeros(1)}, folder / WEIGHTS)
    with pytest.raises(OptionError, match=rf"'pretrained' cannot be loaded as safetensors: .*{first}"):
        field()
    (folder / WEIGHTS).unlink()
    with pytest.raises(OptionError, match="'pretrained' cannot be loaded as safetensors"):
        field()


def test_weights_that_are_a_pipe_are_refused_and_not_waited_for(part):
    folder, field = part
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)
    with pytest.raises(MissingFileError, match=r"^pretrained: '.*safetensors' is neither a file nor a folder\n"):
        field()


def test_an_index_names_safetensors_files_in_its_folder_alone(part, trap, marker):
    folder, field = part
    whole = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).rename(folder / "a.safetensors")
    torch.save({"x": trap}, folder / "evil.bin")
    torch.save({"x": trap}, folder.parent / "out.safetensors")
    for name in ("evil.bin", "../out.safetensors", str(folder.parent / "out.safetensors")):
        (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": dict.fromkeys(whole, name)}))
        with pytest.raises(OptionError, match=r"'pretrained' must name safetensors files in its folder alone: .* nam"):
            field()
    (folder / INDEX).write_text("{}")
    with pytest.raises(OptionError, match="'pretrained' has an index without a weight_map"):
        field()
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": dict.fromkeys(whole, "a.safetensors")}))
    assert field().event_shape
    assert not marker.exists()


def test_a_quantised_transformer_is_refused(part):
    folder, field = part
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(OptionError, match="'pretrained' is quantised, which has diffusers load the library that"):
        field()


def test_a_pickle_beside_the_config_is_not_loaded(pipelines, trap, marker, tmp_path):
    pipe, asked = pipelines.sd3()
    saved(pipe, asked, tmp_path)
    (tmp_path / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save({"x": trap}, tmp_path / "transformer" / "diffusion_pytorch_model.bin")
    with pytest.raises(OptionError, match="cannot be loaded as safetensors"):
        DiffusersField(pretrained=str(tmp_path), conditions=str(tmp_path / "c.safetensors"))
    assert not marker.exists()
