"""Velocity fields in closed form, and guidance."""

from collections.abc import Callable

import kinetic
from kinetic_fields.empirical import Empirical as Empirical
from kinetic_fields.gaussian import Gaussian as Gaussian
from kinetic_fields.guided import Guided as Guided
from kinetic_fields.hybrid import Hybrid as Hybrid
from kinetic_fields.reversed import Reversed as Reversed


@kinetic.hookimpl
def register_fields(register: Callable[[str, type[kinetic.VelocityField]], None]) -> None:
    """Offer the fields."""
    register("empirical", Empirical)
    register("gaussian", Gaussian)
    register("guided", Guided)
    register("hybrid", Hybrid)
    register("reversed", Reversed)
