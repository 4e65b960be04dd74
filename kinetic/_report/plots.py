"""The pictures of a run, one by one, as matplotlib figures."""

from __future__ import annotations

from collections import Counter
from typing import final

import attrs
import numpy as np
from matplotlib.figure import Figure

from kinetic._display import Card, Displayed
from kinetic._report import canvas, figures, forest, grids, scatter
from kinetic._report import columns as meanings
from kinetic._report.chosen import numbers
from kinetic._report.drawable import Drawable
from kinetic.errors import UnknownNameError, unknown

_WITH_METERS = "Ask a meter for it, as [energy.NAME] in a recipe."


@final
@attrs.frozen(eq=False, repr=False)
class Plots(Displayed):
    """The pictures of a run, each a matplotlib figure that a notebook shows; `report.html` has the same.

    A column is named as in the table of the run, `kpe` or `support.support`; where one column alone ends so, its last
    part will do, `support`.

    Args:
        run: a `Run` or a `FinishedRun`, as `kinetic.plot` reads it.
    """

    run: Drawable

    def _card(self) -> Card:
        return Card("Plots", (("", "energy, power, grid, against, forest"),), inline=True)

    def energy(self) -> Figure:
        """The distribution of each main energy over the samples of each arm.

        Raises:
            UnknownNameError: the run has no energy.
        """
        names = meanings.energies(self.run, main=True)
        drawn = figures.distributions(self.run, {arm: numbers(self.run, arm, names) for arm in self.run.drawn})
        return _figure(drawn, f"the run has no energy\n  {_WITH_METERS}")

    def power(self, by: str | None = None) -> Figure:
        """An energy against time: mean over samples, middle half and middle 80%.

        Args:
            by: the column, a curve; by default the first there is.
        Raises:
            UnknownNameError: there is no such curve.
        """
        curves = meanings.curves(self.run)
        if by is not None and by not in curves:
            raise unknown("no curve against time is named", by, curves, _WITH_METERS)
        drawn = figures.curve(self.run, by or curves[0]) if curves else None
        return _figure(drawn, f"the run has no power against time: no column of it is a curve\n  {_WITH_METERS}")

    def grid(self, by: str | None = None, arm: str | None = None) -> Figure:
        """Samples of an arm in the order of a column, lowest first; points in the plane are coloured by it.

        Args:
            by: the column; by default the first energy.
            arm: of the samples; by default the first.
        Raises:
            UnknownNameError: there is no such arm or column, or the samples are neither images of 1 or 3 channels nor
                points in the plane.
        """
        arm = self._arm(arm)
        columns, (name,) = self._columns(arm, by or self._energy(arm))
        drawn = grids.grid(self.run, arm, columns, [name])
        shape = tuple(self.run.stored(arm).shape[1:])
        return _figure(
            drawn, f"samples of shape {shape} cannot be drawn\n  Images have 1 or 3 channels, points 2 coordinates."
        )

    def against(self, score: str, energy: str | None = None, arm: str | None = None) -> Figure:
        """An energy against a score, a point for each sample, with Spearman's rho where the evidence has it.

        Args:
            score: the column of an outcome.
            energy: the column of an energy; by default the first.
            arm: of the samples; by default the first.
        Raises:
            UnknownNameError: there is no such arm or column.
        """
        arm = self._arm(arm)
        columns, (first, second) = self._columns(arm, energy or self._energy(arm), score)
        return scatter.scatter(self.run, arm, columns, [first], [second]).figure

    def forest(self) -> Figure:
        """Effect and interval of each difference between arms, plain beside denoised.

        Raises:
            UnknownNameError: no arm was compared with another, as in a single `Run`.
        """
        drawn = forest.forest(self.run) if self.run.evidence["differences"] else None
        return _figure(
            drawn,
            "no arm was compared with another\n  A recipe with two [arms] compares them: "
            "kinetic.load_run(FOLDER).plot.forest().",
        )

    def _arm(self, arm: str | None) -> str:
        if arm is not None and arm not in self.run.drawn:
            raise unknown("no arm is drawn that is named", arm, self.run.drawn)
        return arm or self.run.drawn[0]

    def _energy(self, arm: str) -> str:
        there = numbers(self.run, arm, meanings.energies(self.run))
        if not there:
            raise UnknownNameError(f"the run has no energy\n  {_WITH_METERS}")
        return next(iter(there))

    def _columns(self, arm: str, *names: str) -> tuple[dict[str, np.ndarray], list[str]]:
        """The columns of an arm with what goes with them, and the whole names of those that are asked for."""
        rows = self.run.rows(arm)
        whole = [_whole(name, rows.column_names) for name in names]
        columns = numbers(self.run, arm, ["sample", "class", *whole])
        for name in whole:
            if name not in columns or columns[name].ndim > 1 or columns[name].dtype.kind not in "biuf":
                raise UnknownNameError(
                    f"the column {name!r} has no number for every sample of arm {arm!r}\n  Choose another."
                )
        return columns, whole


def _whole(name: str, there: list[str]) -> str:
    """The name of the column, where its last part was given too."""
    ends = [each for each in there if each.endswith(f".{name}")]
    if name in there or len(ends) == 1:
        return name if name in there else ends[0]
    if ends:
        raise UnknownNameError(f"several columns are named {name!r}\n  Say which: {', '.join(ends)}.")
    last = Counter(each.rpartition(".")[2] for each in there)
    raise unknown("no column is named", name, [e if last[s := e.rpartition(".")[2]] > 1 else s for e in there])


def _figure(drawn: canvas.Picture | None, why_not: str) -> Figure:
    if drawn is None:
        raise UnknownNameError(why_not)
    return drawn.figure
