"""What whole recipes say of planted truths: declared claims, decided together with Holm over them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import numpy as np
import torch
from coverage_rows import Row
from coverage_verdicts import hump

from kinetic import Column, Run, Score, evidence
from kinetic._experiment.claims.claim import Claim
from kinetic._experiment.claims.correlation import CorrelationClaim
from kinetic._experiment.claims.decide_claims import decide_claims
from kinetic._experiment.claims.difference import DifferenceClaim
from kinetic._experiment.claims.optimum import OptimumClaim
from kinetic._experiment.claims.results import Results

Rng = np.random.Generator
Array = np.ndarray

REFUTED = ("does not hold", "holds, negligible")
HOLDS = ("holds", "holds, negligible")


def run_of(energy: Array, scores: Mapping[str, Array]) -> Run:
    """An arm of one energy `e` and scores of the metric `m`."""
    columns = {name: torch.as_tensor(column) for name, column in scores.items()}
    values = {name: evidence.Estimate(float(column.mean())) for name, column in scores.items()}
    score = Score(values, torch.arange(len(energy)), columns, described={name: Column(name) for name in columns})
    blank = torch.zeros(len(energy), 1)
    energies = {"e": torch.as_tensor(energy)}
    return Run(blank, blank, energies, {"plain": {"m": score}}, described={"e": Column("e", kind="energy")})


def said(claims: Mapping[str, Claim], runs: Mapping[str, Run], baselines: Mapping[str, str]) -> dict[str, str]:
    """The word of each claim of a recipe with these arms."""
    results = Results(runs, {arm: ((arm,),) for arm in runs}, {}, baselines, "", 0.1)
    return {row["name"]: row["word"] for row in decide_claims(claims, results, {})}


def _rho(name: str) -> CorrelationClaim:
    return CorrelationClaim(statement=name, arms="a", energy="e", scores=f"m.{name}", direction="higher", delta=0.1)


def _linked(rng: Rng, e: Array, rho: float) -> Array:
    r = 2 * np.sin(np.pi * rho / 6)
    return r * e + np.sqrt(1 - r * r) * rng.normal(size=len(e))


def recipe(rng: Rng, n: int) -> dict[str, str]:
    """Nine claims of one recipe: monotone, with an optimum inside, null, negligible, at the smallest effect; two arms."""
    e = rng.normal(size=n)
    scores = {name: _linked(rng, e, rho) for name, rho in RHO.items()}
    scores |= {name: hump(e, prominence) + rng.normal(size=n) for name, prominence in HUMP.items()}
    base = {name: rng.normal(size=n) for name in SHIFT}
    arm = {name: base[name] + shift + 0.5 * rng.normal(size=n) for name, shift in SHIFT.items()}
    claims: dict[str, Claim] = {name: _rho(name) for name in RHO}
    claims |= {name: OptimumClaim(statement=name, arms="a", energy="e", scores=f"m.{name}") for name in HUMP}
    claims |= {
        name: DifferenceClaim(statement=name, arms="b", scores=f"m.{name}", direction="higher") for name in SHIFT
    }
    return said(claims, {"a": run_of(e, {**scores, **base}), "b": run_of(e, {**scores, **arm})}, {"b": "a"})


RHO = {"monotone": 0.3, "none": 0.0, "negligible": 0.04, "smallest": 0.1}
HUMP = {"inside": 0.8, "flat": 0.0}
SHIFT = {"apart": 0.3, "same": 0.0, "hardly": 0.03}

PLANTED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "monotone": ("rho = .3, .1 matters", REFUTED),
    "none": ("rho = 0", HOLDS),
    "negligible": ("rho = .04", ()),
    "smallest": ("rho = .1, the smallest that matters", REFUTED),
    "inside": ("optimum of .8 sd", REFUTED),
    "flat": ("no optimum", HOLDS),
    "apart": ("difference of .3 sd, .1 matters", REFUTED),
    "same": ("no difference", HOLDS),
    "hardly": ("difference of .03 sd", ()),
}
"""What each claim says, and which words are false of it. That a negligible effect is there is true, if it is small."""


@lru_cache(maxsize=1000)
def _drawn(n: int, turn: int) -> dict[str, str]:
    """The claims of one recipe are of one draw."""
    return recipe(np.random.default_rng([n, turn]), n)


def _planted() -> Iterator[Row]:
    for name, (setting, wrong) in PLANTED.items():
        for n in (500, 2000):

            def trial(rng: Rng, n=n, name=name, turn=itertools.count()) -> str:  # noqa: B008
                return _drawn(n, next(turn))[name]

            yield Row("one of nine declared claims", setting, n, trial, wrong, 400)


def _families() -> Iterator[Row]:
    def null(rng: Rng) -> str:
        e = rng.normal(size=500)
        scores = {f"s{i}": rng.normal(size=500) for i in range(10)}
        words = said({name: _rho(name) for name in scores}, {"a": run_of(e, scores)}, {})
        return "one or more hold" if any(word.startswith("holds") for word in words.values()) else "none holds"

    yield Row("ten declared claims", "nothing is there", 500, null, ("one or more hold",), 1000)
    for rho, wrong in ((0.0, HOLDS), (0.1, REFUTED), (0.3, REFUTED)):
        yield Row("a claim of three arms", f"rho = {rho:g} in each, .1 matters", 500, _three(rho), wrong, 1000)


def _three(rho: float) -> Callable[[Rng], str]:
    def trial(rng: Rng) -> str:
        runs = {}
        for arm in "abc":
            e = rng.normal(size=500)
            runs[arm] = run_of(e, {"s": _linked(rng, e, rho)})
        claim = CorrelationClaim(statement="", arms=[*runs], energy="e", scores="m.s", direction="higher", delta=0.1)
        return said({"it": claim}, runs, {})["it"]

    return trial


CLAIMS = [*_planted(), *_families()]
