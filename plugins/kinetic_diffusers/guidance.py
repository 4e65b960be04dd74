"""The two halves of classifier-free guidance, seen between two steps of a scheduler."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import torch
from torch import Tensor, nn

_UNLIKE = 0.5  # of the velocity: what is left by the best scale where the answers are no halves of it


@attrs.frozen
class Parts:
    """The conditional and the unconditional answer `(n, ...)`, the scale, and what it leaves unexplained."""

    conditional: Tensor
    unconditional: Tensor
    scale: float
    rest: float

    def energies(self) -> dict[str, Tensor]:
        """Per unit time, float64 `(n,)` each: 1/2 ||v||^2 = unconditional + scale^2 apart + work.

        It holds where v = v_u + scale (v_c - v_u); work is scale <v_u, v_c - v_u>.
        """
        c, u = self.conditional, self.unconditional
        cross = ((c - u) * u).flatten(1).sum(1).cpu()
        return {
            "kpe_conditional": 0.5 * squares(c),
            "kpe_unconditional": 0.5 * squares(u),
            "kpe_apart": 0.5 * squares(c - u),
            "guidance_work": self.scale * cross,
        }


@attrs.define(eq=False)
class Watch:
    """What the denoisers of a pipeline answered since the last step."""

    answers: list[Tensor] = attrs.field(factory=list)

    @contextmanager
    def on(self, networks: Iterable[nn.Module]) -> Iterator[None]:
        """Watch, and leave the networks as they are."""
        handles = [network.register_forward_hook(self._look) for network in networks]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _look(self, _: nn.Module, args: Any, answer: Any) -> None:
        first = answer[0] if isinstance(answer, tuple | list) else getattr(answer, "sample", answer)
        if isinstance(first, list) and first and all(isinstance(each, Tensor) for each in first):
            first = torch.stack(first) if len({each.shape for each in first}) == 1 else None  # Z-Image: one an image
        if isinstance(first, Tensor):
            self.answers.append(first.detach())

    def take(self, velocity: Tensor) -> Parts | None:
        """The parts of a velocity `(n, ...)` that a step was handed; None where its answers are no pair like it."""
        answers, self.answers = self.answers, []
        n = len(velocity)
        halves = answers if len(answers) == 2 else [half for one in answers for half in one.chunk(2)]
        if len(halves) != 2 or any(half.numel() != velocity.numel() or len(half) != n for half in halves):
            return None
        v, one, two = (each.reshape(velocity.shape).double() for each in (velocity, *halves))
        found = []
        for (u, c), sign in itertools.product([(one, two), (two, one)], (1.0, -1.0)):
            apart = c - u
            scale = float(((sign * v - u) * apart).sum() / apart.square().sum().clamp_min(1e-300))
            rest = float((sign * v - u - scale * apart).norm() / v.norm().clamp_min(1e-300))
            found.append(Parts(c, u, scale, rest))
        # the order of the halves is the pipeline's: guidance goes from the unconditional to the conditional and on
        best = min((each for each in found if each.scale >= 0.5), key=lambda each: each.rest, default=None)
        return best if best is not None and best.rest < _UNLIKE else None


def denoisers_of(pipe: Any) -> list[nn.Module]:
    """The networks of a pipeline that answer with velocities."""
    parts = getattr(pipe, "components", None)
    named = parts.items() if isinstance(parts, dict) else vars(pipe).items()
    return [each for name, each in named if isinstance(each, nn.Module) and name.startswith(("transformer", "unet"))]


def squares(x: Tensor) -> Tensor:
    """||x||^2 of each row, float64 on the CPU."""
    return torch.linalg.vector_norm(x.double().flatten(1), dim=1).square().cpu()
