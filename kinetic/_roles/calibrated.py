"""The abstract grid that is laid out by what the paths of a field do."""

from __future__ import annotations

import abc
import math
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor

from kinetic import options
from kinetic._roles.grid import TimeGrid
from kinetic._roles.solver import Step
from kinetic.errors import OptionError, shown
from kinetic.types import PerSample

_WRITES = "`kinetic calibrate RECIPE --grid NAME --steps N --out FILE` writes one."


@attrs.frozen(eq=False)
class CalibratedGrid(TimeGrid):
    """A grid for the paths of one field: each step has the same share of a density of time, measured on such paths.

    A subclass states the density; `kinetic calibrate` measures it on paths of many short steps and writes a file, which
    this grid reads for any number of steps. In that file are the times of one number of steps, too: for grid `given`.

    The k-th of N times is where the share of the density is k/N; the density is constant on equal intervals of time.
    """

    formula: ClassVar[str]
    """What each step has the same share of, in words; it stands in the file."""

    path: str = options.text(doc="a file that `kinetic calibrate` wrote for this grid")
    _density: Tensor = attrs.field(init=False, repr=False)  # a tensor, so that its hash is kept with the run

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_density", _read(self.path, type(self)))

    def times(self, steps: int) -> list[float]:
        return spread(self._density.cpu(), steps)

    @classmethod
    @abc.abstractmethod
    def adds(cls, step: Step) -> PerSample:
        """What one short step of each path counts, `(m,)`.

        Args:
            step: of Euler's method, with two stages: the velocity that made the step, and that at its end; on the last
                step, whose end is t = 1, the first once more.
        """

    @classmethod
    def density(cls, counts: Tensor) -> Tensor:
        """The density of steps on K equal intervals of time, `(K,)`, to any scale; by default `counts`.

        Args:
            counts: `(K,)` float64, the mean over the paths of what they count on each interval.
        """
        return counts


def spread(density: Tensor, steps: int) -> list[float]:
    """`steps` + 1 times with the same share of a density between them, which is constant on equal intervals of time."""
    shares = torch.cat([density.new_zeros(1), density.cumsum(0)]) / density.sum()
    knots = torch.linspace(0, 1, len(shares), dtype=torch.float64)
    levels = torch.arange(1, steps, dtype=torch.float64) / steps
    k = torch.searchsorted(shares, levels).clamp(1, len(shares) - 1)
    inside = (levels - shares[k - 1]) / (shares[k] - shares[k - 1])
    return [0.0, *(knots[k - 1] + inside * (knots[k] - knots[k - 1])).tolist(), 1.0]


def check_density(density: Any, what: str) -> Tensor:
    """A density as float64 `(K,)`.

    Raises:
        OptionError: it is no list of two or more finite numbers >= 0, of which one is above 0.
    """
    right = isinstance(density, list) and len(density) > 1 and all(map(_is_density, density))
    if not right or not 0 < sum(map(float, density)) < math.inf:
        raise OptionError(f"{what} must be a list of finite numbers >= 0, not all of them 0: {shown(density)}")
    return torch.tensor(density, dtype=torch.float64)


def _is_density(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= sys.float_info.max


def _read(location: str, cls: type[CalibratedGrid]) -> Tensor:
    """The density that a file holds for grids of a class."""
    path = options.existing_file(location, what="a calibration", remedy=_WRITES)
    try:
        content: Mapping[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise OptionError(f"{path} cannot be read as a calibration: {error}\n  {_WRITES}") from error
    table = content.get("calibration")
    if not isinstance(table, Mapping) or "density" not in table:
        raise OptionError(
            f"{path} holds no [calibration] with a `density`: it was not written for this grid\n  {_WRITES}"
        )
    if table.get("class") != named(cls):
        raise OptionError(
            f"{path} was written for the grid {shown(table.get('grid'))} ({table.get('class')}), not for {named(cls)}\n"
            "  Name that grid, or calibrate this one; `given` takes the times of any."
        )
    return check_density(table["density"], f"{path}: `density`")


def named(cls: type) -> str:
    """How a file names a class of grids."""
    return f"{cls.__module__}.{cls.__qualname__}"
