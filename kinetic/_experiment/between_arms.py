"""What differs between an arm and its baseline, in each view of the samples, and what may be said of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from kinetic import evidence
from kinetic._evaluate import protocol
from kinetic._evaluate.views import CONTROL, DENOISED, PLAIN
from kinetic._experiment.within_arm import as_json, classes, energies
from kinetic._roles.metric import Score
from kinetic._roles.sample_table import has_mean
from kinetic._roles.tree import options_given
from kinetic._sample.run import Run
from kinetic.errors import within
from kinetic.evidence import Estimate

Array = NDArray[Any]
Scores = Mapping[str, Score]
"""`{metric: Score}`."""
Controls = Mapping[str, Scores]
"""`{arm: {metric: Score}}`, of its baseline after the step that denoised the arm, or the arm after its baseline's."""


def between_arms(arm: str, base: str, runs: Mapping[str, Run], control: Mapping[str, Score]) -> list[Difference]:
    """What differs between an arm and its baseline, number by number; nothing where no pair of samples is whole."""
    one, other = runs[arm], runs[base]
    keep = (one.reached & other.reached).numpy()  # both ends of a pair, or neither
    return list(_differences(arm, base, one, other, control, keep)) if keep.any() else []


@attrs.frozen(eq=False)
class Difference:
    """One number of an arm minus that of its baseline in each view, and what a difference of one is worth.

    Args:
        metric, name: of which it is.
        views: `{view: Estimate}`.
        scale: the standard deviation of the baseline's column, or the size of its score of the set, or of a column of
            meters that does not vary.
        n: how many samples, or runs, it is of.
        of: what these are.
    """

    metric: str
    name: str
    views: Mapping[str, Estimate]
    scale: float
    n: int
    of: str = "samples"

    def rows(self, arm: str, base: str) -> list[dict[str, Any]]:
        """Its rows of `differences`; see `compare`."""
        head = self._head(arm, base)
        return [{**head, "view": view, **estimate.to_json()} for view, estimate in self.views.items()]

    def verdict(self, arm: str, base: str, delta: float) -> dict[str, Any]:
        """Its row of `verdicts`.

        `word`: less, more, noise only, undecided or no clear difference; `because`, where it is undecided; `scale`,
        what a difference of one is worth.
        """
        plain, size = self.views[PLAIN], delta * self.scale
        if DENOISED not in self.views:
            word = ("no clear difference", "more", "less")[plain.sign]
            return {**self._head(arm, base), "word": word, "because": "", "scale": self.scale}
        denoised = self.views[DENOISED]
        control = self.views.get(CONTROL, denoised)
        said = evidence.noise_verdict(plain, denoised, control, size)
        undecided = said == "undecided"
        because = evidence.undecided_because(denoised, control, size, self.n, self.of) if undecided else ""
        return {**self._head(arm, base), "word": said, "because": because, "scale": self.scale}

    def _head(self, arm: str, base: str) -> dict[str, Any]:
        return {"arm": arm, "against": base, "metric": self.metric, "name": self.name}


def column_difference(name: str, arm: str, base: str, runs: Mapping[str, Run]) -> Difference | None:
    """What differs in a column of meters, solver or Runner, an energy or not, between an arm and its baseline."""
    one, other = runs[arm], runs[base]
    keep = one.reached & other.reached
    columns = [run.energy[name][keep] for run in (one, other) if name in run.energy]
    if len(columns) < 2 or not bool(keep.any()) or not all(bool(c.isfinite().all()) and c.dim() == 1 for c in columns):
        return None
    mine, its = (column.double().numpy() for column in columns)
    with within(f"arms {arm!r} and {base!r}: column {name!r}"):
        difference = evidence.paired_difference(mine, its, classes(other, keep.numpy()))
    scale = float(its.std()) or abs(float(its.mean()))
    return Difference("energy", name, {PLAIN: difference}, scale, int(keep.sum()))


def _differences(
    arm: str, base: str, one: Run, other: Run, control: Mapping[str, Score], keep: Array
) -> Iterator[Difference]:
    strata, theirs = classes(one, keep), energies(other, keep)
    for name in energies(one, keep):
        known = column_difference(name, arm, base, {arm: one, base: other}) if name in theirs else None
        if known is not None:
            yield known
    pairs, same = list(_views(one, other, control)), torch.equal(one.finite, other.finite)
    for metric, score in one.details.items():
        if metric not in other.details or unlike(one, other, metric):
            continue
        found: dict[str, dict[str, Estimate]] = {}
        for view, mine, its in pairs:
            with within(f"arms {arm!r} and {base!r}: metric {metric!r}, {view}"):
                for name, difference in _of_scores(mine[metric], its[metric], keep, strata, same):
                    found.setdefault(name, {})[view] = difference
        for name in dict.fromkeys((*score.columns, *score.values)):
            if PLAIN in found.get(name, {}):
                scale = _scale(other.details[metric], name, keep)
                yield Difference(metric, name, found[name], scale, int(keep.sum()))


def _views(one: Run, other: Run, control: Scores) -> Iterator[tuple[str, Scores, Scores]]:
    yield PLAIN, one.details, other.details
    if DENOISED in one.views or DENOISED in other.views:
        mine, its = (run.views.get(DENOISED, run.details) for run in (one, other))
        yield DENOISED, mine, its
        if control:
            yield (CONTROL, mine, control) if DENOISED in one.views else (CONTROL, control, its)


def _of_scores(
    mine: Score, theirs: Score, keep: Array, strata: Array | None, same: bool
) -> Iterator[tuple[str, Estimate]]:
    """Differences of the means of columns, and of jackknifed scores of the set where both are of the `same` samples."""
    jackknifed = {
        name: (estimate, theirs.values[name])
        for name, estimate in mine.values.items()
        if same and name in theirs.values and evidence.comparable(estimate, theirs.values[name])
    }
    others = _averaged(theirs, keep)
    for name, column in _averaged(mine, keep).items():
        if name in others and name not in jackknifed:
            pair = column, others[name]
            if np.isfinite(pair).all():
                yield name, evidence.paired_difference(*pair, strata)
    for name, estimates in jackknifed.items():
        yield name, evidence.jackknife_difference(*estimates)


def _scale(score: Score, name: str, keep: Array) -> float:
    """The standard deviation of a column over samples, or the size of a score of the set."""
    if name in score.columns:
        return float(score.column(name, torch.from_numpy(keep)).double().numpy().std())
    value = score.values[name].value
    return abs(value) if math.isfinite(value) else 0.0


def _averaged(score: Score, keep: Array) -> dict[str, Array]:
    """Of the kept samples, columns that can be averaged: numbers, and yes and no as they are; no indices."""
    kept = {
        name: score.column(name, torch.from_numpy(keep))
        for name, column in score.columns.items()
        if has_mean(column) and score.described[name].kind != "index" and score.is_mean(name)
    }
    return {name: (x if x.dtype == torch.bool else x.double()).numpy() for name, x in kept.items()}


def side_by_side(
    arm: str, base: str, runs: Mapping[str, Run], compared: Iterable[Difference]
) -> Iterator[dict[str, Any]]:
    """The rows `side_by_side` of one pair of arms, of which some numbers are `compared`; see `compare`."""
    one, other = runs[arm], runs[base]
    known = {(each.metric, each.name) for each in compared}
    whole = bool((one.reached & other.reached).any())
    for metric, score in one.details.items():
        others = other.details[metric].values if metric in other.details else {}
        means = {score.value_of(name) for name in score.columns}
        for name, estimate in score.values.items():
            its = others.get(name)
            why = unlike(one, other, metric)
            if not why and whole and its is not None and name not in means and (metric, name) not in known:
                why = _without_difference(estimate, its, torch.equal(one.finite, other.finite))
            if why:
                head = {"arm": arm, "against": base, "metric": metric, "name": name, "why": why}
                yield {**head, "value": estimate.to_json(), "baseline": as_json(its)}


def _without_difference(mine: Estimate, its: Estimate, same: bool) -> str:
    """Why two scores of sets of the same metric have no difference."""
    if not same:
        return "not compared: samples of one arm were left out"
    if mine.leave_out is None or its.leave_out is None:
        return "not compared: no replicates"
    return "not compared: replicates of other groups"


def unlike(one: Run, other: Run, metric: str) -> str:
    """Why scores of a metric cannot be subtracted: what differs in how it was asked; empty where nothing does."""
    mine, theirs = one.metrics.get(metric), other.metrics.get(metric)
    if mine is None or theirs is None or mine is theirs:
        return ""
    if type(mine) is not type(theirs):
        return "they are other metrics"
    ours, its = options_given(mine), options_given(theirs)
    names = [name for name in ours if not (ours[name] is its[name] or _equal(ours[name], its[name]))]
    if names:
        return f"{' and '.join(map(repr, names))} {'differs' if len(names) == 1 else 'differ'}"
    protocols = [run.details[metric].protocol for run in (one, other) if metric in run.details]
    return protocol.unlike(*protocols, but=("samples",)) if len(protocols) == 2 else ""  # of samples, pair by pair


def _equal(a: Any, b: Any) -> bool:
    plain = (str, int, float, bool, tuple, type(None))
    return isinstance(a, plain) and isinstance(b, plain) and a == b
