"""What decodes latents to images: an AutoencoderKL of diffusers, from its folder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from kinetic import options
from kinetic.errors import OptionError
from kinetic_diffusers.folder import class_of, loaded

_REMEDY = "Give the folder of a pipeline of diffusers, or of its vae, as `save_pretrained` wrote it."


def autoencoder(location: str, channels: int, dtype: torch.dtype) -> nn.Module:
    """The AutoencoderKL in a folder, tensors alone.

    Args:
        location: of a pipeline or of its vae.
        channels: of the latents that it is to decode.
        dtype: of its weights.
    Raises:
        MissingFileError, OptionError: it is not there, of another class, cannot be loaded, or has other latents.
    """
    folder = options.existing_path(location, what="vae", remedy=_REMEDY)
    folder = folder / "vae" if (folder / "vae").is_dir() else folder
    name = class_of(folder, "vae", _REMEDY)
    if name != "AutoencoderKL":
        raise OptionError(f"'vae' must be an AutoencoderKL: {folder} is a {name!r}")
    net: Any = loaded(name, folder, "vae", _REMEDY, dtype)
    if net.config["latent_channels"] != channels:
        raise OptionError(
            f"'vae' decodes latents of {net.config['latent_channels']} channels, the transformer moves {channels}: "
            f"{folder}"
        )
    return net


def decoded(net: Any, x: Tensor) -> Tensor:
    """Images in [-1, 1] of latents `(n, channels, height, width)` as a pipeline moves them, one at a time.

    net.decode(x / scaling_factor + shift_factor), clipped as pipelines do.
    """
    config = net.config
    z = (x / config["scaling_factor"] + (config.get("shift_factor") or 0.0)).to(next(net.parameters()).dtype)
    return torch.cat([net.decode(row, return_dict=False)[0] for row in z.split(1)]).clamp(-1, 1).to(x.dtype)
