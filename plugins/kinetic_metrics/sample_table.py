"""What scores sample by sample share: columns of samples and denoised samples, and their means."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from kinetic import Estimate, Samples, SampleTable, evidence
from kinetic.errors import OptionError, ShapeError
from kinetic.types import State, is_channels_last, way_to_images


def judged(state: SampleTable, samples: Samples, judge: Callable[[State], dict[str, Tensor]]) -> SampleTable:
    """The table with what `judge` finds of one more batch, and with `_denoised` what it finds of the denoised samples.

    Args:
        state: the table.
        samples: the batch.
        judge: from points `(m, *event)` to columns `(m,)`; asked once where both are equal.
    Raises:
        OptionError: some samples are NaN or infinite.
    """
    for x in (samples.x, samples.denoised):
        if not bool(torch.isfinite(x).all()):
            raise OptionError("samples must be finite: some are NaN or infinite")
    columns = judge(samples.x)
    same = samples.denoised is samples.x or torch.equal(samples.denoised, samples.x)
    again = columns if same else judge(samples.denoised)
    return state.append(samples.ids, columns | {f"{name}_denoised": column for name, column in again.items()})


def listed(state: SampleTable) -> tuple[Tensor, dict[str, Tensor]]:
    """All ids `(n,)`, ascending, and all columns `(n,)` in that order.

    Raises:
        OptionError: fewer than 2 samples, or none.
    """
    n = sum(len(ids) for ids, _ in state.parts)
    if n < 2:
        raise OptionError(f"this score needs 2 samples or more: {n}")
    return state.sort()


def estimates(columns: dict[str, Tensor]) -> dict[str, Estimate]:
    """The mean of each column with its interval; of a yes/no column the share with Wilson's."""
    return {
        name: (evidence.proportion if column.dtype == torch.bool else evidence.mean)(column.double().numpy())
        for name, column in columns.items()
    }


def images(x: State, side: int) -> Tensor:
    """Images `(m, c, h, w)` in float64.

    Raises:
        ShapeError: samples of another shape, with their channels last, or lower or narrower than `side` pixels.
    """
    shape = tuple(x.shape[1:])
    known = len(shape) == 3 and shape[0] >= 1 and not is_channels_last(shape)
    if not known or min(shape[1:]) < side:
        way = "" if known else f"\n  {way_to_images(shape)}"
        raise ShapeError(
            f"this score is of images (channel, height, width) of {side} x {side} pixels or more: the samples have "
            f"shape {shape}{way}"
        )
    return x.double()
