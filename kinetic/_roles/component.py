"""What every part of kinetic is: a frozen attrs class whose fields are its options, abstract or final."""

from __future__ import annotations

import abc
import inspect
from typing import ClassVar

import attrs


@attrs.frozen(eq=False)
class Component(abc.ABC):
    """Base of the eight roles.

    A subclass is either abstract (it has abstract methods and cannot be made) or final (it can be made and cannot be
    subclassed). To change one method of a final class, wrap an instance of it in a class of your own.

    `imports_code` is true of a component that imports code it is given the name of, as its option `module`: no recipe
    may hold that option.
    """

    imports_code: ClassVar[bool] = False

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        for base in cls.__mro__[1:]:
            final = issubclass(base, Component) and not inspect.isabstract(base) and base is not Component
            if final and base.__qualname__ != cls.__qualname__:
                raise TypeError(f"{cls.__name__} subclasses {base.__name__}, which is final: wrap a {base.__name__}")
