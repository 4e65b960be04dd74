"""What differs between two trees of plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kinetic.errors import shown

_MISSING = object()


def differences(theirs: Any, ours: Any, key: str = "") -> Iterator[str]:
    """A line for each value that is not the same: its key, what it is there, and what it is here."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        for name in [*theirs, *(name for name in ours if name not in theirs)]:
            below = f"{key}.{name}" if key else str(name)
            yield from differences(theirs.get(name, _MISSING), ours.get(name, _MISSING), below)
    elif theirs != ours or type(theirs) is not type(ours):
        yield f"{key} is {_said(theirs)} there and {_said(ours)} here"


def _said(value: Any) -> str:
    return "missing" if value is _MISSING else shown(value)
