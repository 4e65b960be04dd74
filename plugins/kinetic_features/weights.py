"""Weights from a file."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from kinetic import options
from kinetic.errors import OptionError

REMEDY = "Give the path of a .safetensors or .pth state dict."


def state_dict(location: str | Path, what: str = "weights", remedy: str = REMEDY) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` or `.pth` state dict, by name. No code in the file is run.

    Raises:
        MissingFileError: nothing is there; the message ends with `remedy`.
        OptionError: it holds something else.
    """
    path = options.existing_path(location, what=what, remedy=remedy)
    try:
        if options.suffix(path) == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no state dict makes torch.load raise almost anything
        raise OptionError(f"'weights' cannot be read as tensors alone: {path}: {why(error)}\n  {remedy}") from error
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise OptionError(f"'weights' must hold a state dict, names to tensors: {path}\n  {remedy}")
    return found


def why(error: Exception) -> str:
    """What went wrong, in a line. Of what torch says of a pickle only that: it goes on to tell how to run one."""
    if isinstance(error, pickle.UnpicklingError):
        return "it is damaged, or a pickle of more than tensors, which is never loaded"
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def fill(net: nn.Module, location: str | Path, name: str, unused: tuple[str, ...] = ()) -> None:
    """Load a state dict into a network, every tensor into its place.

    Args:
        net: the network.
        location: of the file.
        name: what the network is called in errors.
        unused: how the names of tensors begin that the file may hold and the network lacks.
    """
    wanted = net.state_dict().keys()
    state = {key: value for key, value in state_dict(location).items() if key in wanted or not key.startswith(unused)}
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        said = " ".join(str(error).split()[:40])
        raise OptionError(f"'weights' does not hold {name}: {location}: {said}") from error
