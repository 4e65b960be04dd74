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


def vae(ch=4, **k):
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
        **k,
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


def flux(true_cfg=False):
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
            guidance_embeds=not true_cfg,
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
    k = {"prompt_embeds": e(2, 5, 32), "pooled_prompt_embeds": e(2, 32), "height": 8, "width": 8}
    if true_cfg:
        k |= {"true_cfg_scale": 3.0, "negative_prompt_embeds": e(2, 5, 32), "negative_pooled_prompt_embeds": e(2, 32)}
    return p, k


def qwen():
    seed()
    t = filled(
        d.QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=3,
            joint_attention_dim=16,
            guidance_embeds=False,
            axes_dims_rope=(8, 4, 4),
        )
    )
    z = 4
    seed()
    v = d.AutoencoderKLQwenImage(
        base_dim=z * 6,
        z_dim=z,
        dim_mult=[1, 2, 4],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.0] * z,
        latents_std=[1.0] * z,
    ).eval()
    p = d.QwenImagePipeline(
        transformer=t,
        scheduler=d.FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True,
            base_shift=0.5,
            max_shift=0.9,
            shift_terminal=0.02,
            base_image_seq_len=256,
            max_image_seq_len=8192,
            time_shift_type="exponential",
        ),
        vae=v,
        text_encoder=None,
        tokenizer=None,
    )
    g = torch.Generator().manual_seed(1)
    e = drawn(g)
    return p, {
        "prompt_embeds": e(2, 7, 16),
        "prompt_embeds_mask": torch.ones(2, 7, dtype=torch.long),
        "negative_prompt_embeds": e(2, 7, 16),
        "negative_prompt_embeds_mask": torch.ones(2, 7, dtype=torch.long),
        "true_cfg_scale": 2.0,
        "height": 32,
        "width": 32,
    }


def zimage():
    seed()
    t = filled(
        d.ZImageTransformer2DModel(
            all_patch_size=(2,),
            all_f_patch_size=(1,),
            in_channels=16,
            dim=32,
            n_layers=1,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            qk_norm=True,
            cap_feat_dim=16,
            rope_theta=256.0,
            t_scale=1000.0,
            axes_dims=[8, 4, 4],
            axes_lens=[256, 32, 32],
        )
    )
    p = d.ZImagePipeline(
        transformer=t,
        scheduler=d.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae(16),
        text_encoder=None,
        tokenizer=None,
    )
    g = torch.Generator().manual_seed(1)
    e = drawn(g)
    return p, {
        "prompt_embeds": [e(7, 16), e(5, 16)],
        "negative_prompt_embeds": [e(3, 16), e(4, 16)],
        "guidance_scale": 3.0,
        "height": 32,
        "width": 32,
    }


def sana():
    seed()
    t = filled(
        d.SanaTransformer2DModel(
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
            sample_size=8,
        )
    )
    seed()
    v = d.AutoencoderDC(
        in_channels=3,
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=[1, 1],
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
        scaling_factor=0.41407,
    ).eval()
    p = d.SanaPipeline(
        transformer=t,
        scheduler=d.DPMSolverMultistepScheduler(
            use_flow_sigmas=True, prediction_type="flow_prediction", flow_shift=3.0
        ),
        vae=v,
        text_encoder=None,
        tokenizer=None,
    )
    g = torch.Generator().manual_seed(1)
    e = drawn(g)
    return p, {
        "prompt": None,
        "prompt_embeds": e(2, 5, 8),
        "prompt_attention_mask": torch.ones(2, 5),
        "negative_prompt": None,
        "negative_prompt_embeds": e(2, 5, 8),
        "negative_prompt_attention_mask": torch.ones(2, 5),
        "guidance_scale": 3.0,
        "height": 32,
        "width": 32,
        "use_resolution_binning": False,
        "complex_human_instruction": None,
    }


def wan(two=False):
    def mk():
        return filled(
            d.WanTransformer3DModel(
                patch_size=(1, 2, 2),
                num_attention_heads=2,
                attention_head_dim=12,
                in_channels=16,
                out_channels=16,
                text_dim=32,
                freq_dim=32,
                ffn_dim=32,
                num_layers=2,
                cross_attn_norm=True,
                qk_norm="rms_norm_across_heads",
                rope_max_seq_len=32,
            )
        )

    seed()
    t = mk()
    seed()
    v = d.AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    ).eval()
    p = d.WanPipeline(
        transformer=t,
        scheduler=d.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, num_train_timesteps=1000
        ),
        vae=v,
        text_encoder=None,
        tokenizer=None,
        **({"transformer_2": mk(), "boundary_ratio": 0.875} if two else {}),
    )
    g = torch.Generator().manual_seed(1)
    e = drawn(g)
    return p, {
        "prompt_embeds": e(2, 5, 32),
        "negative_prompt_embeds": e(2, 5, 32),
        "guidance_scale": 3.0,
        "height": 16,
        "width": 16,
        "num_frames": 5,
    }


def ltx():
    seed()
    t = filled(
        d.LTXVideoTransformer3DModel(
            in_channels=8,
            out_channels=8,
            patch_size=1,
            patch_size_t=1,
            num_attention_heads=4,
            attention_head_dim=8,
            cross_attention_dim=32,
            num_layers=1,
            caption_channels=32,
        )
    )
    seed()
    v = d.AutoencoderKLLTXVideo(
        in_channels=3,
        out_channels=3,
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, False, False),
        decoder_spatio_temporal_scaling=(True, True, False, False),
        decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4,
        upsample_factor=(1,) * 4,
        timestep_conditioning=False,
        patch_size=1,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    ).eval()
    p = d.LTXPipeline(
        transformer=t,
        scheduler=d.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift_terminal=0.1),
        vae=v,
        text_encoder=None,
        tokenizer=None,
    )
    g = torch.Generator().manual_seed(1)
    e = drawn(g)
    return p, {
        "prompt_embeds": e(2, 5, 32),
        "prompt_attention_mask": torch.ones(2, 5),
        "negative_prompt_embeds": e(2, 5, 32),
        "negative_prompt_attention_mask": torch.ones(2, 5),
        "guidance_scale": 3.0,
        "height": 32,
        "width": 32,
        "num_frames": 9,
    }


def mochi():
    seed()
    t = filled(
        d.MochiTransformer3DModel(
            patch_size=2,
            num_attention_heads=2,
            attention_head_dim=8,
            num_layers=2,
            pooled_projection_dim=16,
            in_channels=12,
            out_channels=None,
            qk_norm="rms_norm",
            text_embed_dim=32,
            time_embed_dim=4,
            activation_fn="swiglu",
            max_sequence_length=16,
        )
    )
    seed()
    v = d.AutoencoderKLMochi(
        latent_channels=12,
        out_channels=3,
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(32, 32, 32, 32),
        layers_per_block=(1, 1, 1, 1, 1),
    ).eval()
    p = d.MochiPipeline(
        transformer=t,
        scheduler=d.FlowMatchEulerDiscreteScheduler(invert_sigmas=True),
        vae=v,
        text_encoder=None,
        tokenizer=None,
    )
    g = torch.Generator().manual_seed(1)
    e = drawn(g)
    return p, {
        "prompt_embeds": e(2, 16, 32),
        "prompt_attention_mask": torch.ones(2, 16, dtype=torch.bool),
        "negative_prompt_embeds": e(2, 16, 32),
        "negative_prompt_attention_mask": torch.ones(2, 16, dtype=torch.bool),
        "guidance_scale": 3.0,
        "height": 16,
        "width": 16,
        "num_frames": 7,
    }


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


PIPELINES = {
    "sd3": sd3,
    "flux": flux,
    "flux, true guidance": lambda: flux(True),
    "qwen-image": qwen,
    "z-image": zimage,
    "sana, dpm++ 2m": sana,
    "wan, unipc": wan,
    "wan, two experts": lambda: wan(True),
    "ltx": ltx,
    "mochi": mochi,
    "lumina2": lumina,
}
