"""Gains on the velocity."""

from collections.abc import Callable

import kinetic
from kinetic_schedules.constant import Constant as Constant
from kinetic_schedules.decided import Decided as Decided
from kinetic_schedules.energy_clamp import EnergyClamp as EnergyClamp
from kinetic_schedules.kts import KTS as KTS
from kinetic_schedules.near_copies import NearCopies as NearCopies
from kinetic_schedules.normalised import Normalised as Normalised
from kinetic_schedules.velocity_deficit import VelocityDeficit as VelocityDeficit


@kinetic.hookimpl
def register_schedules(register: Callable[[str, type[kinetic.Schedule]], None]) -> None:
    """Offer the schedules."""
    register("constant", Constant)
    register("kts", KTS)
    register("velocity-deficit", VelocityDeficit)
    register("decided", Decided)
    register("energy-clamp", EnergyClamp)
    register("near-copies", NearCopies)
    register("normalised", Normalised)
