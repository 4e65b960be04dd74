"""The one walk over what is inside a component: where it is, what it holds, a copy of it elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import attrs
import numpy as np
import torch
from torch import Tensor, nn

from kinetic._roles.component import Component

T = TypeVar("T")

_PART = 2**24  # bytes of a mapped array that are read at a time


def children(value: Any) -> dict[Any, Any]:
    """What lies one level below: the fields of a component, the items of a tuple, list or dict; else nothing."""
    if isinstance(value, Component):
        return {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    if type(value) in (tuple, list):
        return dict(enumerate(value))
    return value if type(value) is dict else {}


def walk(value: Any) -> Iterator[Any]:
    """`value` and everything below it, depth first, each object once however often it is held."""
    seen: set[int] = set()

    def visit(each: Any) -> Iterator[Any]:
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            for child in children(each).values():
                yield from visit(child)

    yield from visit(value)


def inside(value: Any, kind: type[T]) -> list[T]:
    """Every distinct object of a class in `value`, in the order of the walk."""
    return [each for each in walk(value) if isinstance(each, kind)]


def rebuild(value: T, change: Callable[[Any], Any], memo: dict[int, Any] | None = None) -> T:
    """`value` with `change(object)` in place of every object for which that is another one.

    What is below an object that was changed is not looked at. An object held twice is changed once, and the copy holds
    the result twice. Nothing is checked or loaded again, and what holds nothing that changed comes back itself.

    Args:
        value: the component, tuple, list or dict.
        change: gives another object, or the same one.
        memo: of an earlier rebuild of what holds the same objects, `{id: (object, result)}`.
    """
    memo = {} if memo is None else memo
    if id(value) not in memo:
        changed = change(value)
        if changed is value:
            below = children(value)
            copies = {key: rebuild(child, change, memo) for key, child in below.items()}
            if any(copies[key] is not below[key] for key in below):
                changed = _with_children(value, copies)
        memo[id(value)] = value, changed  # the object is kept, lest another one take its id
    result: T = memo[id(value)][1]
    return result


def to_device(value: T, device: Any, memo: dict[int, Any] | None = None) -> T:
    """`value` with every tensor and network inside it on `device`; what is shared inside it is shared there too.

    A component comes back as a new one (itself, if nothing moved); an `nn.Module` is moved in place, as `Module.to`
    does. One that is offloaded, quantised or without data (meta) stays where its owner put it. `memo` as of `rebuild`.
    """
    return rebuild(value, lambda each: each.to(device) if _may_move(each) else each, memo)


def device_of(value: Any) -> torch.device | None:
    """The device of the first tensor or parameter inside; None where there is none."""
    return next((tensor.device for tensor in _tensors(value)), None)


def hash_of(value: Any, memo: dict[int, bytes] | None = None) -> str | None:
    """SHA-256 of all tensors and mapped arrays inside, each counted once, or None where there are none.

    Args:
        value: the component.
        memo: what was hashed before, `{id of a tensor or network: digest}`; its objects must live as long as it does.
    """
    memo = {} if memo is None else memo
    digests = []
    for each in walk(value):
        if isinstance(each, Tensor | nn.Module | np.ndarray):
            if id(each) not in memo:
                memo[id(each)] = _digest(each)
            digests.append(memo[id(each)])
    return hashlib.sha256(b"".join(digests)).hexdigest() if any(digests) else None


def options_given(component: Component) -> dict[str, Any]:
    """The options of a component, by the names that a recipe gives them."""
    return {f.alias or f.name: getattr(component, f.name) for f in attrs.fields(type(component)) if f.init}


def unwrap(component: Any) -> Any:
    """The component that this one stands for, given as `wraps`, or itself."""
    while (inner := getattr(component, "wraps", None)) is not None:
        component = inner
    return component


def _may_move(value: Any) -> bool:
    if not isinstance(value, nn.Module):
        return isinstance(value, Tensor)
    kept = ("hf_device_map", "is_quantized", "quantization_method")  # as transformers, diffusers and accelerate mark it
    if any(getattr(part, mark, None) for part in value.modules() for mark in kept):
        return False
    return not any(tensor.is_meta for tensor in (*value.parameters(), *value.buffers()))


def _with_children(value: Any, copies: Mapping[Any, Any]) -> Any:
    if not isinstance(value, Component):
        return dict(copies) if type(value) is dict else type(value)(copies.values())
    twin = object.__new__(type(value))
    for name, child in copies.items():
        object.__setattr__(twin, name, child)
    return twin


def _tensors(value: Any) -> Iterator[Tensor]:
    for each in walk(value):
        if isinstance(each, Tensor):
            yield each
        elif isinstance(each, nn.Module):
            yield from (*each.parameters(), *each.buffers())


def _digest(value: Tensor | nn.Module | np.ndarray[Any, Any]) -> bytes:
    """Of a tensor's or an array's type, shape and bytes, or of all those of a network; empty for one without any."""
    if isinstance(value, np.ndarray):
        return _digest_of_array(value)
    tensors = [value] if isinstance(value, Tensor) else [tensor for _, tensor in sorted(value.state_dict().items())]
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.digest() if tensors else b""


def _digest_of_array(array: np.ndarray[Any, Any]) -> bytes:
    """A part of it at a time: it may be larger than memory."""
    digest = hashlib.sha256(f"{array.dtype}{array.shape}".encode())
    rows = max(1, _PART // max(1, array.nbytes // max(1, len(array))))
    for start in range(0, len(array), rows):
        digest.update(np.ascontiguousarray(array[start : start + rows]).data)
    return digest.digest()
