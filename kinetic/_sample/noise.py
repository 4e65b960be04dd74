"""Noise that belongs to a sample, not to a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor


def noise(seed: int, ids: Iterable[int], event_shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal x0 of each sample, `(n, *event)` on the CPU, a function of (seed, sample id) alone.

    Each sample has its own counter-based generator (Philox, keyed by seed and id), so batches, devices and ranks
    cannot change it. It is drawn in float64, so every dtype sees the same noise, rounded.
    """
    draws = [
        np.random.Generator(np.random.Philox(key=np.array([seed, i], dtype=np.uint64))).standard_normal(
            tuple(event_shape)
        )
        for i in ids
    ]
    return torch.from_numpy(np.stack(draws)).to(dtype)
