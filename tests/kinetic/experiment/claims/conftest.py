"""Runs whose numbers are known."""

import numpy as np
import pytest
import torch

from kinetic import Column, Run, Score, evidence
from kinetic._experiment.claims.results import Results

N = 1000
KINDS = {"nfe": "count", "gain": "label"}


@pytest.fixture
def make_run():
    """make_run(energy, **scores): columns of meters, and those of the metric `m`; `denoised` are its other view."""

    def make(energy, denoised=None, condition=None, **scores):
        n = len(next(iter(energy.values())))
        rng = np.random.default_rng(7)
        norms = {name: rng.normal(size=n) ** 2 for name in ("x0_sq", "x0_dot_x1", "x1_sq")}
        columns = {name: torch.as_tensor(column).double() for name, column in (norms | energy).items()}

        def score(values):
            tensors = {name: torch.as_tensor(column) for name, column in values.items()}
            means = {
                name: evidence.proportion(column.numpy())
                if column.dtype == torch.bool
                else evidence.mean(column.numpy())
                for name, column in tensors.items()
            }
            described = {name: Column(name, mean=f"mean_{name}") for name in tensors}
            named = {described[name].value: mean for name, mean in means.items()}
            return Score(named, torch.arange(n), tensors, described=described)

        views = {"plain": {"m": score(scores)}} | ({"denoised": {"m": score(denoised)}} if denoised else {})
        described = {name: Column(name, kind=KINDS.get(name, "energy")) for name in columns}
        return Run(torch.zeros(n, 2), torch.zeros(n, 2), columns, views, condition, described)

    return make


@pytest.fixture
def results():
    """results(runs, units=None, controls=None, baselines=None, of="")."""

    def make(runs, units=None, controls=None, baselines=None, of=""):
        units = units or {run: ((run,),) for run in runs}
        return Results(runs, units, controls or {}, baselines or {}, of, 0.05)

    return make


@pytest.fixture
def said():
    """said(claim, results): the word of the claim, and its parts."""

    def decide(claim, results):
        parts = list(claim.parts(results))
        return evidence.decide(evidence.joint([part.finding for part in parts])).word, parts

    return decide
