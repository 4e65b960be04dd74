"""What a time grid promises."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kinetic._roles.grid import TimeGrid
from kinetic.errors import OptionError
from kinetic.testing.check import Allowances, promised, say


def grids(grid: TimeGrid, allow: Allowances) -> Iterator[tuple[int, list[float]]]:
    """Each number of steps that the grid does not refuse, and its times."""
    for n in allow.steps:
        try:
            times = grid.times(n)
        except OptionError:
            continue
        yield n, times


@promised("grid")
def check_some_steps(grid: TimeGrid, allow: Allowances) -> None:
    """It has times for some number of steps."""
    came = f"it refuses {list(allow.steps)}"
    remedy = "Refuse only what it cannot have; give the check such numbers as steps=[...]."
    say(any(True for _ in grids(grid, allow)), grid, "has a number of steps", came, remedy)


@promised("grid")
def check_floats(grid: TimeGrid, allow: Allowances) -> None:
    """Times are a list of Python floats, finite."""
    for _, times in grids(grid, allow):
        right = isinstance(times, list) and all(type(t) is float and math.isfinite(t) for t in times)
        say(right, grid, "gives a list of floats", f"it gives {str(times)[:90]}", "[float(t) for t in ...].")


@promised("grid")
def check_count(grid: TimeGrid, allow: Allowances) -> None:
    """There is one time more than steps."""
    for n, times in grids(grid, allow):
        came = f"it gives {len(times)}"
        say(len(times) == n + 1, grid, f"gives {n + 1} times for {n} steps", came, "Both ends are times.")


@promised("grid")
def check_ends(grid: TimeGrid, allow: Allowances) -> None:
    """Times go from exactly 0 to exactly 1."""
    for _, times in grids(grid, allow):
        came = f"it goes from {times[0]!r} to {times[-1]!r}"
        say(times[0] == 0 and times[-1] == 1, grid, "goes from 0 to 1", came, "Set both ends by hand.")


@promised("grid")
def check_rises(grid: TimeGrid, allow: Allowances) -> None:
    """Each time is larger than the one before."""
    for n, times in grids(grid, allow):
        fall = next((k for k in range(1, len(times)) if not times[k] > times[k - 1]), None)
        came = "" if fall is None else f"of {n} steps number {fall} is {times[fall]}, after {times[fall - 1]}"
        say(fall is None, grid, "rises", came, "Equal times are a step of length 0.")
