"""What to do about points of one shape that are compared with samples of another."""

from __future__ import annotations

import math

import torch

from kinetic._roles.dataset import Dataset
from kinetic.errors import ShapeError
from kinetic.types import is_channels_last


def check_shape(option: str, data: Dataset, samples: torch.Size) -> None:
    """Refuse data of other points than the samples.

    Raises:
        ShapeError: it names `option`, both shapes and the way on.
    """
    if data.event_shape != samples:
        raise ShapeError(
            f"{option} holds points of shape {tuple(data.event_shape)}, the samples have shape {tuple(samples)}\n"
            f"  {way_on(option, data.event_shape, samples)}"
        )


def way_on(option: str, points: torch.Size, samples: torch.Size) -> str:
    """How to bring both to one shape: what fits the two shapes, and nothing else."""
    sides = [("the samples", samples, points), (option, points, samples)]
    for side, mine, theirs in sides:
        if len(mine) < len(theirs) and math.prod(mine) == math.prod(theirs):
            shape = ", ".join(map(str, theirs))
            return f"Give {side} the shape they were flattened from, in the order they were: x.reshape(-1, {shape})."
    if not len(points) == len(samples) == 3:
        return "Compare points of one kind: kinetic makes none out of the other."
    steps = []
    for side, mine, theirs in sides:
        if is_channels_last(mine) and not is_channels_last(theirs):
            steps.append(f"Put the channels of {side} first: x.permute(0, 3, 1, 2).")
    first = [shape[2:] + shape[:2] if is_channels_last(shape) else shape for shape in (samples, points)]
    if is_channels_last(samples) and is_channels_last(points):
        steps.append("Put the channels of both first: x.permute(0, 3, 1, 2).")
    channels = {first[0][0], first[1][0]}
    if channels == {1, 3}:
        steps.append(
            'Make both RGB or both gray: mode = "rgb" or mode = "gray" of an image-folder; of a tensor, '
            "repeat the gray channel."
        )
    elif channels == {3, 4}:
        side = "the samples" if first[0][0] == 4 else option
        steps.append(f"If the fourth channel of {side} is transparency, drop it: x[:, :3].")
    elif len(channels) == 2:
        steps.append(f"Compare points of as many channels: they have {first[1][0]}, the samples {first[0][0]}.")
    if first[0][1:] != first[1][1:]:
        steps.append("Resize one of them by a method you can name; kinetic never resizes data.")
    return "\n  ".join(steps)
