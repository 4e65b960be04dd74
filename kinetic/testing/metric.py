"""What a metric promises."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from kinetic._roles.metric import Metric, Samples, Score
from kinetic._roles.sample_table import TableMetric
from kinetic._roles.tree import children
from kinetic.errors import KineticError
from kinetic.testing.check import Allowances, promised, say
from kinetic.testing.probe import apart, close, normal, shapes

_N = 24
_SAME = 1e-10


def samples_of(metric: Metric, allow: Allowances) -> Samples:
    """What it is given: the samples allowed for, or some in [-1, 1] of its references' shape or one that it takes."""
    if allow.samples is not None:
        return allow.samples
    given = next((tuple(data.event_shape) for data in metric.references), None)
    tried = shapes(allow.event_shape if given is None else given)
    for shape in tried[:-1]:
        try:
            metric.check(cut(_made(shape), range(2)))
        except (KineticError, RuntimeError, ValueError, IndexError):
            continue
        return _made(shape)
    return _made(tried[-1])


def _made(shape: tuple[int, ...]) -> Samples:
    ids = torch.arange(_N) * 7 % _N  # not in order
    return Samples(ids, normal(_N, *shape, dtype=torch.float32).mul(0.4).clamp(-1, 1), ids % 2)


def cut(samples: Samples, index: Sequence[int] | range) -> Samples:
    """Some of the samples, in the order of `index`."""
    rows = torch.tensor(list(index))
    condition = None if samples.condition is None else samples.condition[rows]
    x = samples.x[rows]
    state = x if samples.state is samples.x else samples.state[rows]
    return Samples(samples.ids[rows], x, condition, state=state)


def judged(metric: Metric, *batches: Samples) -> Score:
    """The score of batches, seen one after the other."""
    state = metric.begin()
    for batch in batches:
        state = metric.observe(state, cut(batch, range(len(batch.ids))))
    return metric.finish(state)


def _parts(samples: Samples, k: int) -> list[Samples]:
    """The samples in k batches of different sizes."""
    n = len(samples.ids)
    ends = [0, *(n * (i + 1) * (i + 2) // (k * (k + 1)) for i in range(k - 1)), n]
    return [cut(samples, range(a, b)) for a, b in itertools.pairwise(ends) if b > a]


def _states(metric: Metric, samples: Samples, k: int) -> list[Any]:
    """The states of k batches, each made anew: only `states_kept` looks at what is written to them."""
    return [metric.observe(metric.begin(), part) for part in _parts(samples, k)]


def _differing(score: Score, whole: Score, within: float) -> str:
    """What differs between two scores, in words, or nothing."""
    if set(score.values) != set(whole.values) or set(score.columns) != set(whole.columns):
        return f"{sorted({*score.values, *score.columns})} beside {sorted({*whole.values, *whole.columns})}"
    for name, estimate in whole.values.items():
        a, b = (torch.tensor([each.value], dtype=torch.float64) for each in (score.values[name], estimate))
        if not close(a, b, within):
            return f"{name!r}: {apart(a, b)}"
    for name, column in whole.columns.items():
        if not close(score.columns[name], column, within):
            return f"{name!r}: {apart(score.columns[name], column)}"
    return ""


@promised("metric")
def check_batches(metric: Metric, allow: Allowances) -> None:
    """The score is the same whatever batches the samples come in."""
    samples = samples_of(metric, allow)
    wrong = _differing(judged(metric, *_parts(samples, 3)), judged(metric, samples), allow.within(_SAME))
    remedy = "A state counts samples, not batches: no mean of means."
    say(not wrong, metric, "scores in batches as at once", wrong, remedy)


@promised("metric")
def check_order(metric: Metric, allow: Allowances) -> None:
    """The score is the same in whatever order the samples come."""
    samples = samples_of(metric, allow)
    turned = cut(samples, range(len(samples.ids) - 1, -1, -1))
    wrong = _differing(judged(metric, turned), judged(metric, samples), allow.within(_SAME))
    say(not wrong, metric, "scores in any order", wrong, "Sort by ids, or sum.")


@promised("metric")
def check_merge(metric: Metric, allow: Allowances) -> None:
    """Two states merge to that of having seen both."""
    samples = samples_of(metric, allow)
    first, second = _states(metric, samples, 2)
    wrong = _differing(metric.finish(metric.merge(first, second)), judged(metric, samples), allow.within(_SAME))
    say(not wrong, metric, "scores merged states as one", wrong, "Merge all that a state holds.")


@promised("metric")
def check_merge_either_way(metric: Metric, allow: Allowances) -> None:
    """merge(a, b) and merge(b, a) give the same score."""
    samples = samples_of(metric, allow)
    one, other = (
        metric.finish(metric.merge(*states))
        for states in (_states(metric, samples, 2), _states(metric, samples, 2)[::-1])
    )
    wrong = _differing(other, one, allow.within(_SAME))
    say(not wrong, metric, "merges either way", wrong, "Ranks and shards come in any order.")


@promised("metric")
def check_merge_of_three(metric: Metric, allow: Allowances) -> None:
    """merge(merge(a, b), c) and merge(a, merge(b, c)) give the score of all samples."""
    samples = samples_of(metric, allow)
    whole = judged(metric, samples)
    a, b, c = _states(metric, samples, 3)
    left = metric.finish(metric.merge(metric.merge(a, b), c))
    a, b, c = _states(metric, samples, 3)
    right = metric.finish(metric.merge(a, metric.merge(b, c)))
    wrong = _differing(left, whole, allow.within(_SAME)) or _differing(right, whole, allow.within(_SAME))
    say(not wrong, metric, "merges in any grouping", wrong, "A merged state is a state like any other.")


@promised("metric")
def check_merge_of_empty(metric: Metric, allow: Allowances) -> None:
    """A state that has seen nothing adds nothing when it is merged."""
    samples = samples_of(metric, allow)
    whole = judged(metric, samples)
    for before in (True, False):
        [seen] = _states(metric, samples, 1)
        merged = metric.merge(metric.begin(), seen) if before else metric.merge(seen, metric.begin())
        wrong = _differing(metric.finish(merged), whole, allow.within(_SAME))
        say(not wrong, metric, "merges with an empty state", wrong, "begin() is the zero of merge.")


@promised("metric")
def check_states_kept(metric: Metric, allow: Allowances) -> None:
    """`observe`, `merge` and `finish` write to no state that is passed in."""
    samples = samples_of(metric, allow)
    first, second = _states(metric, samples, 2)
    for use, states in (
        (lambda: metric.observe(first, cut(samples, range(len(samples.ids) // 2))), (first,)),
        (lambda: metric.merge(first, second), (first, second)),
        (lambda: metric.finish(first) if len(_parts(samples, 1)) else None, (first,)),
    ):
        kept = copy.deepcopy(states)
        try:
            use()
        except KineticError:  # too few to judge
            continue
        remedy = "Give a new state back: no append, no += on what it holds."
        say(_equal(states, kept), metric, "keeps the states it is given", "it writes to one", remedy)


def _equal(a: Any, b: Any) -> bool:
    """Whether two states hold the same."""
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and a.shape == b.shape and close(a, b, 0)
    if isinstance(a, tuple | list | dict):
        one, other = children(a), children(b)
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if hasattr(a, "__attrs_attrs__"):
        return all(_equal(getattr(a, f.name), getattr(b, f.name)) for f in a.__attrs_attrs__)
    if hasattr(a, "__dict__"):
        return _equal(dict(vars(a)), dict(vars(b)))
    try:
        return bool(a == b) or a != a  # noqa: PLR0124 - NaN
    except (ValueError, RuntimeError):  # arrays
        return bool((a == b).all())


@promised("metric")
def check_samples_kept(metric: Metric, allow: Allowances) -> None:
    """Samples are not written to."""
    samples = samples_of(metric, allow)
    seen = Samples(samples.ids.clone(), samples.x.clone(), samples.condition, state=samples.state.clone())
    metric.finish(metric.observe(metric.begin(), seen))
    kept = torch.equal(seen.x, samples.x) and torch.equal(seen.ids, samples.ids)
    kept &= torch.equal(seen.state, samples.state)
    say(kept, metric, "keeps the samples", "it writes to them", "No operation that ends in _: others see them too.")


@promised("metric")
def check_ids(metric: Metric, allow: Allowances) -> None:
    """Columns have a number for each sample, with the ids of all samples, ascending."""
    samples = samples_of(metric, allow)
    score = judged(metric, samples)
    if not score.columns:
        return
    remedy = "Score(values, ids, columns) with ids sorted, and the columns in their order."
    expected = samples.ids.sort().values
    right = score.ids is not None and torch.equal(score.ids, expected)
    say(right, metric, "gives the ids of its columns, ascending", f"they are {score.ids}", remedy)
    for name, column in score.columns.items():
        came = f"{name!r} is {tuple(column.shape)}"
        say(column.shape == expected.shape, metric, f"gives columns of {len(expected)} numbers", came, remedy)


@promised("metric")
def check_columns_of_ids(metric: Metric, allow: Allowances) -> None:
    """What is kept of a sample is of itself alone, where a metric keeps rows (`TableMetric.rows`)."""
    if not isinstance(metric, TableMetric):
        return
    samples = samples_of(metric, allow)
    together = metric.rows(samples)
    for i in (0, 3, len(samples.ids) - 1):
        alone = metric.rows(cut(samples, [i]))
        for name, row in together.items():
            same = close(alone[name], row[i : i + 1], allow.within(1e-9))
            remedy = "No mean, rank or norm over the batch: compare samples in `judge`."
            say(same, metric, "keeps of a sample what is its own", f"{name!r}: {apart(alone[name], row[[i]])}", remedy)


@promised("metric")
def check_described(metric: Metric, allow: Allowances) -> None:
    """Each value and column is described, by a `kinetic.Column` with a sentence."""
    score = judged(metric, samples_of(metric, allow))
    known = {key: each for each in (*metric.described, *score.described.values()) for key in (each.name, each.value)}
    silent = sorted(n for n in {*score.values, *score.columns} if n not in known or not known[n].says.endswith("."))
    remedy = "described = (kinetic.Column('name', 'What it is.', better='lower'), ...)."
    say(not silent, metric, "describes what it gives", f"{', '.join(silent)} says nothing", remedy)


@promised("metric")
def check_two_samples(metric: Metric, allow: Allowances) -> None:
    """`check` passes two of the samples that it can score, as the Runner gives it before a run."""
    metric.check(cut(samples_of(metric, allow), range(2)))
