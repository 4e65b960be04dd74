"""Feature spaces."""

from collections.abc import Callable

import kinetic
from kinetic_features.clip_image import CLIPImage as CLIPImage
from kinetic_features.dinov2 import DINOv2 as DINOv2
from kinetic_features.inception import Inception as Inception
from kinetic_features.module import ModuleFeatures as ModuleFeatures
from kinetic_features.pixels import Pixels as Pixels


@kinetic.hookimpl
def register_features(register: Callable[[str, type[kinetic.FeatureSpace]], None]) -> None:
    """Offer the feature spaces."""
    register("pixels", Pixels)
    register("inception", Inception)
    register("clip-image", CLIPImage)
    register("dinov2", DINOv2)
    register("module", ModuleFeatures)
