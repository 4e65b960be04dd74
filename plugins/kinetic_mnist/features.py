"""The feature spaces of a classifier of MNIST's digits."""

from __future__ import annotations

from typing import final

import attrs
from torch import nn

from kinetic import FeatureSpace, in_blocks
from kinetic.errors import ShapeError
from kinetic.types import State
from kinetic_mnist.nets import CLASSIFIER, EVENT, Classifier, load


def _classifier() -> Classifier:
    return load(Classifier(), CLASSIFIER)


@final
@attrs.frozen(eq=False)
class MnistFeatures(FeatureSpace):
    """The last layer but one of a small classifier of MNIST's digits, 64 numbers in float32; see the model card."""

    _net: Classifier = attrs.field(init=False, repr=False, factory=_classifier)

    @property
    def preprocessing(self) -> str:
        return "digits of 28 x 28 as they are, in float32"

    def features(self, x: State) -> State:
        return in_blocks(self._net.features, _digits(x))


@final
@attrs.frozen(eq=False)
class MnistLogits(FeatureSpace):
    """The logits of the classifier of `MnistFeatures`, 10 numbers in float32; number c speaks for digit c."""

    _net: nn.Module = attrs.field(init=False, repr=False, factory=_classifier)

    @property
    def preprocessing(self) -> str:
        return "digits of 28 x 28 as they are, in float32"

    def features(self, x: State) -> State:
        return in_blocks(self._net, _digits(x))


def _digits(x: State) -> State:
    if x.shape[1:] != EVENT:
        raise ShapeError(f"digits of MNIST have shape {tuple(EVENT)}, the samples {tuple(x.shape[1:])}")
    return x.float()
