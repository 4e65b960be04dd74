"""Energy meters."""

from collections.abc import Callable

import kinetic
from kinetic_energy.bands import Bands as Bands
from kinetic_energy.channels import Channels as Channels
from kinetic_energy.guidance import GuidanceEnergy as GuidanceEnergy
from kinetic_energy.kpe import KPE as KPE
from kinetic_energy.path import Path as Path
from kinetic_energy.power_profile import PowerProfile as PowerProfile
from kinetic_energy.turning import Turning as Turning


@kinetic.hookimpl
def register_meters(register: Callable[[str, type[kinetic.EnergyMeter]], None]) -> None:
    """Offer the meters."""
    register("bands", Bands)
    register("channels", Channels)
    register("guidance", GuidanceEnergy)
    register("kpe", KPE)
    register("path", Path)
    register("power", PowerProfile)
    register("turning", Turning)
