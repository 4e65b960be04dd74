"""A world of the papers' size: 28 x 28 digits, one net at many checkpoints of three trainings, a classifier."""

from collections.abc import Callable

import kinetic
from kinetic_mnist.features import MnistFeatures as MnistFeatures
from kinetic_mnist.features import MnistLogits as MnistLogits
from kinetic_mnist.mnist import Mnist as Mnist
from kinetic_mnist.velocity import MnistField as MnistField


@kinetic.hookimpl
def register_datasets(register: Callable[[str, type[kinetic.Dataset]], None]) -> None:
    """Offer the digits."""
    register("mnist", Mnist)


@kinetic.hookimpl
def register_fields(register: Callable[[str, type[kinetic.VelocityField]], None]) -> None:
    """Offer the net."""
    register("mnist", MnistField)


@kinetic.hookimpl
def register_features(register: Callable[[str, type[kinetic.FeatureSpace]], None]) -> None:
    """Offer the classifier's features and logits."""
    register("mnist-classifier", MnistFeatures)
    register("mnist-logits", MnistLogits)
