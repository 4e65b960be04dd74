"""Memory and time of a run against the number of samples, each run in a process of its own.

`python tests/bench/memory.py FOLDER KEY=VALUE ...` is one of them: it prints how far memory rose while samples were
drawn, and until the end of the run, in bytes beyond what the process held before; and seconds of CPU and in the store.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH, which tox sets, leaves the script's own folder out

from timing import Table

RECIPE = """
[run]
samples = 1000
[field]
name = "gaussian"
size = 192
[solver]
name = "euler"
steps = 4
[energy.kpe]
[arms.plain]
[arms.kts.schedule]
name = "kts"
alpha = 0.05
beta = 0.05
"""
METRICS = """
[data]
name = "digits"
[metrics.memorisation]
[metrics.knn-support]
[metrics.sharpness]
"""
HEADER = (
    "samples",
    "one sample",
    "arms",
    "metrics",
    "files",
    "memory while drawing",
    "memory at the end",
    "CPU",
    "store",
)


def tables(quick: bool) -> list[Table]:
    """One table, a row for each run."""
    small = [(200, 192, 2, "")] if quick else [(n, 192, 2, "") for n in (10_000, 50_000, 200_000)]
    large = [] if quick else [(50_000, 4 * 32 * 32, 2, ""), (900, 3 * 256 * 256, 2, ""), (3_600, 3 * 256 * 256, 2, "")]
    scored = [(100, 64, 2, METRICS)] if quick else [(10_000, 64, 2, METRICS), (50_000, 64, 2, METRICS)]
    note = (
        "Field `gaussian`, with metrics `digits-memorised`; four Euler steps, with and without KTS. Memory is the highest resident size beyond that of "
        "the process before it ran; CPU is that of the whole run, store what writing and hashing shards took of it."
    )
    return [Table("Memory and time of a run", HEADER, [_row(*each) for each in (*small, *large, *scored)], note)]


def _row(samples: int, size: int, arms: int, metrics: str) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(prefix="kinetic-memory-") as folder:
        (Path(folder) / "r.toml").write_text(RECIPE + metrics)
        field = "field={name='digits-memorised'}" if metrics else f"field.size={size}"
        command = [sys.executable, __file__, folder, f"run.samples={samples}", field]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        came: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        files = sum(path.stat().st_size for path in Path(folder).rglob("*.safetensors"))
    mb = [f"{size / 1e6:,.0f} MB" for size in (files, came["drawing"], came["end"])]
    each = f"{4 * size:,} bytes"
    return (
        f"{samples:,}",
        each,
        f"{arms}",
        "3" if metrics else "0",
        *mb,
        f"{came['cpu']:.1f} s",
        f"{came['store']:.1f} s",
    )


def peak() -> int:
    """The highest resident size of this process, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def one(folder: Path, overrides: list[str]) -> dict[str, float]:
    """One run, with what it took."""
    from kinetic import load_recipe
    from kinetic._store.shard_files import ShardFiles

    torch.set_num_threads(1)
    recipe, kept, save = load_recipe(folder / "r.toml", overrides), [0.0], ShardFiles.save

    def timed(files: ShardFiles, shard: Any) -> None:
        began = time.process_time()
        save(files, shard)
        kept[0] += time.process_time() - began

    ShardFiles.save = timed  # type: ignore[method-assign]
    before, began = peak(), time.process_time()
    recipe.run(folder / "out", "cpu")
    events = [json.loads(line) for line in (folder / "out" / "events.jsonl").read_text().splitlines()]
    drawing = max(event["memory"] for event in events if event["event"] == "shard")
    cpu = time.process_time() - began
    return {"drawing": max(0, drawing - before), "end": peak() - before, "cpu": cpu, "store": kept[0]}


if __name__ == "__main__":
    print(json.dumps(one(Path(sys.argv[1]), sys.argv[2:])))
