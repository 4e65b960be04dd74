"""One call of a network of others, as its convention has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from kinetic.errors import OptionError, ShapeError
from kinetic_models.conditions import rows_of


@attrs.frozen(eq=False)
class Call:
    """How a network takes its arguments and gives its answer; see the options of `ModuleField`, named alike."""

    net: Callable[..., Any]
    order: str
    keywords: tuple[str, ...]
    t: str
    second_time: str
    labels: str
    classes: int | None
    null: int | None
    output: int | str | None
    channels: int | None

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None) -> Tensor:
        """The answer `(m, *event)` to states y `(m, *event)` at the network's times s `(m,)`."""
        time = self._time(s)
        asked: list[Tensor | None] = [y, time]
        if self.second_time != "none":
            asked.append(torch.zeros_like(time) if self.second_time == "zero" else time)
        if self.classes is not None:
            asked.append(self._labels(labels, y))
        if self.order == "keywords":
            answer = self.net(**dict(zip(self.keywords, asked, strict=False)))
        else:
            first, second, *rest = asked
            answer = self.net(*((first, second) if self.order == "xt" else (second, first)), *rest)
        return self._tensor(answer, y)

    def _time(self, s: Tensor) -> Tensor:
        if self.t != "scalar":
            return s
        if bool((s != s[0]).any()):
            raise OptionError(
                "the network takes one time for all samples (t = 'scalar'), and the solver asks for several\n  Take a "
                "solver of fixed steps, such as euler or heun."
            )
        return s[0]

    def _labels(self, labels: Tensor | None, y: Tensor) -> Tensor | None:
        classes = self.classes or 0
        if labels is not None:
            labels = rows_of(labels, len(y), classes, None, "class")
            return functional.one_hot(labels, classes).to(y.dtype) if self.labels == "one-hot" else labels
        if self.labels == "one-hot":
            return torch.zeros(len(y), classes, dtype=y.dtype, device=y.device)
        if self.null is None:
            raise OptionError(
                "a network with classes was asked for none of them\n  Under [run], `classes = N` asks sample i for "
                "class i mod N; `null` of the field is the class that stands for none."
            )
        return torch.full((len(y),), self.null, dtype=torch.int64, device=y.device)

    def _tensor(self, answer: Any, y: Tensor) -> Tensor:
        if self.output is not None:
            answer = _picked(answer, self.output)
        if not isinstance(answer, Tensor):
            raise ShapeError(
                f"the network answers with {_described(answer)}, not one tensor: say which, {_ways(answer)}"
            )
        if self.channels is not None:
            answer = answer[:, : self.channels]
        if answer.shape != y.shape:
            twice = y.dim() > 1 and answer.shape == (y.shape[0], 2 * y.shape[1], *y.shape[2:])
            way = f"\n  It has twice the channels (learn_sigma?): channels = {y.shape[1]} keeps the first."
            shapes = f"samples of shape {tuple(y.shape)} with {tuple(answer.shape)}"
            raise ShapeError(f"the network answers {shapes}: they must be alike{way if twice else ''}")
        return answer


def _picked(answer: Any, which: int | str) -> Any:
    try:
        if isinstance(answer, Mapping) or (isinstance(answer, tuple | list) and isinstance(which, int)):
            return answer[which]  # type: ignore[index]
        return getattr(answer, str(which))
    except (KeyError, IndexError, AttributeError) as error:
        raise OptionError(f"'output' = {which!r} is nothing that the network answers: {_described(answer)}") from error


def _described(answer: Any) -> str:
    if isinstance(answer, Mapping):
        return f"a {type(answer).__name__} of {', '.join(map(str, answer))}"
    return f"a {type(answer).__name__} of {len(answer)}" if isinstance(answer, tuple | list) else type(answer).__name__


def _ways(answer: Any) -> str:
    if isinstance(answer, Mapping):
        return " or ".join(f"output = {key!r}" for key in answer)
    return "output = 0" if isinstance(answer, tuple | list) else "output = the name of an attribute"
