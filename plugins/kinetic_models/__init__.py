"""Velocity fields of networks of others, by their declared convention."""

from collections.abc import Callable

import kinetic
from kinetic_models.azula_card import AzulaCard as AzulaCard
from kinetic_models.azula_denoiser import AzulaField as AzulaField
from kinetic_models.conventions import CONVENTIONS as CONVENTIONS
from kinetic_models.module import ModuleField as ModuleField
from kinetic_models.torchcfm_unet import TorchCFMUNet as TorchCFMUNet


@kinetic.hookimpl
def register_fields(register: Callable[[str, type[kinetic.VelocityField]], None]) -> None:
    """Offer the fields."""
    register("azula", AzulaField)
    register("azula-card", AzulaCard)
    register("module", ModuleField)
    register("torchcfm-unet", TorchCFMUNet)
