"""The abstract energy meter."""

from __future__ import annotations

import abc
from collections.abc import Mapping

import attrs
from torch import Tensor

from kinetic._roles.column import Column
from kinetic._roles.component import Component
from kinetic._roles.solver import Step
from kinetic.types import PerSample, State


@attrs.frozen(eq=False)
class EnergyMeter(Component):
    """Says what one step adds to each sample's account. The Runner does the adding, in float64, row by row."""

    @property
    def described(self) -> tuple[Column, ...]:
        """What its columns mean, the most telling first; a column that is not described is an energy."""
        return ()

    @property
    def listens(self) -> bool:
        """Whether it asks what velocities are made of, `kinetic.told(stage.v)`: fields tell it then."""
        return False

    @property
    def terms(self) -> Mapping[str, Mapping[str, float]]:
        """Columns that are sums of others, `{column: {term: weight}}`: the report shows what each does to the variance.

        A term is a column of this meter, or one of the Runner's own: `x0_sq`, `x0_dot_x1` or `x1_sq`.
        """
        return {}

    @abc.abstractmethod
    def adds(self, step: Step) -> Mapping[str, Tensor]:
        """What the step adds, `{account: (m, ...)}`; the same accounts for every step, best in float64."""

    @abc.abstractmethod
    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        """The columns that come of the accounts.

        Args:
            sums: `{account: (n, ...)}` float64, summed over all steps.
            x0, x1: `(n, *event)`, noise and sample.
        Returns:
            `{column: (n,)}`, or `(n, k)` for a curve of k points.
        """

    def columns_over(
        self, sums: Mapping[str, Tensor], x0: State, x1: State, duration: PerSample
    ) -> Mapping[str, Tensor]:
        """The columns of paths that another program walked, perhaps in part; by default `columns`.

        A meter that compares its accounts with the straight path overrides it: in the time T that path costs
        ||x1 - x0||^2 / (2 T).

        Args:
            sums, x0, x1: as of `columns`; x1 is NaN where the ends are not joined by the path alone.
            duration: T = t1 - t0 of each path, float64 `(n,)`.
        """
        return self.columns(sums, x0, x1)
