"""Tiny random instances of real pipelines, called as users call them; skipped where diffusers does not import."""

import importlib.util
import warnings
from pathlib import Path

import attrs
import pytest
import torch

NONE = dict.fromkeys(("text_encoder", "tokenizer"))
ROWS = 2


@attrs.frozen
class Pipeline:
    """A pipeline, and what it is called with."""

    pipe: object
    arguments: dict
    output: str | None = "images"

    def __call__(self, **more):
        """The latents that it makes of one seed."""
        generator = torch.Generator().manual_seed(1)
        if self.output is None:  # a modular pipeline
            return self.pipe(**{"generator": generator, **self.arguments, **more})
        made = self.pipe(**{"output_type": "latent", "generator": generator, **self.arguments, **more})
        return getattr(made, self.output)


def embeds(*shape, prefixes=("", "negative_"), key="prompt_embeds", mask=None):
    made = {f"{prefix}{key}": torch.randn(ROWS, *shape) for prefix in prefixes}
    if mask:
        made |= {f"{prefix}{mask}": torch.ones(ROWS, shape[0], dtype=torch.bool) for prefix in prefixes}
    return made


def euler(d, **more):
    return d.FlowMatchEulerDiscreteScheduler(**more)


def tiny_vae(d, channels=4):
    return d.AutoencoderKL(
        sample_size=32,
        block_out_channels=(4,),
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=1,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.06,
        scaling_factor=1.5,
    )


def sd3(d, cls="StableDiffusion3Pipeline", channels=4, scheduler=None):
    text = {f"{part}{i}": None for part in NONE for i in ("", "_2", "_3")}
    parts = {"transformer": sd3_transformer(d, channels), "vae": tiny_vae(d, channels)}
    pipe = getattr(d, cls)(scheduler=scheduler or euler(d, shift=3.0), **parts, **text)
    arguments = embeds(5, 16) | embeds(16, key="pooled_prompt_embeds") | {"num_inference_steps": 4}
    return pipe, arguments | {"guidance_scale": 5.0, "height": 16, "width": 16}, "images"


def sd3_transformer(d, channels):
    return d.SD3Transformer2DModel(
        sample_size=32,
        patch_size=1,
        in_channels=channels,
        out_channels=channels,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        caption_projection_dim=16,
        joint_attention_dim=16,
        pooled_projection_dim=16,
    )


def sd3_img2img(d):
    pipe, arguments, output = sd3(d, "StableDiffusion3Img2ImgPipeline")
    return pipe, arguments | {"image": torch.rand(ROWS, 3, 16, 16), "strength": 0.6, "num_inference_steps": 5}, output


def sd3_inpaint(d):
    pipe, arguments, output = sd3(d, "StableDiffusion3InpaintPipeline", channels=16)
    mask = torch.zeros(ROWS, 1, 16, 16)
    mask[..., 8:] = 1
    image = {"image": torch.rand(ROWS, 3, 16, 16), "mask_image": mask, "strength": 1.0}
    return pipe, arguments | image, output


def sd3_modular(d, guider="ClassifierFreeGuidance", **options):
    blocks = importlib.import_module("diffusers.modular_pipelines.stable_diffusion_3.modular_blocks_stable_diffusion_3")
    pipe = blocks.StableDiffusion3T2ICoreDenoiseStep().init_pipeline()
    parts = {"transformer": sd3_transformer(d, 4), "scheduler": euler(d, shift=3.0)}
    pipe.update_components(**parts, guider=getattr(d, guider)(guidance_scale=5.0, **options))
    arguments = embeds(5, 16) | embeds(16, key="pooled_prompt_embeds") | {"num_inference_steps": 4}
    return pipe, arguments | {"height": 16, "width": 16, "output": "latents"}, None


def flux(d, **more):
    transformer = d.FluxTransformer2DModel(
        patch_size=1,
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        axes_dims_rope=[4, 4, 8],
    )
    scheduler = euler(d, shift=3.0, use_dynamic_shifting=True)
    text = {f"{part}{i}": None for part in NONE for i in ("", "_2")}
    pipe = d.FluxPipeline(transformer=transformer, vae=None, scheduler=scheduler, **text)
    prefixes = ("", "negative_") if more else ("",)
    arguments = embeds(5, 16, prefixes=prefixes) | embeds(16, prefixes=prefixes, key="pooled_prompt_embeds")
    return pipe, arguments | {"num_inference_steps": 4, "height": 64, "width": 64, **more}, "images"


def flux_true_cfg(d):
    return flux(d, true_cfg_scale=4.0)


def qwen_image(d):
    transformer = d.QwenImageTransformer2DModel(
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(8, 4, 4),
    )
    scheduler = euler(d, use_dynamic_shifting=True, shift_terminal=0.02)
    pipe = d.QwenImagePipeline(transformer=transformer, vae=None, scheduler=scheduler, **NONE)
    arguments = embeds(6, 16, mask="prompt_embeds_mask")
    return pipe, arguments | {"true_cfg_scale": 3.0, "num_inference_steps": 4, "height": 64, "width": 64}, "images"


def z_image(d):
    transformer = d.ZImageTransformer2DModel(
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=4,
        dim=32,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[8, 4, 4],
        axes_lens=[256, 32, 32],
    )
    with torch.no_grad():  # the package leaves both as they are in memory
        transformer.x_pad_token.fill_(1)
        transformer.cap_pad_token.fill_(1)
    pipe = d.ZImagePipeline(transformer=transformer, vae=None, scheduler=euler(d, shift=3.0), **NONE)
    text = {f"{prefix}prompt_embeds": [torch.randn(6, 16) for _ in range(ROWS)] for prefix in ("", "negative_")}
    return pipe, text | {"guidance_scale": 3.0, "num_inference_steps": 4, "height": 64, "width": 64}, "images"


def sana(d, scheduler=None):
    transformer = d.SanaTransformer2DModel(
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=4,
        num_cross_attention_heads=2,
        cross_attention_head_dim=4,
        cross_attention_dim=8,
        caption_channels=8,
        sample_size=32,
    )
    scheduler = scheduler or d.DPMSolverMultistepScheduler(
        use_flow_sigmas=True, prediction_type="flow_prediction", flow_shift=3.0
    )
    pipe = d.SanaPipeline(transformer=transformer, vae=None, scheduler=scheduler, **NONE)
    arguments = embeds(6, 8, mask="prompt_attention_mask") | {"use_resolution_binning": False, "negative_prompt": None}
    return pipe, arguments | {"num_inference_steps": 6, "height": 256, "width": 256}, "images"


def wan(d, scheduler=None):
    made = [
        d.WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=4,
            out_channels=4,
            text_dim=16,
            freq_dim=32,
            ffn_dim=32,
            num_layers=1,
            rope_max_seq_len=32,
        )
        for _ in range(2)
    ]
    scheduler = scheduler or d.UniPCMultistepScheduler(
        use_flow_sigmas=True, prediction_type="flow_prediction", flow_shift=3.0
    )
    parts = {"transformer": made[0], "transformer_2": made[1], "boundary_ratio": 0.6}
    pipe = d.WanPipeline(vae=None, scheduler=scheduler, **parts, **NONE)
    size = {"height": 32, "width": 32, "num_frames": 5, "num_inference_steps": 6}
    return pipe, embeds(6, 16) | size, "frames"


def ltx(d):
    transformer = d.LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        num_layers=1,
        caption_channels=16,
    )
    scheduler = euler(d, use_dynamic_shifting=True, shift_terminal=0.1)
    pipe = d.LTXPipeline(transformer=transformer, vae=None, scheduler=scheduler, **NONE)
    size = {"height": 64, "width": 64, "num_frames": 9, "num_inference_steps": 4}
    return pipe, embeds(6, 16, mask="prompt_attention_mask") | size, "frames"


def mochi(d):
    transformer = d.MochiTransformer3DModel(
        patch_size=2,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        pooled_projection_dim=16,
        in_channels=4,
        text_embed_dim=16,
        time_embed_dim=4,
        max_sequence_length=16,
    )
    torch.nn.init.normal_(transformer.pos_frequencies, std=0.1)
    pipe = d.MochiPipeline(transformer=transformer, vae=None, scheduler=euler(d, invert_sigmas=True), **NONE)
    size = {"height": 32, "width": 32, "num_frames": 7, "num_inference_steps": 4}
    return pipe, embeds(16, 16, mask="prompt_attention_mask") | size, "frames"


def lumina2(d):
    transformer = d.Lumina2Transformer2DModel(
        sample_size=4,
        patch_size=2,
        in_channels=4,
        hidden_size=8,
        num_layers=1,
        num_attention_heads=1,
        num_kv_heads=1,
        multiple_of=16,
        scaling_factor=1.0,
        axes_dim_rope=[4, 2, 2],
        cap_feat_dim=8,
    )
    scheduler = euler(d, use_dynamic_shifting=True)
    pipe = d.Lumina2Pipeline(transformer=transformer, vae=None, scheduler=scheduler, **NONE)
    size = {"height": 64, "width": 64, "num_inference_steps": 4}
    return pipe, embeds(6, 8, mask="prompt_attention_mask") | size, "images"


TEN = (sd3, flux, flux_true_cfg, qwen_image, z_image, sana, wan, ltx, mochi, lumina2)


@pytest.fixture(scope="session")
def diffusers():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("diffusers", reason="diffusers is an extra: pip install kinetic-flow[diffusers]")
        if not hasattr(package, "FlowMatchEulerDiscreteScheduler"):
            pytest.skip("this diffusers imports without its schedulers")
        package.utils.logging.set_verbosity_error()
    return package


@pytest.fixture
def tiny(diffusers):
    """`tiny(name, **options)`: a `Pipeline` of random weights, all of them other than 0."""

    def build(name, **more):
        with warnings.catch_warnings(), torch.random.fork_rng():
            warnings.simplefilter("ignore")
            torch.manual_seed(0)
            try:
                pipe, arguments, output = globals()[name](diffusers, **more)
            except (ImportError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and "Failed to import" not in str(error):
                    raise
                pytest.skip(f"this pipeline does not import here: {error}")
            for part in pipe.components.values():
                if isinstance(part, torch.nn.Module):
                    _fill(part.eval())
            pipe.set_progress_bar_config(disable=True)
        return Pipeline(pipe, arguments, output)

    return build


def _fill(net):
    for each in net.parameters():
        if not each.any():
            torch.nn.init.normal_(each, std=0.05)


@pytest.fixture(params=TEN, ids=lambda each: each.__name__)
def one_of_ten(request, tiny):
    return tiny(request.param.__name__)


@pytest.fixture(scope="session")
def pipelines(diffusers):
    """Pipelines whose transformers are fields too: those of pipelines.py."""
    spec = importlib.util.spec_from_file_location("tiny_pipelines", Path(__file__).parent / "pipelines.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def draw():
    """draw(pipe, asked): the latents that a call makes, always from the same noise."""

    def call(pipe, asked, steps=4, **more):
        pipe.set_progress_bar_config(disable=True)
        generator = torch.Generator().manual_seed(3)
        given = {"num_inference_steps": steps, "generator": generator, "output_type": "latent", **asked, **more}
        out = pipe(**given)
        return out.images if hasattr(out, "images") else out.frames

    return call
