"""What a run leaves behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, final

import attrs
import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

import kinetic
from kinetic._display import Card, Displayed, several
from kinetic._evaluate.views import PLAIN, in_files
from kinetic._roles.column import Column
from kinetic._roles.metric import Metric, Score
from kinetic._roles.solver import Status
from kinetic._sample.columns import UNTIL
from kinetic._sample.shard import is_finite
from kinetic._sample.stored_samples import StoredSamples
from kinetic.evidence import Estimate

if TYPE_CHECKING:
    from kinetic import Plots

_SHOWN = 8  # samples that a note names
_COARSE = 0.1  # above this share of the spread between samples, the error of the energy is worth a warning


@final
@attrs.frozen(eq=False, repr=False)
class Run(Displayed):
    """What came of one run.

    Args:
        samples: `(n, ...)`, the samples as they are seen, ids 0 to n - 1, on the CPU; where the run has a store, they
            stay there, and `samples[ids]` reads some.
        denoised: the same, after one more Euler step over what was left undone; `samples` where nothing was.
        energy: `{column: (n,)}` float64 from the meters, `(n, k)` for a curve.
        views: `{view: {metric: Score}}`, what metrics say of the samples (`plain`) and, where noise was left in them,
            of the denoised ones (`denoised`), with intervals, per-sample columns and notes.
        condition: int64 `(n,)` class of each sample, or None.
        prompts: what each class is in words, where samples were asked for prompts.
        described: `{column: Column}`, what the columns of `energy` mean, the most telling first.
        terms: `{column: {term: weight}}`, columns of `energy` that are sums of others.
        warnings: what the dry run noticed.
        metrics: `{name: Metric}`, those that were asked.
        state: `(n, *event)`, the samples as the field moved them; `samples` where they are seen so.
        denoised_state: the same, denoised.
    """

    samples: Tensor | StoredSamples
    denoised: Tensor | StoredSamples
    energy: Mapping[str, Tensor]
    views: Mapping[str, Mapping[str, Score]]
    condition: Tensor | None = None
    described: Mapping[str, Column] = attrs.field(factory=dict)
    terms: Mapping[str, Mapping[str, float]] = attrs.field(factory=dict)
    warnings: tuple[str, ...] = ()
    metrics: Mapping[str, Metric] = attrs.field(factory=dict)
    prompts: tuple[str, ...] | None = None
    state: Tensor | StoredSamples = attrs.field(kw_only=True)
    denoised_state: Tensor | StoredSamples = attrs.field(kw_only=True)

    @state.default
    def _as_seen(self) -> Tensor | StoredSamples:
        return self.samples

    @denoised_state.default
    def _denoised_as_seen(self) -> Tensor | StoredSamples:
        return self.state if self.denoised is self.samples else self.denoised

    @property
    def details(self) -> Mapping[str, Score]:
        """`{metric: Score}` of the samples as they are."""
        return self.views.get(PLAIN, {})

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """The value of every score, with `_denoised` in the name those of the denoised samples."""
        return {metric: {n: e.value for n, e in values.items()} for metric, values in estimates(self.views).items()}

    @property
    def reached(self) -> Tensor:
        """bool `(n,)`, which samples reached t = 1; the energies of the others are those up to where they stopped."""
        if "status" not in self.energy:
            return torch.ones(len(self.samples), dtype=torch.bool)
        return self.energy["status"] == Status.REACHED

    @property
    def finite(self) -> Tensor:
        """bool `(n,)`, which samples have a path that was finite to the end; scores and energies are of these alone."""
        return is_finite(self.energy, len(self.samples))

    def _card(self) -> Card:
        n, *shape = self.samples.shape
        left_out = n - int(self.finite.sum())
        means = {
            name: float(self.energy[name][self.reached].mean())
            for name, column in self.described.items()
            if column.kind == "energy" and column.main and name in self.energy and self.energy[name].dim() == 1
        }
        facts = [("samples", f"{n:,} of {' x '.join(map(str, shape))}" + f", {left_out} left out" * bool(left_out))]
        facts += [("mean energy", several(f"{name} {mean:.4g}" for name, mean in means.items()))] if means else []
        facts += [(metric, score.in_short) for metric, score in self.details.items()]
        facts += [("note", note) for note in self.notes]
        return Card("Run", tuple(facts))

    @property
    def plot(self) -> Plots:
        """Its pictures as matplotlib figures: `run.plot.energy()`, `.power()`, `.grid()`, `.against()`, `.forest()`.

        What draws stands above what is drawn: it is asked for by its public name, `kinetic.plot`, when it is wanted.
        """
        return kinetic.plot(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the energies must know: samples that stopped, overflows, a grid that dominates."""
        return (*self.warnings, *self._quarantined(), *self._stopped(), *self._not_finite(), *self._coarse())

    def _quarantined(self) -> Iterator[str]:
        ids = (~self.finite).nonzero().flatten().tolist()
        if ids:
            times = self.energy[UNTIL][ids].tolist()
            shown = ", ".join(f"{i} (t = {t:.4g})" for i, t in zip(ids[:_SHOWN], times, strict=False))
            yield (
                f"{len(ids)} of {len(self.samples)} samples were left out of scores, energies and evidence, since the "
                f"velocity was not finite for them: {shown}{', ...' if len(ids) > _SHOWN else ''}. Check the field "
                "near these times, or use smaller steps."
            )

    def _stopped(self) -> Iterator[str]:
        stopped = ~self.reached & self.finite
        if bool(stopped.any()):
            codes = self.energy["status"][stopped].int().tolist()
            counts = ", ".join(f"{codes.count(s)} {s.words}" for s in Status if s in codes)
            yield (
                f"{len(codes)} of {len(stopped)} samples did not reach t = 1 ({counts}). Energies and evidence leave "
                "them out, scores do not. Loosen rtol and atol, or raise max_steps."
            )

    def _not_finite(self) -> Iterator[str]:
        for name, column in self.energy.items():
            bad = int((~column[self.reached].reshape(-1, max(1, column[0].numel())).isfinite().all(1)).sum())
            if bad:
                yield (
                    f"The column {name} is not finite for {bad} of {len(column)} samples: it is above the largest "
                    "number of float64, or not defined for them. It has no mean and no part in the evidence."
                )

    def _coarse(self) -> Iterator[str]:
        reached = self.reached
        for name in self.energy:
            if f"{name}_error" in self.energy and self.energy[name].dim() == 1 and int(reached.sum()) > 1:
                error = float(np.median(self.energy[f"{name}_error"][reached].numpy()))
                spread = float(self.energy[name][reached].std(correction=0))
                if error > _COARSE * spread:
                    share = f"{error / spread:.0%}" if spread else "more than all"
                    yield (
                        f"The grid dominates: the median error of {name}, {error:.3g}, is {share} of its spread "
                        f"between samples, {spread:.3g}. Take more steps or a higher order."
                    )

    @property
    def table(self) -> pa.Table:
        """A row per sample: `sample`, `class` and `prompt` where it has any, energies, and scores as `metric.column`.

        Those of denoised samples have `_denoised` in the name. `status`, where a path did not reach t = 1 or its solver
        can give up, says in words how it ended.
        """
        columns: dict[str, Any] = {"sample": pa.array(np.arange(len(self.samples)))}
        if self.condition is not None:
            columns["class"] = pa.array(self.condition.numpy())
            if self.prompts is not None:
                codes = pa.array(self.condition.numpy(), pa.int32())
                columns["prompt"] = pa.DictionaryArray.from_arrays(codes, pa.array(self.prompts, pa.string()))
        for name, column in self.energy.items():
            columns[name] = _in_words(column) if name == "status" else arrow(column)
        for metric, score in self.details.items():
            scored = in_files({view: scores[metric].columns for view, scores in self.views.items()})
            columns |= {f"{metric}.{name}": self._whole(arrow(column), score.ids) for name, column in scored.items()}
        return pa.table(columns)

    def _whole(self, column: pa.Array, ids: Tensor | None) -> pa.Array:
        """A column of scores with a row for every sample, null where it was left out."""
        if ids is None or len(ids) == len(self.samples):
            return column
        index = np.full(len(self.samples), -1)
        index[ids.numpy()] = np.arange(len(ids))
        return column.take(pa.array(index, mask=index < 0))


def estimates(views: Mapping[str, Mapping[str, Score]]) -> dict[str, dict[str, Estimate]]:
    """`{metric: {name: Estimate}}` of all views, under the names that files have."""
    metrics = views.get(PLAIN, {})
    return {name: in_files({view: scores[name].values for view, scores in views.items()}) for name in metrics}


def _in_words(status: Tensor) -> pa.Array:
    return pa.array([each.words for each in Status]).take(pa.array(status.int().numpy()))


def arrow(column: Tensor) -> pa.Array:
    """A column `(n,)` or `(n, k)` as arrow has it."""
    values = column.numpy()
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
