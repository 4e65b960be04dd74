"""Every verdict of kinetic.evidence at planted truths."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from coverage_rows import Row, normal_pair

from kinetic import evidence

Rng = np.random.Generator
Array = np.ndarray


def _claims() -> Iterator[Row]:
    """That rho > 0, where .1 matters; the truth at 0, at the boundary, and beyond."""
    for r, wrong in (
        (0.0, ("holds", "holds, negligible")),
        (0.1047, ("does not hold", "holds, negligible")),
        (0.3, ("does not hold", "holds, negligible")),
    ):
        for n in (200, 500, 2000):

            def trial(rng: Rng, n=n, r=r) -> str:
                x, y = normal_pair(rng, n, r)
                rho = evidence.spearman({"x": x, "y": y}, ["x"], ["y"])[0].raw
                assert rho is not None
                return evidence.verdict(rho, "higher", 0.1).word

            yield Row("verdict, rho higher, delta .1", f"rho = {6 / np.pi * np.arcsin(r / 2):.2g}", n, trial, wrong)
    for mean, wrong in ((0.0, ("holds", "holds, negligible")), (0.2, ("does not hold", "holds, negligible"))):

        def either(rng: Rng, mean=mean) -> str:
            return evidence.verdict(evidence.mean(mean + rng.normal(size=500)), "either", 0.2).word

        yield Row("verdict, mean either, delta .2", f"mean = {mean:g}", 500, either, wrong)

    def family(rng: Rng) -> str:
        effects = evidence_of_five(rng)
        adjusted = evidence.holm([evidence.p_value(each) or 0.0 for each in effects])
        words = [evidence.verdict(e, "either", 0.0, adjusted=p).word for e, p in zip(effects, adjusted, strict=True)]
        return "one or more hold" if any(word.startswith("holds") for word in words) else "none holds"

    yield Row("Holm over 5 claims", "all 0, columns correlated .5", 200, family, ("one or more hold",))


def evidence_of_five(rng: Rng) -> list[evidence.Estimate]:
    """Five means of 0 over the same samples."""
    common = rng.normal(size=200)
    return [evidence.mean(np.sqrt(0.5) * (common + rng.normal(size=200))) for _ in range(5)]


def _beyond() -> Iterator[Row]:
    """Energy and score that have nothing to do with each other given three norms, or have."""
    truths: dict[str, Callable[[Rng, Array], tuple[Array, Array]]] = {  # of controls (3, n)
        "independent given three normals, sums": lambda rng, c: (c.sum(0) + _noise(rng, c), c.sum(0) + _noise(rng, c)),
        "score a function of the norms, + noise .1": lambda rng, c: (
            c.sum(0) + _noise(rng, c), np.tanh(c.sum(0)) + 0.1 * _noise(rng, c)),
        "both curved in the norms": lambda rng, c: (
            (c[0] + c[1]) ** 2 + _noise(rng, c), (c[0] - c[2]) ** 2 + c[1] ** 2 + _noise(rng, c)),
        "exponentials of the norms, unequal noise": lambda rng, c: (
            np.exp(c).sum(0) + np.exp(0.5 * c[0]) * _noise(rng, c), np.exp(c[0]) - np.exp(c[1]) + np.exp(0.5 * c[0]) * _noise(rng, c)),
    }  # fmt: skip
    for setting, draw in truths.items():
        for n in (200, 500, 2000):
            yield Row("beyond the norms (gcm)", setting, n, lambda rng, n=n, draw=draw: _gcm(rng, n, draw), ("beyond",))
    for n in (200, 500, 2000):
        yield Row(
            "beyond the norms (gcm)", "norms and product in 8 dimensions, ratios of them", n, _ratios(n), ("beyond",)
        )

    def linked(rng: Rng, c: Array) -> tuple[Array, Array]:
        x, y = normal_pair(rng, c.shape[1], 0.2)
        return c.sum(0) + x, c.sum(0) + y

    for n in (200, 500, 2000):
        yield Row("beyond the norms (gcm)", "r = .2 beyond", n, lambda rng, n=n: _gcm(rng, n, linked))
    for shift, wrong in ((0.0, ("classes differ",)), (0.3, ())):
        for n in (200, 2000):

            def classes(rng: Rng, n=n, shift=shift) -> str:
                labels, x, noise = np.arange(n) % 10, rng.normal(size=n), rng.normal(size=n)
                r = 0.3 + shift * np.where(labels < 5, 1, -1)
                table = {"x": x, "y": r * x + np.sqrt(1 - r * r) * noise}
                (row,) = evidence.spearman(table, ["x"], ["y"], strata=labels)
                return "classes differ" if row.q_p is not None and row.q_p < 0.05 else "alike"

            yield Row(
                "Cochran's Q", "r = .3 in all 10 classes" if not shift else "r = 0 in 5, .6 in 5", n, classes, wrong
            )


def _ratios(n: int) -> Callable[[Rng], str]:
    """Energy and score that are ratios and roots of ||x0||^2, <x0, x1> and ||x1||^2, with noise."""

    def trial(rng: Rng) -> str:
        x0, x1 = rng.normal(size=(2, n, 8))
        norms = np.stack([(x0 * x0).sum(1), (x0 * x1).sum(1), (x1 * x1).sum(1)])
        cosine = norms[1] / np.sqrt(norms[0] * norms[2])
        x, y = np.sqrt(norms[0] - 2 * norms[1] + norms[2]) + rng.normal(size=n), 2 * cosine + 0.5 * rng.normal(size=n)
        table = {"x": x, "y": y, **dict(zip("abc", norms, strict=True))}
        return _said(table)

    return trial


def _said(table: dict[str, Array]) -> str:
    return "beyond" if evidence.spearman(table, ["x"], ["y"], ["a", "b", "c"])[0].beyond else "not clear"


def _noise(rng: Rng, c: Array) -> Array:
    return rng.normal(size=c.shape[1])


def _gcm(rng: Rng, n: int, draw: Callable[[Rng, Array], tuple[Array, Array]]) -> str:
    c = rng.normal(size=(3, n))
    x, y = draw(rng, c)
    table = {"x": x, "y": y, **dict(zip("abc", c, strict=True))}
    return _said(table)


MONOTONE: dict[str, Callable[[Array], Array]] = {
    "flat": lambda x: 0 * x,
    "linear": lambda x: 0.5 * x,
    "exponential": np.exp,
    "saturating": lambda x: -np.exp(-1.5 * x) / 3,
    "step": lambda x: 2.0 * (x > 0.5),
    "logistic": lambda x: 2 / (1 + np.exp(-4 * x)),
    "rises to a plateau": lambda x: np.minimum(x, 0.0),
}
HUMPED = {"hump of .2 sd": 0.2, "hump of .4 sd": 0.4, "hump of .8 sd": 0.8}


def energy(rng: Rng, n: int, design: str) -> Array:
    """Normal, or skewed as a path energy is, at mean 0 and variance 1."""
    if design == "normal":
        return rng.normal(size=n)
    return (rng.gamma(2.0, size=n) - 2) / np.sqrt(2)


def hump(x: Array, prominence: float) -> Array:
    """A parabola whose middle fifth lies `prominence` above the mean of the outer ones, in units of the noise."""
    order = np.argsort(np.argsort(x)) / len(x)
    return prominence * (1 - np.square(2 * order - 1)) / 0.64


def _optimum() -> Iterator[Row]:
    for design in ("normal", "skewed"):
        for name, curve in MONOTONE.items():
            for n in (500, 2000):

                def trial(rng: Rng, n=n, curve=curve, design=design) -> str:
                    x = energy(rng, n, design)
                    return evidence.two_lines(x, curve(x) + rng.normal(size=n)).word

                yield Row("optimum inside", f"{name}, {design} energy", n, trial, ("holds", "holds, negligible"), 1000)
    for name, prominence in HUMPED.items():
        for n in (500, 2000):

            def humped(rng: Rng, n=n, prominence=prominence) -> str:
                x = energy(rng, n, "normal")
                return evidence.two_lines(x, hump(x, prominence) + rng.normal(size=n)).word

            yield Row(
                "optimum inside",
                name,
                n,
                humped,
                ("does not hold", "holds, negligible") if prominence > 0.3 else (),
                1000,
            )


STEP = 0.15
"""What the step that denoises adds to the latent likeness of every sample: it raises a share of .47 by .06."""

PLANTED = {
    "fresh leftover noise only": (0.0, 0.25),
    "fresh leftover noise only, step that moves nothing": (0.0, 0.25),
    "copies less by .03, and noise": (0.075, 0.25),
    "copies less by .06, and noise": (0.15, 0.25),
    "copies less by .10, and noise": (0.25, 0.25),
    "copies more by .02, hidden by noise": (-0.05, 0.05),
    "no difference": (0.0, 0.0),
}


def noise_trial(rng: Rng, n: int, less: float, hidden: float, step: float, delta: float = 0.02) -> str:
    """A yes/no score of two arms: latent likeness above 0; the arm's is lower by `less`, and by `hidden` until denoised."""
    base = rng.normal(size=n) - 0.075
    own = base - less + 0.15 * rng.normal(size=n)
    fresh = 0.1 * rng.normal(size=(2, n))
    plain, denoised = own - hidden + fresh[0] > 0, own + step > 0
    stepped = base + step + fresh[1] > 0
    differences = [
        evidence.paired_difference(*pair) for pair in ((plain, base > 0), (denoised, base > 0), (denoised, stepped))
    ]
    return evidence.noise_verdict(*differences, delta)


def _noise_verdicts() -> Iterator[Row]:
    for setting, (less, hidden) in PLANTED.items():
        step = 0.0 if "moves nothing" in setting else STEP
        wrong = {0: ("less", "more"), 1: ("more", "noise only", "no clear difference"), -1: ("less", "noise only")}
        for n in (500, 2000, 10000):
            yield Row(
                "noise verdict, delta .02", setting, n,
                lambda rng, n=n, case=(less, hidden, step): noise_trial(rng, n, *case),
                wrong[int(np.sign(less))], 1000,
            )  # fmt: skip


def _multiplicity() -> Iterator[Row]:
    for n in (300, 20_000):  # the second is ranged by its first 5,000

        def trial(rng: Rng, n=n) -> str:
            common = rng.normal(size=(2, n))
            table = {f"e{i}": common[0] + 0.5 * rng.normal(size=n) for i in range(4)}
            table |= {f"s{i}": common[1] + 0.5 * rng.normal(size=n) for i in range(8)}
            names = [f"e{i}" for i in range(4)], [f"s{i}" for i in range(8)]
            count = sum(bool(row.raw and row.raw.sign) for row in evidence.spearman(table, *names))
            chance = evidence.permutation_count(table, *names)
            return "above the range" if count > chance.high else "in it"

        yield Row(
            "permutation range, 32 intervals",
            "nothing correlated, columns near copies",
            n,
            trial,
            ("above the range",),
            500,
        )


VERDICTS = [row for rows in (_claims, _beyond, _optimum, _noise_verdicts, _multiplicity) for row in rows()]
