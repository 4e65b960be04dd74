"""What every part of kinetic is: a frozen attrs class whose fields are its options, abstract or final."""

from __future__ import annotations

import abc
import inspect
from typing import Any, ClassVar

import attrs

from kinetic._display import Displayed


@attrs.frozen(eq=False, repr=False)
class Component(Displayed, abc.ABC):
    """Base of the eight roles.

    A subclass is either abstract (it has abstract methods and cannot be made) or final (it can be made and cannot be
    subclassed). To change one method of a final class, wrap an instance of it in a class of your own.

    `imports_code` is true of a component that imports code it is given the name of, as its option `module`: no recipe
    may hold that option.
    """

    imports_code: ClassVar[bool] = False

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        if _is_written_by_attrs(vars(cls).get("__repr__")):
            cls.__repr__ = Displayed.__repr__  # type: ignore[method-assign]  # networks and tensors fill pages
        for base in cls.__mro__[1:]:
            final = issubclass(base, Component) and not inspect.isabstract(base) and base is not Component
            if final and base.__qualname__ != cls.__qualname__:
                raise TypeError(f"{cls.__name__} subclasses {base.__name__}, which is final: wrap a {base.__name__}")


def _is_written_by_attrs(method: Any) -> bool:
    """Whether attrs made a method up; one that a class has of its own stays."""
    return getattr(getattr(method, "__code__", None), "co_filename", "").startswith("<attrs generated")
