"""A small world that needs no download: handwritten digits, nets trained on them, and the goldilocks recipe."""

from collections.abc import Callable

import kinetic
from kinetic_digits.digits import Digits as Digits
from kinetic_digits.features import DigitsFeatures as DigitsFeatures
from kinetic_digits.features import DigitsLogits as DigitsLogits
from kinetic_digits.velocity import DigitsField as DigitsField
from kinetic_digits.velocity import MemorisedDigitsField as MemorisedDigitsField
from kinetic_digits.velocity import SmallDigitsField as SmallDigitsField


@kinetic.hookimpl
def register_datasets(register: Callable[[str, type[kinetic.Dataset]], None]) -> None:
    """Offer the digits."""
    register("digits", Digits)


@kinetic.hookimpl
def register_fields(register: Callable[[str, type[kinetic.VelocityField]], None]) -> None:
    """Offer the nets."""
    register("digits", DigitsField)
    register("digits-memorised", MemorisedDigitsField)
    register("digits-small", SmallDigitsField)


@kinetic.hookimpl
def register_features(register: Callable[[str, type[kinetic.FeatureSpace]], None]) -> None:
    """Offer the classifier's features and logits."""
    register("digits", DigitsFeatures)
    register("digits-logits", DigitsLogits)
