"""Data from files, and patches of photographs."""

from collections.abc import Callable

import kinetic
from kinetic_data.image_folder import ImageFolder as ImageFolder
from kinetic_data.patches import Patches as Patches
from kinetic_data.tensor_file import TensorFile as TensorFile


@kinetic.hookimpl
def register_datasets(register: Callable[[str, type[kinetic.Dataset]], None]) -> None:
    """Offer the data sets."""
    register("image-folder", ImageFolder)
    register("patches", Patches)
    register("tensor-file", TensorFile)
