"""Errors that a component raises on its own, told as errors of kinetic: whose they are, and of which samples."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator

from kinetic._roles.component import Component
from kinetic.errors import ComponentError, KineticError, OutOfMemoryError

_NO_MEMORY = (  # as torch says it, on CPU and on devices, and NumPy
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "storage size calculation overflowed",
    "array is too big",
)


@contextlib.contextmanager
def naming(what: str, memory: str) -> Iterator[None]:
    """Foreign errors raised inside become errors of kinetic that say during `what`, by whom and where.

    `memory` is the way on where memory ran out.

    Raises:
        OutOfMemoryError: memory ran out.
        ComponentError: anything else.
    """
    try:
        yield
    except KineticError:
        raise
    except Exception as error:  # a stranger's component may raise anything
        if is_out_of_memory(error):
            raise OutOfMemoryError(f"{what}: memory ran out: {first_line(error)}\n  {memory}") from error
        who, where = _origin(error)
        raise ComponentError(f"{what}: {who} raised {type(error).__name__}: {error}\n  {where}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError | ValueError) and any(words in str(error).lower() for words in _NO_MEMORY)


def _origin(error: BaseException) -> tuple[str, str]:
    """The component that an error came through last, and the line of code of its package, or of kinetic."""
    who, where = "the code", ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        owner = frame.f_locals.get("self")
        if isinstance(owner, Component):
            who = type(owner).__name__
        if module.partition(".")[0] != "torch":
            where = f"In {frame.f_code.co_filename}, line {line}, {frame.f_code.co_name}."
    return who, where


def first_line(error: BaseException) -> str:
    """What an error says first: torch adds a traceback of its own."""
    return str(error).strip().partition("\n")[0]
