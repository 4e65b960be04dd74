"""The views of a set of samples that metrics are asked for, and how files name what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from kinetic.errors import OptionError

PLAIN = "plain"
"""The samples as they are."""
DENOISED = "denoised"
"""After one more Euler step over what was left undone: x + (1 - I) v(x, I), where I < 1."""
CONTROL = "control"
"""The samples of the arm that another one is compared with, put back to its t = I and sent through the same step."""

T = TypeVar("T")


def in_files(views: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    """What the views say, under the names that tables and `scores.json` have: with `_denoised` the denoised ones."""
    named: dict[str, T] = {}
    for view, values in views.items():
        for name, value in values.items():
            key = name if view == PLAIN else f"{name}_{view}"
            if key in named:
                raise OptionError(f"two columns or values are called {key!r}: no name of its own may end in _{view}")
            named[key] = value
    return named


def split(name: str) -> tuple[str, str]:
    """The name and the view that a name in a file stands for."""
    base, end, rest = name.rpartition(f"_{DENOISED}")
    return (base, DENOISED) if end and not rest else (name, PLAIN)
