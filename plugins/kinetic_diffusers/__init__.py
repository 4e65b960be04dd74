"""Pipelines of diffusers, weighed and shaped as they are."""

from kinetic_diffusers.metered import metered as metered
