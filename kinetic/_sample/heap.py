"""Memory that the allocator keeps after it was freed, given back."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, final

_KEPT = 2**23  # bytes that may pass before the allocator is asked to give back what is free


@final
class Heap:
    """Asks the C library now and then to give freed memory back to the system.

    glibc keeps blocks below its threshold, which grows to 32 MiB with use, in an arena that tensors of many sizes
    fragment: a run would seem to hold all its samples. Where the library has no `malloc_trim`, nothing is done.
    """

    def __init__(self) -> None:
        self._passed = 0

    def passed(self, size: int) -> None:
        """Note that so many bytes were used and freed."""
        self._passed += size
        trim = _trim()
        if self._passed >= _KEPT and trim is not None:
            trim(0)
            self._passed = 0


@cache
def _trim() -> Any:
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # there is no such library on this system
        return None
