"""The grids of this package by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinetic import TimeGrid
from kinetic.errors import OptionError, unknown
from kinetic_grids.cosine import Cosine
from kinetic_grids.edm_rho import EDMRho
from kinetic_grids.entropic import Entropic
from kinetic_grids.equal_energy import EqualEnergy
from kinetic_grids.exponential_shift import ExponentialShift
from kinetic_grids.given import Given
from kinetic_grids.rotation import Rotation
from kinetic_grids.sharpness import Sharpness
from kinetic_grids.shifted import Shifted
from kinetic_grids.uniform import Uniform

GRIDS: Mapping[str, type[TimeGrid]] = {
    "uniform": Uniform,
    "cosine": Cosine,
    "shifted": Shifted,
    "exponential-shift": ExponentialShift,
    "edm-rho": EDMRho,
    "given": Given,
    "sharpness": Sharpness,
    "rotation": Rotation,
    "energy": EqualEnergy,
    "entropy": Entropic,
}
"""What a recipe calls each."""


def named(value: Any) -> Any:
    """The grid of that name, its options at their defaults; what is no string unchanged. The converter of options.

    Raises:
        UnknownNameError: no grid of this package has the name.
        OptionError: the grid has an option without a default.
    """
    if not isinstance(value, str):
        return value
    if value not in GRIDS:
        raise unknown("no grid is named", value, GRIDS, "One of another plugin is a table, or an instance in Python.")
    try:
        return GRIDS[value]()
    except OptionError as error:
        raise OptionError(
            f"grid {value!r}: {error}\n  Its options go in a table: grid = {{ name = {value!r}, ... }}"
        ) from error
