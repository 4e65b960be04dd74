"""Random numbers of a metric's own, for each sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor


def generators(seed: int, ids: Tensor, stream: int) -> Iterator[np.random.Generator]:
    """A generator for each sample, a function of (seed, sample id, stream) alone.

    That of the noise (Philox, keyed by seed and id) at a counter that noise, stream 0, never reaches.
    """
    for i in ids.tolist():
        key, counter = np.array([seed, i], dtype=np.uint64), np.array([0, 0, 0, stream], dtype=np.uint64)
        yield np.random.Generator(np.random.Philox(key=key, counter=counter))
