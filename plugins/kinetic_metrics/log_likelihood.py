"""The log density of a sample under a flow, by the instantaneous change of variables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import final

import attrs
import numpy as np
import torch
from kinetic_solvers import RK4
from torch import Tensor

from kinetic import Batch, Column, Estimate, SampleMetric, Samples, Solver, Status, VelocityField, options
from kinetic.errors import NonFiniteError, OptionError, ShapeError
from kinetic.types import PerSample, Rows, State, is_all
from kinetic_metrics.random_vectors import generators

_STREAM = 1  # of the generator of each sample: 0 is the noise of the runs


@final
@attrs.frozen(eq=False)
class LogLikelihood(SampleMetric):
    """log p_1(x_1) = log N(x_0; 0, I) - int_0^1 div v(x_t, t) dt along the path of the field that ends in the sample.

    The path is followed back from t = 1 - eps to 0 in float64, by a solver of dx/ds = -(1 - eps) v(x, (1 - eps)(1 - s))
    with s from 0 to 1, and the divergence is integrated with it. So the number is the density at time 1 - eps at the
    sample, in nats per unit of data volume: exact but for the solver's error, as neighbours or kernels are not.

    div v is the trace of the Jacobian by automatic differentiation: d rows of it for d <= `exact_up_to`, and above
    that Hutchinson's e^T (dv/dx) e, a mean over `probes` vectors e of random signs. These are a function of (seed,
    sample id) alone, the same along the whole path. Each velocity costs about as much again for each row or probe.

    Columns: `log_likelihood`; `bits_per_dim`, -log p / (d log 2), which for 8-bit images in [-1, 1] is log2 127.5, or
    6.99, below that of pixels in steps of 1; with 2 probes or more `probe_error`, the standard error of the first over
    its probes. Values: the means of the first two. It is the density of the field given, asked for the class of each
    sample: for guided samples give the guided field; the gain of a schedule is not in it. A field that generates its
    training data alone has no density.

    Args:
        field: the field whose density it is; differentiable, and finite in float64.
        solver: how the path is followed; more steps where the field is stiff near t = 1.
        eps: where the path is taken up; 0 for fields that are smooth up to t = 1.
        exact_up_to: the largest number of dimensions with the exact divergence.
        probes: how many random vectors above that.
        seed: of the probes.

    Source: Chen et al., Neural Ordinary Differential Equations, arXiv 1806.07366; Grathwohl et al., FFJORD,
    arXiv 1810.01367 (Hutchinson's estimator); eps: Song et al., arXiv 2011.13456.
    """

    field: VelocityField = options.component(VelocityField, doc="the field whose density it is")
    solver: Solver = options.component(Solver, RK4(steps=50), doc="how the path is followed back")
    eps: float = options.number(1e-5, at_least=0, below=1, doc="the path is taken up at t = 1 - eps")
    exact_up_to: int = options.integer(64, at_least=0, doc="largest number of dimensions with the exact divergence")
    probes: int = options.integer(1, at_least=1, at_most=10**4, doc="random vectors of the estimated divergence")
    seed: int = options.integer(0, at_least=0, at_most=2**64 - 1, doc="of the probes")

    described = (
        Column("log_likelihood", "Log density of the flow at a sample.", unit="nats"),
        Column("bits_per_dim", "The same, minus and for each dimension.", unit="bits", main=False),
        Column("probe_error", "Standard error of the log density over its probes.", kind="error", unit="nats"),
    )

    def columns(self, samples: Samples) -> dict[str, Tensor]:
        if samples.state.shape[1:] != self.field.event_shape:
            theirs = tuple(self.field.event_shape)
            raise ShapeError(f"samples have shape {tuple(samples.state.shape[1:])}, those of 'field' {theirs}")
        with torch.inference_mode(False), torch.no_grad():
            ids, asked = samples.ids.clone(), samples.condition
            asked = None if asked is None else asked.clone()  # what was made in inference mode takes no gradient
            return self._weigh(samples.state.clone().double(), ids, asked)

    def means(self, columns: Mapping[str, Tensor]) -> dict[str, Estimate]:
        return super().means({name: column for name, column in columns.items() if name != "probe_error"})

    def notes(self, columns: Mapping[str, Tensor]) -> tuple[str, ...]:
        d = self.field.event_shape.numel()
        divergence = "exact" if self._exact else f"estimated with {self.probes} probe(s) a sample"
        notes = [
            f"Log density under {type(self.field).__name__} at t = {1 - self.eps:.6g}, {d} dimensions, divergence "
            f"{divergence}, in nats per unit of data volume."
        ]
        if "probe_error" in columns:
            median = columns["probe_error"].median()
            notes.append(f"Median standard error of a log density by its probes: {median:.3g}.")
        elif not self._exact:
            notes.append("One probe a sample shows no error of its own; the mean over samples has it in its interval.")
        return tuple(notes)

    @property
    def _exact(self) -> bool:
        return self.field.event_shape.numel() <= self.exact_up_to

    def _weigh(self, x: State, ids: Tensor, asked: Tensor | None) -> dict[str, PerSample]:
        signs = None if self._exact else probes(self.seed, ids, self.probes, x[0].numel()).to(x.device)
        x0, change = _followed_back(self.field, self.solver, x, Batch(ids, asked), signs, 1 - self.eps)
        d = x0.shape[1]
        each = -0.5 * (x0.square().sum(1, keepdim=True) + d * math.log(2 * math.pi)) - change
        log_density = each.mean(1)
        columns = {"log_likelihood": log_density, "bits_per_dim": -log_density / (d * math.log(2))}
        if each.shape[1] > 1:
            columns["probe_error"] = each.std(1) / math.sqrt(each.shape[1])
        return columns


def probes(seed: int, ids: Tensor, count: int, d: int) -> Tensor:
    """Random signs float64 `(n, count, d)` on the CPU, a function of (seed, sample id) alone."""
    drawn = [2.0 * each.integers(0, 2, (count, d)) - 1 for each in generators(seed, ids, _STREAM)]
    return torch.from_numpy(np.stack(drawn))


def divergence(v: State, x: State, signs: Tensor | None, who: str) -> Tensor:
    """The trace of dv/dx of each sample, `(m, 1)`, or its estimates e^T (dv/dx) e, `(m, k)`.

    Args:
        v: `(m, *event)`, computed from x, each row from its own alone.
        x: `(m, *event)`, what the gradient is taken of.
        signs: the vectors e `(m, k, d)`, or None for the trace itself.
        who: the name of the field, for the error.
    Raises:
        OptionError: automatic differentiation does not get from v to x.
    """
    flat, d = v.flatten(1), x[0].numel()
    count = d if signs is None else signs.shape[1]
    parts = []
    for i in range(count):
        row = flat[:, i] if signs is None else (flat * signs[:, i].to(flat.dtype)).sum(1)
        try:
            (gradient,) = torch.autograd.grad(row.sum(), x, retain_graph=i < count - 1)
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:  # detached, made in inference mode, or written to in place
            raise OptionError(f"'field' must be differentiable, which {who} is not: {error}") from error
        slope = gradient.flatten(1)
        parts.append(slope[:, i] if signs is None else (slope * signs[:, i]).sum(1))
    return torch.stack(parts, 1).sum(1, keepdim=True) if signs is None else torch.stack(parts, 1)


def _followed_back(
    field: VelocityField, solver: Solver, x: State, batch: Batch, signs: Tensor | None, start: float
) -> tuple[Tensor, Tensor]:
    """x_0 `(n, d)` and int_0^start div v dt, `(n, 1)` or for each probe `(n, k)`, of paths that are at x at t = start.

    The solver is given the rows (x, integral so far) and the time s = 1 - t/start.
    """
    d, width = x[0].numel(), 1 if signs is None else signs.shape[1]

    def slope(y: State, s: PerSample, rows: Rows) -> State:
        t = start * (1 - s)
        some = batch.take(rows)
        chosen = signs if signs is None or is_all(rows) else signs[rows]
        with torch.enable_grad():
            at = y[:, :d].detach().reshape(-1, *x.shape[1:]).requires_grad_()
            v = field.velocity(at, t, Batch(some.ids, some.condition))  # with no memory: it would keep the graphs
            rate = divergence(v, at, chosen, type(field).__name__)
        change = torch.cat([v.detach().flatten(1), rate.to(y.dtype)], 1) * start
        bad = ~torch.isfinite(change).all(1)
        if bool(bad.any()):
            raise NonFiniteError(some.ids[bad].tolist(), float(t[bad][0]))
        change[:, :d] *= -1
        return change

    steps = solver.solve(slope, torch.cat([x.flatten(1), x.new_zeros(len(x), width)], 1))
    end = x.new_empty(len(x), d + width)
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            columns: Mapping[str, Tensor] = stop.value or {}
            break
        end[step.rows] = step.x1
    if "status" in columns and bool((columns["status"] != Status.REACHED).any()):
        stopped = int((columns["status"] != Status.REACHED).sum())
        raise OptionError(
            f"'solver' stopped on {stopped} of {len(x)} paths before t = 0: allow it more or smaller steps"
        )
    return end[:, :d], end[:, d:]
