"""Networks of others: by the name of what makes them, and filled from a file of tensors. No pickle is ever run."""

from __future__ import annotations

import argparse
import importlib
import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from kinetic import options
from kinetic.errors import OptionError

_LINE = 300  # characters of another library's words that are repeated
_SHOWN = 4  # names of tensors that an error shows
Net = TypeVar("Net", bound=nn.Module)
REMEDY = "Give the path of a .safetensors or .pth state dict."


def imported(words: Any, what: str = "an nn.Module") -> Any:
    """What `PACKAGE.MODULE:ATTRIBUTE` names; the code it names is run. Layers made by it are float32.

    Args:
        words: the name.
        what: what else the option `module` takes, for the error.
    Raises:
        OptionError: it is no such name, or cannot be imported.
    """
    package, colon, attribute = words.partition(":") if isinstance(words, str) else ("", "", "")
    if not (package and colon and attribute):
        raise OptionError(f"'module' must be {what}, or PACKAGE.MODULE:ATTRIBUTE: {words!r}")
    with _made_from(words):
        target: Any = importlib.import_module(package)
        for name in attribute.split("."):
            target = getattr(target, name)
    return target


def made(words: str, factory: Any) -> Any:
    """What a factory that `words` name makes when called without arguments, its layers in float32.

    Raises:
        OptionError: it raises.
    """
    with _made_from(words):
        return factory()


@contextmanager
def _made_from(words: str) -> Iterator[None]:
    try:
        with float32_layers():
            yield
    except Exception as error:  # a stranger's code may raise anything
        raise OptionError(f"'module' cannot be made from {words!r}: {type(error).__name__}: {error}") from error


def import_from_here() -> None:
    """Let modules be imported from the folder the process was started in, as `python -m` does."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


def state_dict(
    location: str | Path, what: str = "weights", remedy: str = REMEDY, key: str | None = None
) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` or `.pth` state dict, by name. No code in the file is run.

    A checkpoint may hold the options of a training script (`argparse.Namespace`) beside them.

    Args:
        location: of the file.
        what: what it is, for an error.
        remedy: what an error ends with.
        key: where in a checkpoint the state dict is, such as `ema` or `state.ema`; None where the file is one.
    Raises:
        MissingFileError: nothing is there; the message ends with `remedy`.
        OptionError: it holds something else.
    """
    path = options.existing_file(location, what=what, remedy=remedy)
    try:
        if options.suffix(path) == ".safetensors":
            state: Any = load_file(path)
        else:
            with torch.serialization.safe_globals([argparse.Namespace]):
                state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no state dict makes torch.load raise almost anything
        raise OptionError(f"'weights' cannot be read as tensors alone: {path}: {why(error)}\n  {remedy}") from error
    held = state if key is None else _below(state, key, path)
    if _is_state(held):
        return dict(held)
    inner = sorted(name for name, each in _nested(held) if _is_state(each))
    if inner:
        whole = [name if key is None else f"{key}.{name}" for name in inner]
        raise OptionError(
            f"'weights' holds one or several state dicts, and is none itself: {path}\n"
            f"  Say which: key = {_either(whole)}"
        )
    raise OptionError(f"'weights' must hold a state dict, names to tensors: {path}\n  {remedy}")


def _below(state: Any, key: str, path: Path) -> Any:
    """What a checkpoint holds under a key, or under keys with dots between them."""
    names = [key] if isinstance(state, Mapping) and key in state else key.split(".")
    for name in names:
        if not isinstance(state, Mapping) or name not in state:
            inner = sorted(each for each, value in _nested(state) if isinstance(value, Mapping))
            way = f"It has {_either(inner)}." if inner else "Its tensors lie at the top: leave out `key`."
            raise OptionError(f"'weights' holds nothing under key = {key!r}: {path}\n  {way}")
        state = state[name]
    return state


def _is_state(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(each, Tensor) for each in value.values())


def _nested(value: Any) -> list[tuple[str, Any]]:
    return [(str(name), each) for name, each in value.items()] if isinstance(value, Mapping) else []


def _either(names: list[str]) -> str:
    return " or ".join(map(repr, names))


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


def shipped(net: Net, path: Path, trained_by: str) -> Net:
    """A net with weights that its own package ships, kept in float16 and computed in float32, for inference only.

    `torch.set_default_dtype` changes nothing: the net is brought to float32 whatever it was made in.

    Args:
        net: made afresh.
        path: its file of tensors, `.safetensors`.
        trained_by: the command that writes it.
    Raises:
        MissingFileError: the weights are not there.
    """
    remedy = f"Install kinetic anew, or train them: {trained_by}"
    net.float().load_state_dict(load_file(options.existing_file(path, what=f"weights of {path.stem!r}", remedy=remedy)))
    return net.eval().requires_grad_(False)


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


def fill(
    net: nn.Module,
    location: str | Path,
    name: str,
    unused: tuple[str, ...] = (),
    key: str | None = None,
    prefix: str | None = None,
) -> None:
    """Load a state dict into a network, all of its tensors.

    Args:
        net: the network.
        location: of the file.
        name: what the network is called in errors.
        unused: how the names of tensors begin that the file may hold and the network lacks.
        key: as of `state_dict`.
        prefix: how the names of the network's tensors begin in the file; others in it are left.
    Raises:
        OptionError: tensors are missing, of another shape, or not expected.
    """
    wanted, state = net.state_dict(), state_dict(location, key=key)
    if prefix:
        kept = {each.removeprefix(prefix): value for each, value in state.items() if each.startswith(prefix)}
        if not kept:
            raise OptionError(f"'weights' holds no tensor whose name begins with prefix = {prefix!r}: {location}")
        state = kept
    state = {each: value for each, value in state.items() if each in wanted or not each.startswith(unused)}
    misfits = _misfits(wanted, state)
    if misfits:
        way = _way_to_fit(wanted, state, prefix)
        raise OptionError(f"'weights' does not hold {name}: {location}: {'; '.join(misfits)}{way}")
    net.load_state_dict(state)


def _misfits(wanted: Mapping[str, Any], state: Mapping[str, Tensor]) -> list[str]:
    """What keeps a state dict from filling a network, counted, the first few shown."""
    other = [
        f"{each} ({tuple(state[each].shape)} for {tuple(value.shape)})"
        for each, value in wanted.items()
        if each in state and isinstance(value, Tensor) and state[each].shape != value.shape
    ]
    sides = {
        "missing": [each for each in wanted if each not in state],
        "unexpected": [each for each in state if each not in wanted],
        "of another shape": other,
    }
    return [
        f"{len(names)} of {len(state if kind == 'unexpected' else wanted)} {kind}: "
        + ", ".join(names[:_SHOWN])
        + (", ..." if len(names) > _SHOWN else "")
        for kind, names in sides.items()
        if names
    ]


def _way_to_fit(wanted: Mapping[str, Any], state: Mapping[str, Tensor], prefix: str | None) -> str:
    """How names in the file begin more than in the network, where taking that off makes all fit; else nothing."""
    first = next((each for each in wanted if each not in state), None)
    for each in state if first is not None else ():
        start = each.removesuffix(first or "")
        if start == each or not start:
            continue
        cut = {name.removeprefix(start): value for name, value in state.items() if name.startswith(start)}
        if not _misfits(wanted, cut):
            return f"\n  Without their first {start!r} the names would fit: prefix = {(prefix or '') + start!r}"
    return ""
