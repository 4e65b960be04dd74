"""Every interval of kinetic.evidence at truths that are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from coverage_rows import Row, holds, normal_pair, spearmans
from scipy import stats

from kinetic import evidence

Rng = np.random.Generator


def _means() -> Iterator[Row]:
    for n in (10, 20, 49, 50, 200, 2000, 6000):
        yield Row("mean", "exponential", n, lambda rng, n=n: holds(evidence.mean(rng.exponential(size=n)), 1.0))
    for n in (40, 200, 2000):
        labels, offsets = np.arange(n) % 10, np.linspace(-2, 2, 10)

        def stratified(rng: Rng, labels=labels, offsets=offsets) -> bool:
            return holds(evidence.mean(offsets[labels] + rng.exponential(size=len(labels)), labels), 1.0)

        yield Row("mean, strata", "exponential + class means, sd 1.3, 10 classes", n, stratified)
    for k in (5, 10):
        for ratio in (0.0, 1.0, 5.0):
            setting = f"spread between runs {ratio:g} times that within"
            yield Row(
                "mean over runs", setting, k,
                lambda rng, k=k, ratio=ratio: holds(
                    evidence.over_runs(ratio * rng.normal(size=k) + rng.normal(size=k)), 0.0
                ),
            )  # fmt: skip


def _yes_and_no() -> Iterator[Row]:
    for n, p in ((50, 0.02), (200, 0.02), (200, 0.5)):
        yield Row("share", f"p = {p:g}", n, lambda rng, n=n, p=p: holds(evidence.proportion(rng.random(n) < p), p))
    for n in (50, 200, 2000):
        p = np.linspace(0.05, 0.95, 10)[np.arange(n) % 10]
        yield Row(
            "share, strata", "p from .05 to .95 in 10 classes", n,
            lambda rng, n=n, p=p: holds(evidence.proportion(rng.random(n) < p, np.arange(n) % 10), 0.5),
        )  # fmt: skip
    cases = ((200, 0.0, 0.0), (500, 0.002, 0.0), (500, 0.004, 0.0), (50, 0.1, 0.1), (200, 0.1, 0.05), (2000, 0.2, 0.1))
    for n, yes_no, no_yes in cases:

        def paired(rng: Rng, n=n, yes_no=yes_no, no_yes=no_yes) -> bool:
            u, both = rng.random(n), rng.random(n) < 0.5
            a = (u < yes_no) | ((u > yes_no + no_yes) & both)
            b = ((u >= yes_no) & (u < yes_no + no_yes)) | ((u > yes_no + no_yes) & both)
            return holds(evidence.paired_difference(a, b), yes_no - no_yes)

        yield Row("yes/no difference", f"{yes_no:.1%} lost, {no_yes:.1%} won", n, paired)
    for n in (200, 2000):
        lost = np.linspace(0, 0.5, 10)[np.arange(n) % 10]

        def stratified(rng: Rng, n=n, lost=lost) -> bool:
            a = rng.random(n) < 0.5
            b = a ^ (rng.random(n) < lost)
            return holds(evidence.paired_difference(a, b, np.arange(n) % 10), 0.0)

        yield Row("yes/no difference, strata", "0 to 50% changed in 10 classes", n, stratified)


def _correlations() -> Iterator[Row]:
    for n, r in ((50, 0.0), (50, 0.5), (200, 0.0), (200, 0.5), (200, 0.9), (2000, 0.5)):

        def raw(rng: Rng, n=n, r=r) -> bool:
            x, y = normal_pair(rng, n, r)
            return holds(evidence.spearman({"x": x, "y": y}, ["x"], ["y"])[0].raw, spearmans(r))

        yield Row("rho", f"normal, r = {r:g}", n, raw)

    def heavy(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=n)
        return np.round(2 * x), x + np.abs(x) * rng.standard_t(3, size=n)

    x, y = heavy(np.random.default_rng(0), 2_000_000)
    truth = stats.spearmanr(x, y).statistic
    for n in (50, 200, 2000):

        def tied(rng: Rng, n=n) -> bool:
            x, y = heavy(rng, n)
            return holds(evidence.spearman({"x": x, "y": y}, ["x"], ["y"])[0].raw, truth)

        yield Row("rho", "rounded energy, score of t(3) noise that grows with it", n, tied)
    for n in (200, 2000):

        def of_classes(rng: Rng, n=n) -> bool:
            c = np.arange(n) % 10 - 4.5
            x, y = normal_pair(rng, n, 0.4)
            (row,) = evidence.spearman({"x": x + c, "y": y - 0.5 * c}, ["x"], ["y"], strata=np.arange(n) % 10)
            return holds(row.within, spearmans(0.4))

        yield Row("rho within classes", "r = .4 in each of 10 classes, pooled < 0", n, of_classes)
    for n in (50, 200, 2000):
        yield Row("partial rho", "sum of three normals held fixed, r = .3 beyond", n, lambda rng, n=n: _partial(rng, n))
    table = _unequal(np.random.default_rng(0), 400_000)
    beyond = evidence.spearman(table, ["x"], ["y"], ["a", "b", "c"])[0].partial
    assert beyond is not None
    for n in (50, 200, 2000):

        def unequal(rng: Rng, n=n, truth=beyond.value) -> bool:
            return holds(evidence.spearman(_unequal(rng, n), ["x"], ["y"], ["a", "b", "c"])[0].partial, truth)

        yield Row("partial rho", "noise of both grows with a norm", n, unequal)
    yield from _pooled_with_strata()


def _unequal(rng: Rng, n: int) -> dict[str, np.ndarray]:
    c, (u, v) = rng.normal(size=(3, n)), rng.normal(size=(2, n))
    scale = np.exp(0.5 * c[0])
    y = c[0] - c[1] + scale * (0.4 * u + v) + 0.5 * c[0] ** 2
    return {"x": c.sum(0) + scale * u, "y": y, **dict(zip("abc", c, strict=True))}


def _partial(rng: Rng, n: int, r: float = 0.3) -> bool:
    norms = rng.normal(size=(3, n)) * np.array([[1.0], [2.0], [0.5]])
    x, y = normal_pair(rng, n, r)
    table = {"x": x + norms.sum(0), "y": y - norms[0] + norms[1], **dict(zip("abc", norms, strict=True))}
    return holds(evidence.spearman(table, ["x"], ["y"], ["a", "b", "c"])[0].partial, spearmans(r))


def _pooled_with_strata() -> Iterator[Row]:
    def draw(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        labels = np.arange(n) % 10
        x, y = normal_pair(rng, n, 0.4)
        return x + 0.3 * (labels - 4.5), y - 0.3 * (labels - 4.5), labels

    x, y, _ = draw(np.random.default_rng(0), 2_000_000)
    truth = stats.spearmanr(x, y).statistic
    for n in (200, 2000):

        def trial(rng: Rng, n=n) -> bool:
            x, y, labels = draw(rng, n)
            return holds(evidence.spearman({"x": x, "y": y}, ["x"], ["y"], strata=labels)[0].raw, truth)

        yield Row("rho, strata", "10 classes of unlike means", n, trial)


def _fifths() -> Iterator[Row]:
    """Of a normal energy the mean of the highest fifth is 1.39981."""
    top = float(stats.norm.pdf(stats.norm.ppf(0.8)) / 0.2)
    for n in (50, 200, 2000):

        def linear(rng: Rng, n=n) -> bool:
            e, s = normal_pair(rng, n, 0.9)
            return holds(evidence.quantile_groups(e, s)[2], 2 * 0.9 * top)

        yield Row("fifths, high - low", "normal, r = .9", n, linear)
    highest, lowest = (5 * np.exp(0.5) * stats.norm.cdf(stats.norm.ppf(0.2) + shift) for shift in (-1, 1))
    truth = float(5 * np.exp(0.5) * (1 - stats.norm.cdf(stats.norm.ppf(0.8) + 1)) - lowest), highest
    for n in (50, 200, 2000):

        def curved(rng: Rng, n=n) -> bool:
            e = rng.normal(size=n)
            return holds(evidence.quantile_groups(e, np.exp(-e))[2], truth[0])

        yield Row("fifths, high - low", "score = exp(-E)", n, curved)


def _shares() -> Iterator[Row]:
    for n in (50, 200, 2000):

        def gaussian(rng: Rng, n=n) -> bool:
            x, y = rng.normal(size=n), 2 * rng.normal(size=n)
            return holds(evidence.variance_shares(x + y, {"x": x})["x"], 0.2)

        yield Row("share of variance", "normal, .2", n, gaussian)

        def skewed(rng: Rng, n=n) -> bool:
            x, y = rng.chisquare(4, size=n), 2 * rng.chisquare(4, size=n)
            return holds(evidence.variance_shares(x + y, {"x": x})["x"], 0.2)

        yield Row("share of variance", "chi^2 of 4, .2", n, skewed)


def _jackknife() -> Iterator[Row]:
    groups = evidence.groups(np.arange(400))

    def trial(rng: Rng) -> bool:
        x = rng.normal(size=400)
        return holds(evidence.jackknife(x.var(), [x[groups != g].var() for g in range(evidence.GROUPS)]), 1.0)

    yield Row("jackknife", "variance of a normal", 400, trial)


INTERVALS = [
    row for rows in (_means, _yes_and_no, _correlations, _fifths, _shares, _jackknife) for row in rows()
]  # fmt: skip
