"""A plugin for kinetic, to copy."""

import kinetic
from kinetic_example.acceleration import Acceleration as Acceleration
from kinetic_example.order import order as order
from kinetic_example.ralston3 import Ralston3 as Ralston3
from kinetic_example.ramp import Ramp as Ramp


@kinetic.hookimpl
def register_solvers(register):
    """Offer the solver."""
    register("ralston3", Ralston3)


@kinetic.hookimpl
def register_schedules(register):
    """Offer the schedule."""
    register("ramp", Ramp)


@kinetic.hookimpl
def register_meters(register):
    """Offer the meter."""
    register("acceleration", Acceleration)


@kinetic.hookimpl
def register_commands(register):
    """Offer the command."""
    register("order", order)
