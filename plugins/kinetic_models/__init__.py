"""Velocity fields of networks of others, by their declared convention."""

from collections.abc import Callable

import kinetic
from kinetic_models.conventions import CONVENTIONS as CONVENTIONS
from kinetic_models.module import ModuleField as ModuleField


@kinetic.hookimpl
def register_fields(register: Callable[[str, type[kinetic.VelocityField]], None]) -> None:
    """Offer the field."""
    register("module", ModuleField)
