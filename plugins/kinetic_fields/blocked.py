"""A field asked in blocks of one size."""

from __future__ import annotations

from typing import final

import attrs
import torch

from kinetic import Batch, FieldWrapper, options, tell, told
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class Blocked(FieldWrapper):
    """The same velocity, asked in blocks of `rows` samples, the last one filled up with copies of its last sample.

    Matrix products of other shapes round otherwise, so a sample of a network depends on its batch in the last bits.
    In blocks of one shape it does not, for fields whose rows do not depend on each other.
    """

    rows: int = options.integer(64, at_least=1, doc="of a block")

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        answers, parts = [], []
        for start in range(0, len(x), self.rows):
            block = torch.arange(start, start + self.rows, device=x.device).clamp_max(len(x) - 1)
            who = None if batch is None else batch.take(block)
            v = self.field.velocity(x[block], t[block], who)
            answers.append(v[: len(x) - start])
            parts.append(told(v))
        if not answers:
            return self.field.velocity(x, t, batch)
        return tell(
            torch.cat(answers), {name: torch.cat([part[name] for part in parts])[: len(x)] for name in parts[0]}
        )
