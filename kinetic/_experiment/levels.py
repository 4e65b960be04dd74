"""Several runs of every arm: trainings of its field, and seeds of its noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import attrs
from torch import nn

from kinetic._experiment.overrides import merged
from kinetic._plugins.builder import named
from kinetic._roles.tree import inside
from kinetic._sample.runner import Runner
from kinetic.errors import RecipeError

Units = Sequence[Sequence[str]]
"""The runs of an arm: one tuple of names for each independent run, or training, with those that it averages."""


@final
@attrs.frozen
class Levels:
    """How often every arm is run.

    Args:
        trainings: `{name: table}`, what each training lays over every arm; none where the recipe has no such table.
        seeds: how many seeds of noise each training has.
        first: the first seed.
    """

    trainings: Mapping[str, Mapping[str, Any]]
    seeds: int
    first: int

    @property
    def of(self) -> str:
        """What the runs of an arm are; empty where there is one."""
        return "trainings" if self.trainings else "seeds" if self.seeds > 1 else ""

    def runs(self, arm: str) -> dict[str, tuple[str, int]]:
        """`{run: (training, seed)}`; the arm's own name where it is run once.

        No two runs of an arm have a seed in common: with one noise for all trainings an interval over trainings would
        leave out the spread of the noise. Arms have it in common, run by run, so differences stay paired.
        """
        runs = {}
        pairs = [(training, number) for training in self.trainings or ("",) for number in range(self.seeds)]
        for seed, (training, _) in enumerate(pairs, self.first):
            name = [arm, training, f"seed-{seed}" if self.seeds > 1 else ""]
            runs[".".join(filter(None, name))] = training, seed
        return runs

    def units(self, arm: str) -> Units:
        """The runs of an arm, training by training, or else seed by seed."""
        runs = [*self.runs(arm)]
        each = self.seeds if self.trainings else 1
        return tuple(tuple(runs[i : i + each]) for i in range(0, len(runs), each))

    def laid_over(self, key: str, table: Any, training: str) -> Any:
        """A table of an arm as a training has it."""
        over = self.trainings.get(training, {}).get(key, {})
        return merged(named(table), named(over), key) if over else table


def check_trainings(arms: Mapping[str, Units], weights: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse one training counted twice: the tensors of an arm's field must differ from training to training.

    Args:
        arms: the runs of each arm, as of `Levels.units`.
        weights: `{run: {part: SHA-256}}`.
    Raises:
        RecipeError: two trainings of an arm have a field of the same tensors, or of none.
    """
    for arm, units in arms.items():
        seen: dict[str | None, str] = {}
        for run in (unit[0] for unit in units):
            digest = weights.get(run, {}).get("field")
            if digest in seen:
                raise RecipeError(
                    f"{seen[digest]!r} and {run!r} are two trainings of one arm, but their fields hold "
                    f"{'the same tensors' if digest else 'no tensors'}: an interval over trainings would count one of "
                    f"them twice\n  Each table under [trainings] must give arm {arm!r} other weights, as in "
                    '`[trainings.b.field]` and `weights = "b.safetensors"`.'
                )
            seen[digest] = run


def trained_once(levels: Levels, arms: Sequence[str], runners: Mapping[str, Runner]) -> list[str]:
    """The arms whose field holds a network of which there is one training; `runners` are `{run: Runner}`."""
    if levels.trainings:
        return []
    return [arm for arm in arms if inside(runners[next(iter(levels.runs(arm)))].field, nn.Module)]
