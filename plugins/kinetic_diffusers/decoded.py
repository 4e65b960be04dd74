"""Latents, seen as images."""

from __future__ import annotations

from typing import Any, final

import attrs
import torch

from kinetic import Batch, FieldWrapper, VelocityField, in_blocks, options
from kinetic.errors import ShapeError
from kinetic.types import PerSample, State
from kinetic_diffusers.folder import folder_of, loaded


@final
@attrs.frozen(eq=False)
class Decoded(FieldWrapper):
    """A field of latents whose samples are seen as images: x is decoded as D(x / scaling + shift), cut off to [-1, 1].

    Metrics and the report see the images; energies, norms and the noise that samples are put back to stay those of the
    latents. D is an `AutoencoderKL` of diffusers from a local folder, tensors alone, with the scaling and shift of its
    config, in float32, 16 samples at a time.

    Raises:
        OptionError: diffusers is not installed, or the folder holds no such autoencoder in safetensors.
        ShapeError: the latents are of another number of channels.

    Source: Rombach et al., High-Resolution Image Synthesis with Latent Diffusion Models, arXiv 2112.10752.
    """

    field: VelocityField = options.component(VelocityField, doc="the field of latents")
    vae: str = options.text(doc="folder of a pipeline or of its autoencoder")
    _vae: Any = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        folder = folder_of(self.vae, "vae", "vae", ("AutoencoderKL",))
        vae = loaded(folder, "vae", "field 'decoded'", torch.float32)
        channels = int(vae.config.latent_channels)
        shape = self.field.event_shape
        if len(shape) != 3 or shape[0] != channels:
            raise ShapeError(f"'vae' decodes latents of {channels} channels, 'field' moves samples of {tuple(shape)}")
        object.__setattr__(self, "_vae", vae)

    def seen(self, x: State) -> State:
        config = self._vae.config
        latents = self.field.seen(x).float() / config.scaling_factor + (config.shift_factor or 0.0)
        return in_blocks(lambda some: self._vae.decode(some, return_dict=False)[0], latents).clamp(-1, 1)

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        return self.field.velocity(x, t, batch)
