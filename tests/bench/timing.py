"""Contestants timed in turn, in one process: CPU time of one thread, medians and spread, as tables."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import attrs


@attrs.frozen
class Times:
    """What one contestant took, in CPU seconds, run by run."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest."""
        return min(self.seconds), max(self.seconds)

    def __str__(self) -> str:
        low, high = self.spread
        return f"{_clock(self.median)} ({_clock(low)} to {_clock(high)})"


@attrs.frozen
class Table:
    """Rows under a header, with the command that prints it again."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        """The table as docs/performance.md keeps it."""
        lines = [f"### {self.title}", "", "| " + " | ".join(self.header) + " |", "|---" * len(self.header) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([*lines, "", *([self.note, ""] if self.note else [])])


def race(contestants: Mapping[str, Callable[[], object]], repeats: int = 5, warm_up: int = 1) -> dict[str, Times]:
    """Each contestant in turn, `repeats` times, after `warm_up` rounds that are not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(warm_up + repeats):
        for name, contestant in contestants.items():
            began = time.process_time()
            contestant()
            if turn >= warm_up:
                seconds[name].append(time.process_time() - began)
    return {name: Times(tuple(values)) for name, values in seconds.items()}


def _clock(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.2g} us"
