"""How far a run is, by what it recorded."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, final

import attrs

from kinetic._store import journal
from kinetic._store.files import names_in
from kinetic._store.layout import EVENTS, EVIDENCE, RECIPE, journal_names, shard_name
from kinetic._store.lock import is_held
from kinetic._store.manifest import Manifest
from kinetic._store.planned import Planned, planned
from kinetic.errors import StoreError

_RECENT = 8  # blocks of each process that its speed is taken from
Line = Mapping[str, Any]


@final
@attrs.frozen
class RunProgress:
    """How far a run of an arm is.

    Args:
        run: of which arm.
        blocks: finished.
        of: blocks in all.
        samples: finished.
        left_out: samples that were left out, since the velocity was not finite for them.
        drawn_again: blocks whose files were damaged, and which were drawn again.
        samples_per_second: of late, all processes together; None before the first block.
        nfe: mean number of velocities a sample; None before the first block.
        seconds_left: that the rest takes at this speed; None where it is not known.
    """

    run: str
    blocks: int
    of: int
    samples: int
    left_out: int
    drawn_again: int
    samples_per_second: float | None
    nfe: float | None
    seconds_left: float | None


@final
@attrs.frozen
class RunStatus:
    """How far everything in a run folder is.

    Args:
        folder: where.
        state: running (a process of this machine holds the folder), finished, or stopped.
        process, host: who began to write last; None where nobody recorded it.
        writers: the processes that recorded something, by name; "" is the one that leads, or is alone.
        last_event: what was recorded last.
        last_event_age: seconds since then.
        memory, cuda_memory: the most that any process held, in bytes.
        seconds_left: that all runs together take at the speed of late.
        batches: (before, after) of each time that memory did not hold a block.
        runs: in the order of the recipe.
    """

    folder: Path
    state: str
    process: int | None
    host: str | None
    writers: tuple[str, ...]
    last_event: str | None
    last_event_age: float | None
    memory: int | None
    cuda_memory: int | None
    seconds_left: float | None
    batches: tuple[tuple[int, int], ...]
    runs: tuple[RunProgress, ...]

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {**attrs.asdict(self), "folder": str(self.folder)}


def status_of(folder: str | Path, now: datetime.datetime | None = None) -> RunStatus:
    """How far the run in a folder is, whether it is under way, dead or finished.

    Raises:
        StoreError: the folder holds no run, or what it recorded cannot be read.
    """
    path, now = Path(folder), now or datetime.datetime.now(datetime.UTC)
    there = names_in(path)
    manifest = Manifest.read(path)
    if RECIPE not in there and not manifest.entries:
        raise StoreError(f"{path} holds no run: there is no {RECIPE} in it")
    journals: dict[str, list[Line]] = {name: [*journal.read(path / name)] for name in journal_names(EVENTS, there)}
    lines = sorted((line for own in journals.values() for line in own), key=lambda line: str(line.get("time", "")))
    began: Line = next((line for line in reversed(lines) if line.get("event") == "started"), {})
    last: Line = lines[-1] if lines else {}
    runs = _progress(planned(manifest), manifest, journals, lines)
    rest = [each.seconds_left for each in runs if each.seconds_left is not None]
    is_finished = EVIDENCE in there and EVIDENCE in manifest.entries
    return RunStatus(
        folder=path,
        state="running" if is_held(path) else "finished" if is_finished else "stopped",
        process=_integer(began.get("process")),
        host=_text(began.get("host")),
        writers=tuple(name.removeprefix(f"{EVENTS}.").removesuffix("jsonl").rstrip(".") for name in journals),
        last_event=_text(last.get("event")),
        last_event_age=_age(last.get("time"), now),
        memory=_most(lines, "memory"),
        cuda_memory=_most(lines, "cuda_memory"),
        seconds_left=sum(rest) if len(rest) == len(runs) else None,
        batches=tuple(_batches(lines)),
        runs=runs,
    )


def _batches(lines: Iterable[Line]) -> Iterator[tuple[int, int]]:
    for line in lines:
        before, after = _integer(line.get("before")), _integer(line.get("after"))
        if line.get("event") == "batch" and before and after:
            yield before, after


def _progress(
    plan: Planned, manifest: Manifest, journals: Mapping[str, list[Line]], lines: list[Line]
) -> tuple[RunProgress, ...]:
    speeds = {run: _speed(run, journals.values()) for run in plan.runs}
    known = [speed for speed in speeds.values() if speed]
    usual = sum(known) / len(known) if known else None  # of an arm that has not begun
    progress = []
    for run, speed in speeds.items():
        done = [span for span in plan.spans if shard_name(run, *span) in manifest.entries]
        own = [line for line in lines if line.get("arm") == run]
        samples, pace = sum(stop - start for start, stop in done), speed or usual
        left_out = {
            i for line in own if line.get("event") == "left out" for i in _list(line.get("samples")) if _is_int(i)
        }
        again = sum(line.get("event") == "drawn again" for line in own)
        left = 0.0 if samples == plan.samples else (plan.samples - samples) / pace if pace else None
        nfe = _nfe(own)
        progress.append(RunProgress(run, len(done), len(plan.spans), samples, len(left_out), again, speed, nfe, left))
    return tuple(progress)


def _speed(run: str, journals: Iterable[list[Line]]) -> float | None:
    """Samples a second of late, summed over processes, each of which draws blocks of its own."""
    total = 0.0
    for lines in journals:
        recent = [line for line in lines if _is_shard(line) and line["arm"] == run][-_RECENT:]
        seconds = sum(line["seconds"] for line in recent)
        total += sum(line["stop"] - line["start"] for line in recent) / seconds if seconds else 0.0
    return total or None


def _nfe(own: Iterable[Line]) -> float | None:
    last = {line["start"]: line for line in own if _is_shard(line) and _is_number(line.get("nfe"))}
    samples = sum(line["stop"] - line["start"] for line in last.values())
    return sum(line["nfe"] for line in last.values()) / samples if samples else None


def _is_shard(line: Line) -> bool:
    return (
        line.get("event") == "shard"
        and _is_number(line.get("seconds"))
        and _is_int(line.get("start"))
        and _is_int(line.get("stop"))
        and line["start"] < line["stop"]
    )


def _most(lines: Iterable[Line], key: str) -> int | None:
    return max((line[key] for line in lines if _is_int(line.get(key))), default=None)


def _age(time: Any, now: datetime.datetime) -> float | None:
    try:
        return max(0.0, (now - datetime.datetime.fromisoformat(time)).total_seconds())
    except (TypeError, ValueError):
        return None


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < math.inf


def _integer(value: Any) -> int | None:
    return value if _is_int(value) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
