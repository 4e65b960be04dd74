"""Tiny pipelines of diffusers with random weights, their real classes, none of whose outputs is zero.

Each function gives a pipeline and the arguments of a call that makes two images.
"""

import diffusers as d
import torch


def seed():
    torch.manual_seed(0)


def drawn(g):
    return lambda *s: torch.randn(*s, generator=g)


def filled(net):
    g = torch.Generator().manual_seed(5)
    for p in net.parameters():
        if p.abs().sum() == 0:
            p.data = torch.randn(p.shape, generator=g) * 0.05
    return net.eval()


def vae(ch=4):
    seed()
    return d.AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",),
        up_block_types=("UpDecoderBlock2D",),
        block_out_channels=(4,),
        layers_per_block=1,
        latent_channels=ch,
        norm_num_groups=1,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.06,
        scaling_factor=1.5,
        sample_size=16,
    ).eval()


def sd3():
    seed()
    t = filled(
        d.SD3Transformer2DModel(
            sample_size=8,
            patch_size=1,
            in_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=32,
            pooled_projection_dim=64,
            out_channels=4,
        )
    )
    p = d.StableDiffusion3Pipeline(
        transformer=t,
        scheduler=d.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae(),
        text_encoder=None,
        tokenizer=None,
        text_encoder_2=None,
        tokenizer_2=None,
        text_encoder_3=None,
        tokenizer_3=None,
    )
    g = torch.Generator().manual_seed(1)
    e = drawn(g)
    return p, {
        "prompt_embeds": e(2, 5, 32),
        "negative_prompt_embeds": e(2, 5, 32),
        "pooled_prompt_embeds": e(2, 64),
        "negative_pooled_prompt_embeds": e(2, 64),
        "guidance_scale": 4.0,
        "height": 8,
        "width": 8,
    }


def flux():
    seed()
    t = filled(
        d.FluxTransformer2DModel(
            patch_size=1,
            in_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=[4, 4, 8],
            guidance_embeds=True,
        )
    )
    p = d.FluxPipeline(
        transformer=t,
        scheduler=d.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae(1),
        text_encoder=None,
        tokenizer=None,
        text_encoder_2=None,
        tokenizer_2=None,
    )
    g = torch.Generator().manual_seed(1)
    e = drawn(g)
    return p, {"prompt_embeds": e(2, 5, 32), "pooled_prompt_embeds": e(2, 32), "height": 8, "width": 8}


def lumina():
    seed()
    t = filled(
        d.Lumina2Transformer2DModel(
            sample_size=4,
            patch_size=2,
            in_channels=4,
            hidden_size=24,
            num_layers=2,
            num_refiner_layers=1,
            num_attention_heads=3,
            num_kv_heads=1,
            multiple_of=16,
            ffn_dim_multiplier=None,
            norm_eps=1e-5,
            scaling_factor=1.0,
            axes_dim_rope=(4, 2, 2),
            axes_lens=(128, 128, 128),
            cap_feat_dim=8,
        )
    )
    p = d.Lumina2Pipeline(
        transformer=t, scheduler=d.FlowMatchEulerDiscreteScheduler(), vae=vae(4), text_encoder=None, tokenizer=None
    )
    g = torch.Generator().manual_seed(1)
    e = drawn(g)
    return p, {
        "prompt_embeds": e(2, 5, 8),
        "prompt_attention_mask": torch.ones(2, 5, dtype=torch.long),
        "negative_prompt_embeds": e(2, 5, 8),
        "negative_prompt_attention_mask": torch.ones(2, 5, dtype=torch.long),
        "guidance_scale": 3.0,
        "height": 32,
        "width": 32,
    }


PIPELINES = {"sd3": sd3, "flux": flux, "lumina2": lumina}
