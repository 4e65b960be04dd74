"""What the scores of a whole set share: features of all samples by ascending id, each checked, plain and denoised."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from kinetic import Dataset, Estimate, FeatureSpace, Samples, SampleTable, TensorData, device_of
from kinetic.errors import OptionError, ShapeError
from kinetic.types import State
from kinetic_metrics.nearest import nearest

_BLOCK = 256  # points through the feature net at a time
_LARGEST = 1e15  # of a feature: its square is a float32 still, and its sixth power a float64

Found = tuple[dict[str, Estimate], dict[str, Tensor]]
"""Values of the set, and columns `(n,)` with a number per sample."""


def embed(space: FeatureSpace, x: State) -> Tensor:
    """Features `(m, f)` of points `(m, *event)`.

    Raises:
        OptionError: some are NaN, infinite or above 1e15, where squares and products begin to overflow.
    """
    features = space.features(x)
    if not bool(torch.isfinite(features).all()):
        raise OptionError(f"{type(space).__name__} features must be finite: some are NaN or infinite")
    largest = float(features.detach().abs().max()) if features.numel() else 0.0
    if largest > _LARGEST:
        raise OptionError(f"{type(space).__name__} features must be at most {_LARGEST:g} in size: {largest:g}")
    return features


def embed_all(space: FeatureSpace, data: Dataset) -> Tensor:
    """Features `(n, f)` of all points of a data set, on the CPU."""
    place = device_of(space) or torch.device("cpu")
    return torch.cat([embed(space, block.to(place)).cpu() for _, block in data.blocks(_BLOCK)])


def neighbours(x: Tensor, points: Tensor, k: int, place: torch.device) -> tuple[Tensor, Tensor]:
    """Distances float64 `(n, k)`, ascending, and indices int64 `(n, k)` of the k points `(m, f)` nearest to `(n, f)`.

    Found on `place`, given on the CPU.
    """
    distances, index = nearest(x.to(place), TensorData(points), k)
    return distances.cpu(), index.cpu()


def observed(state: SampleTable, samples: Samples, space: FeatureSpace) -> SampleTable:
    """The table with the features of one more batch, `x` and `denoised`; looked up once where the two are equal."""
    x = embed(space, samples.x)
    same = samples.denoised is samples.x or torch.equal(samples.denoised, samples.x)
    return state.append(samples.ids, {"x": x, "denoised": x if same else embed(space, samples.denoised)})


def tables(state: SampleTable, least: int, reference: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Ids `(n,)`, ascending, and features `(n, f)` of samples and denoised samples, None where these are the same.

    Args:
        state: what `observed` gave.
        least: how many samples the score needs.
        reference: `(m, f)`, features that they are held against.
    Raises:
        OptionError: fewer than `least` samples, or none.
        ShapeError: the reference has another number of features.
    """
    n = sum(len(ids) for ids, _ in state.parts)
    if n < least:
        raise OptionError(f"this score needs {least} samples or more: {n}")
    same = all(torch.equal(columns["x"], columns["denoised"]) for _, columns in state.parts)
    names = ("x",) if same else ("x", "denoised")
    kept = SampleTable(tuple((ids, {name: columns[name] for name in names}) for ids, columns in state.parts))
    ids, features = kept.sort()
    if reference is not None and features["x"].shape[1] != reference.shape[1]:
        width = features["x"].shape[1]
        raise ShapeError(f"samples have {width} features, the points they are held against {reference.shape[1]}")
    return ids, features["x"], features.get("denoised")


def twice(x: Tensor, denoised: Tensor | None, judge: Callable[[Tensor], Found]) -> Found:
    """What `judge` finds of features `(n, f)`, and with `_denoised` what it finds of the denoised ones."""
    values, columns = judge(x)
    again, columns_again = (values, columns) if denoised is None else judge(denoised)
    return (
        values | {f"{name}_denoised": estimate for name, estimate in again.items()},
        columns | {f"{name}_denoised": column for name, column in columns_again.items()},
    )
