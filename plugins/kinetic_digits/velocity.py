"""Trained velocity fields: one generalises, one memorises, and a small one that memorises was trained several times."""

from __future__ import annotations

from typing import final

import attrs
import torch
from torch import nn

from kinetic import Batch, VelocityField, options
from kinetic.errors import OptionError, ShapeError
from kinetic.types import PerSample, State
from kinetic_digits.nets import CLASSES, NULL, SMALL, TRAININGS, VelocityNet, load, small_name

_EVENT = torch.Size([1, 8, 8])


def _answer(net: nn.Module, x: State, t: PerSample, batch: Batch | None) -> State:
    """The net's velocity, computed in float32 and given back in x's dtype."""
    if x.shape[1:] != _EVENT:
        raise ShapeError(f"digits have shape {tuple(_EVENT)}, the samples {tuple(x.shape[1:])}")
    labels = None if batch is None else batch.condition
    if labels is None:
        labels = torch.full((len(x),), NULL, device=x.device)
    elif labels.dtype != torch.int64 or labels.shape != (len(x),) or bool(((labels < 0) | (labels >= CLASSES)).any()):
        raise OptionError(
            f"each digit needs a class from 0 to {CLASSES - 1}, as int64 ({len(x)},): {labels.dtype} "
            f"{tuple(labels.shape)} up to {labels.max().item()}\n  Under [run], `classes = {CLASSES}` gives them."
        )
    return net(x.float(), t.float(), labels).to(x.dtype)


@final
@attrs.frozen(eq=False)
class DigitsField(VelocityField):
    """Velocity of a net trained on all 1,437 training digits: it generalises.

    The net is float32 whatever x is. `batch.condition` holds the digit each sample is to become, 0 to 9; without it the
    net's own null class is used, so `Guided` works. Data, loss and figures: the model card, `weights/CARD.md`.
    """

    _net: nn.Module = attrs.field(init=False, repr=False, factory=lambda: load(VelocityNet(), "digits"))

    @property
    def event_shape(self) -> torch.Size:
        return _EVENT

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        return _answer(self._net, x, t, batch)


@final
@attrs.frozen(eq=False)
class MemorisedDigitsField(VelocityField):
    """Velocity of a net trained on the first 256 training digits until it copies many of them.

    Otherwise like `DigitsField`. Its training data are `Digits(size=256)`.
    """

    _net: nn.Module = attrs.field(init=False, repr=False, factory=lambda: load(VelocityNet(), "digits-memorised"))

    @property
    def event_shape(self) -> torch.Size:
        return _EVENT

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        return _answer(self._net, x, t, batch)


@final
@attrs.frozen(eq=False)
class SmallDigitsField(VelocityField):
    """Velocity of a small net trained on the first 128 training digits until it copies most of them.

    It was trained six times, from other weights with other batches and noise, so that it can be asked what holds for
    the training and what for one net. Otherwise like `DigitsField`. Its training data are `Digits(size=128)`.
    """

    training: int = options.integer(1, at_least=1, at_most=TRAININGS, doc="which of the six trainings")
    _net: nn.Module = attrs.field(init=False, repr=False)

    @_net.default
    def _trained(self) -> nn.Module:
        training = options.check_integer("'training'", self.training, at_least=1, at_most=TRAININGS)
        return load(VelocityNet(**SMALL), small_name(training))

    @property
    def event_shape(self) -> torch.Size:
        return _EVENT

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        return _answer(self._net, x, t, batch)
