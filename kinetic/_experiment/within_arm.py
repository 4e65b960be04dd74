"""How energy and outcome hang together among the samples of one arm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from kinetic import evidence
from kinetic._evaluate.views import PLAIN
from kinetic._sample.columns import NORMS
from kinetic._sample.run import Run
from kinetic.errors import within
from kinetic.evidence import Correlation, Estimate

Array = NDArray[Any]


def within_arm(arm: str, run: Run) -> dict[str, Any]:
    """The rows `correlations`, `groups`, `shares` and `multiplicity` of one arm; see `compare`."""
    keep = run.reached.numpy()
    with within(f"arm {arm!r}"):
        table = _Table.of(run, keep)
        return {
            "correlations": [table.row(row) for row in table.correlations()],
            "groups": list(table.groups()),
            "shares": _shares(run, keep) if keep.any() else {},
            "multiplicity": table.multiplicity(),
        }


def correlations(arm: str, run: Run) -> list[dict[str, Any]]:
    """The rows `correlations` of one arm alone."""
    with within(f"arm {arm!r}"):
        table = _Table.of(run, run.reached.numpy())
        return [table.row(row) for row in table.correlations()]


@attrs.frozen(eq=False)
class _Table:
    """The columns of one arm that are correlated, `{key: (n,)}`, and what the keys of its scores stand for."""

    run: Run
    columns: dict[str, Array]
    energies: list[str]
    scores: dict[str, tuple[str, str, str]]
    norms: list[str]
    strata: Array | None

    @classmethod
    def of(cls, run: Run, keep: Array) -> _Table:
        """Those of the samples that `keep` chooses."""
        if not keep.any():
            return cls(run, {}, [], {}, [], None)
        own = energies(run, keep)
        norms = {name: run.energy[name].numpy()[keep] for name in NORMS}
        norms = norms if all(np.isfinite(column).all() for column in norms.values()) else {}
        numbers = list(_numbers(run, keep))
        scores = {f"{view} {metric} {name}": (view, metric, name) for view, metric, name, _ in numbers}
        columns = {f"{view} {metric} {name}": column for view, metric, name, column in numbers}
        return cls(run, {**norms, **own, **columns}, [*own], scores, [*norms], classes(run, keep))

    def correlations(self) -> list[Correlation]:
        """Of every energy with every score."""
        if not self.energies or not self.scores:
            return []
        return evidence.spearman(self.columns, self.energies, [*self.scores], self.norms, self.strata)

    def row(self, row: Correlation) -> dict[str, Any]:
        """One of them as `evidence.json` has it."""
        estimates = {name: as_json(getattr(row, name)) for name in ("raw", "partial", "within")}
        numbers = {name: getattr(row, name) for name in ("gcm", "p", "q", "q_p")}
        return {**self._head(row.energy, row.score), "n": row.n, **estimates, **numbers, "beyond": row.beyond}

    def groups(self) -> Iterator[dict[str, Any]]:
        """The mean score of the fifths of the samples with the lowest and the highest energy, and the difference."""
        for energy in self.energies:
            groups = evidence.QuantileGroups.of(self.columns[energy], strata=self.strata)
            for key in self.scores:
                low, high, difference = (estimate.to_json() for estimate in groups.means(self.columns[key]))
                yield {**self._head(energy, key), "low": low, "high": high, "difference": difference}

    def multiplicity(self) -> dict[str, Any]:
        """How many of the intervals that are shown would miss 0 by chance."""
        energies = [energy for energy in self.energies if self.run.described[energy].main]
        scores = [key for key in self.scores if energies and self._head(energies[0], key)["shown"]]
        if not scores:
            return {"shown": 0, "mean": 0.0, "low": 0.0, "high": 0.0}
        return attrs.asdict(evidence.permutation_count(self.columns, energies, scores, self.norms, fifths=True))

    def _head(self, energy: str, key: str) -> dict[str, Any]:
        view, metric, name = self.scores[key]
        score = self.run.details[metric].described[name]
        shown = view == PLAIN and self.run.described[energy].main and score.main and score.kind == "score"
        return {"energy": energy, "metric": metric, "score": name, "view": view, "shown": shown}


def _shares(run: Run, keep: Array) -> dict[str, dict[str, Any]]:
    shares = {}
    for name, weights in run.terms.items():
        there = all(term in run.energy for term in weights) and name in run.energy
        columns = {term: run.energy[term].numpy()[keep] for term in (name, *weights)} if there else {}
        if there and all(np.isfinite(column).all() for column in columns.values()):
            terms = {term: weight * columns[term] for term, weight in weights.items()}
            carried = evidence.variance_shares(columns[name], terms, classes(run, keep))
            shares[name] = {term: share.to_json() for term, share in carried.items()}
    return shares


def classes(run: Run, keep: Array) -> Array | None:
    """The class of each sample that `keep` chooses, None without classes: their numbers are fixed by the ids."""
    return None if run.condition is None else run.condition.numpy()[keep]


def energies(run: Run, keep: Array) -> dict[str, Array]:
    """The energies of the samples that `keep` chooses, without norms, curves and columns that are not finite."""
    columns = {
        name: column.numpy()[keep]
        for name, column in run.energy.items()
        if column.dim() == 1 and run.described[name].kind == "energy" and name not in NORMS
    }
    return {name: column for name, column in columns.items() if np.isfinite(column).all()}


def _numbers(run: Run, keep: Array) -> Iterator[tuple[str, str, str, Array]]:
    """View, metric, name and the column of every score of single samples that is a finite number."""
    for view, scores in run.views.items():
        for metric, score in scores.items():
            for name, column in score.columns.items():
                values = score.column(name, torch.from_numpy(keep)).double().numpy()
                if column.is_floating_point() and np.isfinite(values).all():
                    yield view, metric, name, values


def as_json(estimate: Estimate | None) -> dict[str, float | None] | None:
    """As files have it."""
    return None if estimate is None else estimate.to_json()
