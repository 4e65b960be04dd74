"""The abstract feature space."""

from __future__ import annotations

import abc

import attrs
from torch import Tensor

from kinetic._component import Component
from kinetic.types import State


@attrs.frozen(eq=False)
class FeatureSpace(Component):
    """Samples to vectors, in which distances mean something."""

    @abc.abstractmethod
    def features(self, x: State) -> Tensor:
        """`(m, *event)` samples, images in [-1, 1], to `(m, f)` floating-point vectors, each from its sample alone."""
