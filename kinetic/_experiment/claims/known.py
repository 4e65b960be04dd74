"""What claims can be made about: the arms of a recipe, and the columns and scores that its components describe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import final

import attrs

from kinetic._roles.column import Column
from kinetic._sample.columns import OWN
from kinetic._sample.runner import Runner
from kinetic.errors import OptionError, unknown

ENERGY = "energy"
"""Under which the columns of meters, solver and Runner stand, beside the metrics."""


@final
@attrs.frozen(eq=False)
class Known:
    """The arms of a recipe.

    Args:
        runners: `{arm: Runner}`, one run of each.
        baselines: `{arm: arm}`, what each is compared with.
    """

    runners: Mapping[str, Runner]
    baselines: Mapping[str, str]

    def check_arm(self, arm: str) -> None:
        """Refuse an arm that is not there."""
        if arm not in self.runners:
            raise unknown("no arm is named", arm, self.runners)

    def check_baseline(self, arm: str, baseline: str | None = None) -> None:
        """Refuse an arm that is compared with none, or with itself."""
        if baseline == arm or arm not in self.baselines:
            what = "itself" if baseline == arm else "no other"
            raise OptionError(
                f"arm {arm!r} is compared with {what}, so nothing differs\n  Name another as `baseline` of the claim."
            )

    def check_energy(self, arm: str, name: str) -> None:
        """Refuse a column that no meter of the arm has."""
        runner = self.runners[arm]
        parts = [meter.described for meter in runner.meters.values()]
        described = [column for part in (*parts, runner.solver.described, OWN) for column in part]
        if all(parts) and column_of(name, described) is None:
            raise unknown(f"arm {arm!r} has no energy", name, (column.name for column in described))

    def check_score(self, arm: str, score: str) -> None:
        """Refuse a score that no metric of the arm has; `METRIC.NAME`, or the name of an energy.

        What a metric that describes nothing gives is known when it has run.
        """
        metrics = self.runners[arm].metrics
        metric, name = split_score(score, metrics)
        if metric == ENERGY:
            if "." in score and not score.startswith(f"{ENERGY}."):
                raise unknown(f"arm {arm!r} has no metric", score.partition(".")[0], metrics)
            self.check_energy(arm, name)
            return
        described = metrics[metric].described
        if described and column_of(name, described) is None:
            known = dict.fromkeys(each for column in described for each in (column.name, column.value))
            raise unknown(f"metric {metric!r} of arm {arm!r} has no score", name, known)


def split_score(score: str, metrics: Iterable[str]) -> tuple[str, str]:
    """Metric and name of `METRIC.NAME`; of what begins with no metric, `energy` and the name."""
    metric = max((each for each in metrics if score.startswith(f"{each}.")), key=len, default=ENERGY)
    return metric, score.removeprefix(f"{metric}.")


def column_of(name: str, described: Iterable[Column]) -> Column | None:
    """The column that is named so, or else the one whose mean is; None where there is none."""
    columns = list(described)
    named = [column for column in columns if column.name == name]
    return next(iter([*named, *(column for column in columns if column.value == name)]), None)
