"""The feature space of a digit classifier."""

from __future__ import annotations

from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import FeatureSpace, in_blocks
from kinetic.errors import ShapeError
from kinetic.types import State
from kinetic_digits.nets import Classifier, load


@final
@attrs.frozen(eq=False)
class DigitsFeatures(FeatureSpace):
    """The last layer but one of a small classifier of digits, 48 numbers in float32; see the model card."""

    _net: Classifier = attrs.field(init=False, repr=False, factory=lambda: load(Classifier(), "digits-classifier"))

    @property
    def preprocessing(self) -> str:
        return "digits of 8 x 8 as they are, in float32"

    def features(self, x: State) -> Tensor:
        return in_blocks(self._net.features, self._digits(x))

    def class_logits(self, x: State) -> Tensor:
        """What the classifier takes the samples for, `(m, 10)` logits."""
        return in_blocks(self._net, self._digits(x))

    def _digits(self, x: State) -> Tensor:
        if x.shape[1:] != torch.Size([1, 8, 8]):
            raise ShapeError(f"digits have shape (1, 8, 8), the samples {tuple(x.shape[1:])}")
        return x.float()


@final
@attrs.frozen(eq=False)
class DigitsLogits(FeatureSpace):
    """The logits of the classifier of `DigitsFeatures`, 10 numbers in float32; number c speaks for digit c."""

    _space: DigitsFeatures = attrs.field(init=False, repr=False, factory=DigitsFeatures)

    @property
    def preprocessing(self) -> str:
        return self._space.preprocessing

    def features(self, x: State) -> Tensor:
        return self._space.class_logits(x)
