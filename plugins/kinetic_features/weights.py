"""Weights from a file."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from kinetic import options
from kinetic.errors import OptionError

_LINE = 300  # characters of another library's words that are repeated
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
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no state dict makes torch.load raise almost anything
        raise OptionError(f"'weights' cannot be read as tensors alone: {path}: {why(error)}\n  {remedy}") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise OptionError(f"'weights' must hold a state dict, names to tensors: {path}\n  {remedy}")
    return state


@contextmanager
def tensors_only() -> Iterator[None]:
    """While it is open `torch.load` unpickles tensors alone, whatever the library that calls it asks for.

    Some ask for tensors first, and for any pickle where that fails. The switch is torch's own, of the process.
    """
    with mock.patch.dict(os.environ, {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"}):
        os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)  # torch refuses both at once
        yield


@contextmanager
def float32_layers() -> Iterator[None]:
    """While it is open layers are made in float32, whatever `torch.set_default_dtype` asks of the process."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def in_dtype_of(net: nn.Module, x: Tensor) -> Tensor:
    """Samples in the one floating dtype of a network's parameters; as they are for a network of several or none."""
    dtypes = {each.dtype for each in net.parameters() if each.is_floating_point()}
    return x.to(dtypes.pop()) if len(dtypes) == 1 and x.is_floating_point() else x


def why(error: Exception) -> str:
    """What went wrong, in a line. Of what torch says of a pickle only that: it goes on to tell how to run one."""
    if isinstance(error, pickle.UnpicklingError):
        return "it is damaged, or a pickle of more than tensors, which is never loaded"
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:_LINE]}{'...' if len(words) > _LINE else ''}"


def fill(net: nn.Module, location: str | Path, name: str, unused: tuple[str, ...] = ()) -> None:
    """Load a state dict into a network, all of its tensors.

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
        raise OptionError(f"'weights' does not hold {name}: {location}: {why(error)}") from error
