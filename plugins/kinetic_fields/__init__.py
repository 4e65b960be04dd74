"""Velocity fields in closed form, guidance, and fields that change another one."""

from collections.abc import Callable

import kinetic
from kinetic_fields.autoguided import Autoguided as Autoguided
from kinetic_fields.away import Away as Away
from kinetic_fields.blocked import Blocked as Blocked
from kinetic_fields.empirical import Empirical as Empirical
from kinetic_fields.gaussian import Gaussian as Gaussian
from kinetic_fields.guided import Guided as Guided
from kinetic_fields.hybrid import Hybrid as Hybrid
from kinetic_fields.momentum import Momentum as Momentum
from kinetic_fields.noise_scale import NoiseScale as NoiseScale
from kinetic_fields.reversed import Reversed as Reversed
from kinetic_fields.temperature import Temperature as Temperature


@kinetic.hookimpl
def register_fields(register: Callable[[str, type[kinetic.VelocityField]], None]) -> None:
    """Offer the fields."""
    register("empirical", Empirical)
    register("gaussian", Gaussian)
    register("guided", Guided)
    register("hybrid", Hybrid)
    register("reversed", Reversed)
    register("autoguided", Autoguided)
    register("away", Away)
    register("blocked", Blocked)
    register("momentum", Momentum)
    register("noise-scale", NoiseScale)
    register("temperature", Temperature)
