"""States of a metric of torchmetrics, by group of samples: put together, and loaded back without a group."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import torch
from torch import Tensor

_Sums = Mapping[str, Tensor]
_PUT_TOGETHER: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "dim_zero_sum": torch.add,
    "dim_zero_max": torch.maximum,
    "dim_zero_min": torch.minimum,
}


@attrs.frozen(eq=False)
class States:
    """What a metric holds after it saw samples.

    Args:
        ids: int64 `(n,)`, in the order in which they came.
        width: of the features, where it is shown such.
        sums: `{group: {name: tensor}}`, of states that are tensors.
        rows: `{name: ((group, ids, tensor), ...)}`, of states that are lists.
        settings: plain attributes that it sets when it is shown something.
    """

    ids: Tensor = attrs.field(factory=lambda: torch.zeros(0, dtype=torch.int64))
    width: int = 2
    sums: Mapping[int, _Sums] = attrs.field(factory=dict)
    rows: Mapping[str, tuple[tuple[int, Tensor, Tensor], ...]] = attrs.field(factory=dict)
    settings: Mapping[str, Any] = attrs.field(factory=dict)

    @classmethod
    def of(cls, metric: Any, width: int, group: int, ids: Tensor) -> States:
        """Of a metric that was reset and then shown these samples, all of one group."""
        sums, rows = {}, {}
        for name, default in metric._defaults.items():
            held = getattr(metric, name)
            if not isinstance(default, list):
                sums[name] = held.detach().cpu().clone()
            elif held:
                rows[name] = ((group, ids, torch.cat([torch.atleast_1d(each.detach().cpu()) for each in held])),)
        return cls(ids, width, {group: sums}, rows, _settings(metric))

    def concat(self, other: States, metric: Any) -> States:
        """Both, of one metric."""
        sums = dict(self.sums)
        for group, theirs in other.sums.items():
            sums[group] = _together(sums[group], theirs, metric) if group in sums else theirs
        names = dict.fromkeys((*self.rows, *other.rows))
        rows = {name: self.rows.get(name, ()) + other.rows.get(name, ()) for name in names}
        width = self.width if len(self.ids) else other.width
        return States(torch.cat([self.ids, other.ids]), width, sums, rows, {**self.settings, **other.settings})

    def load(self, metric: Any, without: int | None = None) -> None:
        """Bring a metric, one that was reset, to this state, without the samples of a group."""
        for name, value in self.settings.items():
            setattr(metric, name, value)
        kept = [sums for group, sums in sorted(self.sums.items()) if group != without]
        for name, value in functools.reduce(lambda a, b: _together(a, b, metric), kept).items():
            setattr(metric, name, value)
        for name, parts in self.rows.items():
            setattr(metric, name, [_sorted([(ids, rows) for group, ids, rows in parts if group != without])])


def _together(a: _Sums, b: _Sums, metric: Any) -> _Sums:
    return {name: _PUT_TOGETHER[metric._reductions[name].__name__](a[name], b[name]) for name in a}


def _sorted(parts: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Rows in the order of the ids, where there is one for each; else part by part, in the order of their first."""
    parts = sorted(parts, key=lambda part: int(part[0][0]))
    ids, rows = (torch.cat(each) for each in zip(*parts, strict=True))
    return rows[torch.argsort(ids)] if len(ids) == len(rows) else rows


def _settings(metric: Any) -> dict[str, Any]:
    plain = (str, int, float, bool, torch.dtype)
    held = vars(metric).items()
    return {name: value for name, value in held if isinstance(value, plain) and name[0] != "_" and name != "training"}
