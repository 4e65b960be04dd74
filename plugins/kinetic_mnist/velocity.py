"""The trained velocity field: how many digits it saw, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import attrs
import torch
from torch import nn

from kinetic import Batch, VelocityField, options
from kinetic.errors import OptionError, ShapeError
from kinetic.types import PerSample, State
from kinetic_mnist.nets import CHECKPOINTS, CLASSES, EVENT, NULL, VelocityNet, checkpoint_name, load


@final
@attrs.frozen(eq=False)
class MnistField(VelocityField):
    """Velocity of a small class-conditional U-Net, trained on the first 4,096, 1,024 or 256 digits of `Mnist`.

    The same net and way of training throughout: only the number of digits and the number of steps differ. The net is
    float32 whatever x is. `batch.condition` holds the digit each sample is to become, 0 to 9; without it the net's own
    null class is used, so `Guided` works. Its training data are `Mnist(size=trained_on)`. Data, loss and figures: the
    model card, `weights/CARD.md`.

    Args:
        trained_on: how many digits it was trained on: 4096, 1024 or 256.
        checkpoint: after how many training steps, one of those that are shipped; nothing for the last.
    """

    trained_on: int = options.integer(4096, at_least=1)
    checkpoint: int | None = options.integer(None, at_least=1)
    _net: nn.Module = attrs.field(init=False, repr=False)

    @_net.default
    def _trained(self) -> nn.Module:
        size = options.check_integer("'trained_on'", self.trained_on, at_least=1)
        if size not in CHECKPOINTS:
            raise OptionError(f"'trained_on' must be {_listed(CHECKPOINTS)}: {size}")
        shipped = CHECKPOINTS[size]
        if self.checkpoint is None:
            return load(VelocityNet(), checkpoint_name(size, shipped[-1]))
        steps = options.check_integer("'checkpoint'", self.checkpoint, at_least=1, nothing=True)
        if steps not in shipped:
            raise OptionError(
                f"'checkpoint' must be {_listed(shipped)} for a net trained on {size} digits, or nothing: {steps}"
            )
        return load(VelocityNet(), checkpoint_name(size, steps))

    @property
    def event_shape(self) -> torch.Size:
        return EVENT

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        if x.shape[1:] != EVENT:
            raise ShapeError(f"digits of MNIST have shape {tuple(EVENT)}, the samples {tuple(x.shape[1:])}")
        return self._net(x.float(), t.float(), _classes(x, batch)).to(x.dtype)


def _classes(x: State, batch: Batch | None) -> torch.Tensor:
    """The digit each sample is to become, or the null class where none is named."""
    labels = None if batch is None else batch.condition
    if labels is None:
        return torch.full((len(x),), NULL, device=x.device)
    if labels.dtype != torch.int64 or labels.shape != (len(x),) or bool(((labels < 0) | (labels >= CLASSES)).any()):
        raise OptionError(
            f"each digit needs a class from 0 to {CLASSES - 1}, as int64 ({len(x)},): {labels.dtype} "
            f"{tuple(labels.shape)} up to {labels.max().item()}\n  Under [run], `classes = {CLASSES}` gives them."
        )
    return labels


def _listed(numbers: Iterable[int]) -> str:
    *rest, last = map(str, numbers)
    return f"{', '.join(rest)} or {last}" if rest else last
