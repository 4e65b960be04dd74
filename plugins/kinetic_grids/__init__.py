"""Time grids for solvers with the same steps for every sample."""

from collections.abc import Callable

import kinetic
from kinetic_grids.cosine import Cosine as Cosine
from kinetic_grids.edm_rho import EDMRho as EDMRho
from kinetic_grids.entropic import Entropic as Entropic
from kinetic_grids.equal_energy import EqualEnergy as EqualEnergy
from kinetic_grids.exponential_shift import ExponentialShift as ExponentialShift
from kinetic_grids.given import Given as Given
from kinetic_grids.named import named as named
from kinetic_grids.rotation import Rotation as Rotation
from kinetic_grids.sharpness import Sharpness as Sharpness
from kinetic_grids.shifted import Shifted as Shifted
from kinetic_grids.uniform import Uniform as Uniform


@kinetic.hookimpl
def register_grids(register: Callable[[str, type[kinetic.TimeGrid]], None]) -> None:
    """Offer the grids."""
    register("uniform", Uniform)
    register("cosine", Cosine)
    register("shifted", Shifted)
    register("exponential-shift", ExponentialShift)
    register("edm-rho", EDMRho)
    register("given", Given)
    register("sharpness", Sharpness)
    register("rotation", Rotation)
    register("energy", EqualEnergy)
    register("entropy", Entropic)
