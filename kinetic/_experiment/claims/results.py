"""The numbers of a run that claims are decided by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import evidence
from kinetic._experiment.between_arms import Array, Difference, Scores, between_arms, column_difference
from kinetic._experiment.claims.known import ENERGY, column_of, split_score
from kinetic._experiment.levels import Units
from kinetic._experiment.over_runs import differences_over_runs, estimate_over_runs
from kinetic._roles.column import Column
from kinetic._sample.run import Run
from kinetic.evidence import Estimate


@final
@attrs.frozen(eq=False)
class Results:
    """The runs of an experiment.

    Args:
        runs: `{run: Run}`.
        units: `{arm: its runs}`.
        controls: `{(run, baseline): {metric: Score}}`; see `Arms.controls`.
        baselines: `{arm: arm}`, what each is compared with in the recipe.
        of: what the runs of an arm are, trainings or seeds; empty where there is one.
        delta: the smallest difference that matters where a claim does not say.
    """

    runs: Mapping[str, Run]
    units: Mapping[str, Units]
    controls: Mapping[tuple[str, str], Scores]
    baselines: Mapping[str, str]
    of: str
    delta: float
    _pairs: dict[tuple[str, str], list[Difference]] = attrs.field(factory=dict, init=False)

    def first(self, arm: str) -> Run:
        """The first run of an arm."""
        return self.runs[self.units[arm][0][0]]

    def n(self, arm: str) -> int:
        """How many samples an arm has, or runs where it has several."""
        return len(self.units[arm]) if self.of else int(self.first(arm).reached.sum())

    def over(self, arm: str, number: Callable[[Run], Estimate | None]) -> Estimate | None:
        """A number of an arm: that of its run, or the mean over its runs with Student's interval."""
        if not self.of:
            return number(self.first(arm))
        return estimate_over_runs([[number(self.runs[run]) for run in unit] for unit in self.units[arm]])

    def score(self, arm: str, score: str) -> tuple[str, Column]:
        """Metric and column that a score of an arm is of; `energy` is the metric of energies."""
        run = self.first(arm)
        metric, name = split_score(score, run.details)
        described = run.described if metric == ENERGY else run.details[metric].described
        return metric, column_of(name, described.values()) or Column(name)

    def difference(self, arm: str, base: str, score: str) -> Difference | None:
        """Arm minus baseline of a score in each view, over its runs where it has several; None where there is none."""
        metric, column = self.score(arm, score)
        units = [
            [self._between(run, other, metric, column) for run, other in zip(unit, others, strict=True)]
            for unit, others in zip(self.units[arm], self.units[base], strict=True)
        ]
        if not self.of:
            return next(iter(units[0][0]), None)
        return next(differences_over_runs(units, self.of), None)

    def _between(self, run: str, other: str, metric: str, column: Column) -> list[Difference]:
        """The difference of two runs: none or one."""
        key = run, other
        if key not in self._pairs:
            self._pairs[key] = between_arms(run, other, self.runs, self.controls.get(key, {}))
        there = {each.name: each for each in self._pairs[key] if each.metric == metric}
        found = there.get(column.name) or there.get(column.value)
        if found is None and metric == ENERGY:
            found = column_difference(column.name, run, other, self.runs)
        return [] if found is None else [found]


def column_in(run: Run, metric: str, name: str) -> Array | None:
    """The numbers of the samples that reached t = 1, finite; None where there is no such column."""
    keep = run.reached
    column: Tensor | None = None
    if metric == ENERGY:
        column = run.energy[name][keep] if name in run.energy else None
    elif name in run.details[metric].columns:
        column = run.details[metric].column(name, keep)
    if column is None or column.dim() != 1 or not bool(torch.isfinite(column).all()):
        return None
    return column.double().numpy()


def value_in(run: Run, view: str, metric: str, column: Column) -> Estimate | None:
    """A score of a view of a run, or the mean of an energy over its samples."""
    if metric == ENERGY:
        values = column_in(run, metric, column.name)
        return None if values is None or not len(values) else evidence.mean(values)
    values_of = run.views.get(view, {})[metric].values if view in run.views else {}
    return values_of.get(column.value) or values_of.get(column.name)
