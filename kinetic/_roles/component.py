"""What every part of kinetic is: a frozen attrs class whose fields are its options, abstract or final."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs


@attrs.frozen(eq=False)
class Component(abc.ABC):
    """Base of the eight roles.

    A subclass is either abstract (it has abstract methods and cannot be made) or final (it can be made and cannot be
    subclassed). To change one method of a final class, wrap an instance of it in a class of your own.

    `imports_code` is true of a component that imports code it is told the name of: no recipe may name it.
    """

    imports_code: ClassVar[bool] = False

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        for base in cls.__mro__[1:]:
            final = issubclass(base, Component) and not inspect.isabstract(base) and base is not Component
            if final and base.__qualname__ != cls.__qualname__:
                raise TypeError(f"{cls.__name__} subclasses {base.__name__}, which is final: wrap a {base.__name__}")


def to_device(value: Any, device: Any) -> Any:
    """`value` with every tensor, module and component inside it on `device`.

    Looks into attrs fields, tuples, lists and dicts. A component comes back as a new one (itself, if nothing moved);
    an `nn.Module` is moved in place, as `Module.to` does.
    """
    import torch

    if isinstance(value, torch.Tensor | torch.nn.Module):
        return value.to(device)
    if isinstance(value, Component):
        parts = {f.name: getattr(value, f.name) for f in attrs.fields(type(value))}
        there = {name: to_device(part, device) for name, part in parts.items()}
        if all(there[name] is parts[name] for name in parts):
            return value
        return with_fields(value, there)
    if type(value) in (tuple, list):
        items = [to_device(item, device) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else type(value)(items)
    if type(value) is dict:
        pairs = {key: to_device(item, device) for key, item in value.items()}
        return value if all(pairs[key] is value[key] for key in value) else pairs
    return value


def with_fields(component: Any, parts: Mapping[str, Any]) -> Any:
    """A component like it with other values in the fields of `parts`; nothing is checked or loaded again."""
    twin = object.__new__(type(component))
    for field in attrs.fields(type(component)):
        object.__setattr__(twin, field.name, parts.get(field.name, getattr(component, field.name)))
    return twin


def device_of(value: Any) -> Any:
    """The device of the first tensor or parameter inside, looked for as `moved` does; None where there is none."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.device
    if isinstance(value, torch.nn.Module):
        return next((tensor.device for tensor in (*value.parameters(), *value.buffers())), None)
    if isinstance(value, Component):
        parts = [getattr(value, field.name) for field in attrs.fields(type(value))]
    elif isinstance(value, tuple | list):
        parts = list(value)
    else:
        return None
    return next((device for part in parts if (device := device_of(part)) is not None), None)
