"""What guidance is made of: the conditional and the unconditional velocity, from the network's own answers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from kinetic import PathMeter
from kinetic.precision import norms

PARTS = ("kpe_conditional", "kpe_unconditional", "kpe_apart", "guidance_work")
MEANS = ("guidance_scale", "guidance_residual")
"""Columns that are means over the time of a path."""


class GuidanceParts:
    """What a guided velocity v = v_u + w (v_c - v_u) + r was made of, from what the network answered before the step.

    The network answers one doubled batch, or is asked twice, between two steps of the scheduler. Which half is
    conditional follows from w > 1; where w lies in [0, 1] a doubled batch begins with the unconditional half and two
    calls with the conditional one. Norms do not depend on the sign that pipelines turn. Parts are what the meter
    `guidance` asks, and beside its columns, `(n,)` float64, as means over the time of the path:
        guidance_scale     w, as least squares recover it from v
        guidance_residual  ||r|| / ||v||: 0 for plain guidance; rescaling and projections show here
    """

    def __init__(self, meter: PathMeter) -> None:
        self.meter = meter
        self.answers: list[Tensor | None] = []

    def __call__(self, module: nn.Module, inputs: Any, answer: Any) -> None:
        """The forward hook of the network."""
        self.answers.append(_tensor(answer))

    def take(self, velocity: Tensor, combined: bool) -> dict[str, Tensor]:
        """Numbers `(n,)` of a velocity, from the answers since the last; NaN, with a note, where they are not known.

        Args:
            velocity: what a scheduler is given, before a gain.
            combined: whether its step combines velocities of several.
        """
        answers, self.answers = self.answers, []
        pair = _pair(answers, velocity)
        if combined:
            self.meter.remark("Parts of the guidance are left out: the scheduler combines velocities of several steps.")
        elif isinstance(pair, str):
            self.meter.remark(f"Parts of the guidance are left out where {pair}.")
        else:
            return _numbers(*pair, velocity)
        unknown = torch.full((len(velocity),), torch.nan, dtype=torch.float64, device=velocity.device)
        return dict.fromkeys((*PARTS, *MEANS), unknown)


def _numbers(first: Tensor, second: Tensor, doubled: bool, velocity: Tensor) -> dict[str, Tensor]:
    a, b, v = (each.flatten(1).double() for each in (first, second, velocity))
    apart = b - a
    square = apart.square().sum().clamp_min(torch.finfo(torch.float64).tiny)
    fits = [(sign, float(((sign * v - a) * apart).sum() / square)) for sign in (1.0, -1.0)]
    sign, w = min(fits, key=lambda fit: float((fit[0] * v - a - fit[1] * apart).norm()))
    if w < 0 or (w <= 1 and not doubled):  # a is the conditional one
        a, b, w = b, a, 1 - w
    apart = b - a
    residual = norms(sign * v - a - w * apart) / norms(v).clamp_min(torch.finfo(torch.float64).tiny)
    return {
        "kpe_conditional": 0.5 * norms(b).square(),
        "kpe_unconditional": 0.5 * norms(a).square(),
        "kpe_apart": 0.5 * norms(apart).square(),
        "guidance_work": w * (a * apart).sum(1),
        "guidance_scale": torch.full_like(residual, w),
        "guidance_residual": residual,
    }


def _pair(answers: list[Tensor | None], velocity: Tensor) -> tuple[Tensor, Tensor, bool] | str:
    """The two parts and whether they were one batch, or why there are none."""
    n, like = len(velocity), velocity[0].numel()
    if any(answer is None for answer in answers):
        return "the network answers with no tensor"
    known = [answer for answer in answers if answer is not None]
    doubled = len(known) == 1 and len(known[0]) == 2 * n
    if doubled:
        known = list(known[0].chunk(2))
    if len(known) != 2 or any(len(answer) != n for answer in known):
        return f"the network answers {len(known)} times a step: two make guidance"
    if any(answer[0].numel() != like for answer in known):
        return "its answers have another size than the velocity of the scheduler"
    return known[0], known[1], doubled


def _tensor(answer: Any) -> Tensor | None:
    answer = getattr(answer, "sample", answer)
    if isinstance(answer, tuple | list) and answer and not isinstance(answer[0], Tensor):
        answer = answer[0]
    if isinstance(answer, tuple):
        answer = answer[0]
    if isinstance(answer, list) and answer and all(isinstance(each, Tensor) for each in answer):
        answer = torch.stack(answer)
    return answer.detach() if isinstance(answer, Tensor) else None
