"""Gains on the velocity."""

import kinetic
from kinetic_schedules.constant import Constant as Constant
from kinetic_schedules.kts import KTS as KTS


@kinetic.hookimpl
def register_schedules(register):
    """Offer the schedules."""
    register("constant", Constant)
    register("kts", KTS)
