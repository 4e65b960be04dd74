"""What scores of samples that were asked for a class share."""

from __future__ import annotations

import torch
from torch import Tensor

from kinetic import Samples
from kinetic.errors import OptionError


def classes_asked(samples: Samples, count: int, option: str) -> Tensor:
    """The class that each sample was asked for, int64 `(m,)`.

    Args:
        samples: the batch.
        count: how many classes there are.
        option: what names them, for the error.
    Raises:
        OptionError: there are no classes, or some are not within 0 ... count - 1.
    """
    asked = samples.condition
    if asked is None:
        raise OptionError(
            "this score needs a class for each sample\n  In a recipe set `classes = N` or `prompts = FILE` under "
            "[run]; for `kinetic score` give labels: --set samples.labels=true of image folders, =NAME of tensors."
        )
    outside = asked[(asked < 0) | (asked >= count)]
    if len(outside):
        raise OptionError(f"{option!r} are of {count} classes, the samples ask for class {int(outside.max())}")
    return asked


def margins(scores: Tensor, asked: Tensor) -> Tensor:
    """The score of the class asked for minus the best other, `(m,)`, from scores `(m, c)` and classes int64 `(m,)`."""
    others = scores.scatter(1, asked[:, None], -torch.inf)
    return scores.gather(1, asked[:, None])[:, 0] - others.amax(1)
