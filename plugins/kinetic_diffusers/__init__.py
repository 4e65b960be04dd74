"""Models of diffusers: transformers as fields, and pipelines weighed and shaped without touching their code."""

from collections.abc import Callable

import kinetic
from kinetic_diffusers.decoded import Decoded as Decoded
from kinetic_diffusers.field import TRANSFORMERS as TRANSFORMERS
from kinetic_diffusers.field import DiffusersField as DiffusersField
from kinetic_diffusers.metered import metered as metered


@kinetic.hookimpl
def register_fields(register: Callable[[str, type[kinetic.VelocityField]], None]) -> None:
    """Offer the fields."""
    register("decoded", Decoded)
    register("diffusers", DiffusersField)
