"""The abstract time grid: where the steps of a solver end."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import attrs

from kinetic._roles.component import Component
from kinetic.errors import OptionError


@attrs.frozen(eq=False)
class TimeGrid(Component):
    """Where the steps of a solver on a fixed grid end, the same for every sample. It moves no path: only its steps."""

    @abc.abstractmethod
    def times(self, steps: int) -> list[float]:
        """`steps` + 1 times, from exactly 0.0 (noise) to exactly 1.0 (data), each larger than the one before.

        Raises:
            OptionError: the grid has no such number of steps.
        """

    def checked(self, steps: int) -> list[float]:
        """`times(steps)`, held to what they promise: what a solver asks for.

        Raises:
            OptionError: they are too many or too few, do not start at 0, do not end at 1, or do not rise.
        """
        times = self.times(steps)
        if fault := _fault(times, steps):
            raise OptionError(
                f"{type(self).__name__} must give {steps + 1} times that rise from 0 (noise) to 1 (data): {fault}"
            )
        return [float(t) for t in times]


def _fault(times: Sequence[float], steps: int) -> str | None:
    if len(times) != steps + 1:
        return f"it gives {len(times)}"
    if times[0] != 0 or times[-1] != 1:
        return f"they go from {times[0]} to {times[-1]}"
    fall = next((k for k in range(1, len(times)) if not times[k] > times[k - 1]), None)
    return None if fall is None else f"number {fall} is {times[fall]}, after {times[fall - 1]}"
