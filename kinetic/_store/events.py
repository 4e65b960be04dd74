"""What happened in a run folder, a line each in `events.jsonl`."""

from __future__ import annotations

import math
import resource
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from kinetic._sample.shard import Shard
from kinetic._store.journal import lines_in
from kinetic._store.layout import EVENTS


def shard_event(run: str, shard: Shard, seconds: float) -> dict[str, Any]:
    """What is recorded of a shard: whose and which samples, how long they took, velocities, speed and memory."""
    n = len(shard.samples)
    return {
        "arm": run,
        "start": shard.start,
        "stop": shard.stop,
        "seconds": round(seconds, 4),
        "nfe": float(shard.energy["nfe"].sum()),
        "samples_per_second": round(n / max(seconds, 1e-9), 2),
        **memory(),
    }


def memory() -> dict[str, int]:
    """The largest memory that this process held until now, in bytes: of the machine, and of its CUDA device if any."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"memory": own} | ({"cuda_memory": torch.cuda.max_memory_allocated()} if torch.cuda.is_available() else {})


def seconds_of(folder: Path, runs: Iterable[str]) -> dict[str, float]:
    """How long the samples of each run took, over all starts; each shard counts as it was last drawn."""
    shards: dict[tuple[str, int], float] = {}
    for line in lines_in(folder, EVENTS):
        arm, start, took = (line.get(key) for key in ("arm", "start", "seconds"))
        if line.get("event") != "shard" or not isinstance(arm, str) or not isinstance(start, int):
            continue
        if isinstance(took, int | float) and 0 <= took < math.inf:
            shards[arm, start] = float(took)
    return {run: round(sum(took for (arm, _), took in shards.items() if arm == run), 3) for run in runs}
