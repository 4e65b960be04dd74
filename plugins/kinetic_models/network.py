"""Networks of others: what words name, whose tensors answer, and whether they are in evaluation."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from torch import nn

from kinetic.errors import OptionError, shown
from kinetic.networks import imported, made


def network_of(words: Any, what: str = "an nn.Module or a callable") -> Callable[..., Any]:
    """The network: itself, or what the code that words name is or makes; in evaluation where it is made here.

    Raises:
        OptionError: it is not `what`, or cannot be imported or made.
    """
    net = words
    if isinstance(words, str):
        net = imported(words, what)
        if not isinstance(net, nn.Module) and _is_factory(net):
            net = made(words, net)
            if isinstance(net, nn.Module):
                net.eval().requires_grad_(False)
    if not callable(net):
        several = "\n  It is made with others beside it, such as an autoencoder: name a function that gives it alone."
        way = several if isinstance(net, tuple | list) else ""
        raise OptionError(f"'module' must be {what}: {shown(net)}{way}")
    return net


def owner_of(net: Callable[..., Any]) -> nn.Module | None:
    """The network whose tensors answer: itself, or that of a method or a partial, as of `net.forward_with_cfg`."""
    while isinstance(net, functools.partial):
        net = net.func
    owner = net if isinstance(net, nn.Module) else getattr(net, "__self__", None)
    return owner if isinstance(owner, nn.Module) else None


def check_read(component: object, reader: str, there: bool, *names: str) -> None:
    """Refuse options that were given where what reads them is not there: they would do nothing, without a word."""
    for name in () if there else names:
        value = getattr(component, name)
        if not (value is None or value is False or value == ()):
            raise OptionError(f"{name!r} is of {reader}, and nothing reads it here: {value!r}")


def check_evaluation(owner: nn.Module) -> None:
    """Refuse a network of which a part is in training mode, and name the part."""
    training = [name for name, each in owner.named_modules() if each.training]
    if training:
        part = f", in its part {training[0]!r}" if training[0] else ""
        raise OptionError(
            f"{type(owner).__name__} is in training mode{part}: dropout and BatchNorm would make its paths random\n"
            "  Call net.eval() first."
        )


def _is_factory(target: Any) -> bool:
    """Whether it is a class, or can be called without arguments: a velocity cannot."""
    if inspect.isclass(target) or not callable(target):
        return True
    needed = (each for each in inspect.signature(target).parameters.values() if each.default is each.empty)
    return all(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in needed)
