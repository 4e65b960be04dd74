"""Ranks killed at random moments: what is written in the end is what one process writes, byte for byte.

python tests/bench/ranks.py [KILLS]
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPE = """
[run]
samples = 400
batch = 9
[data]
name = "digits"
size = 100
[field]
name = "digits-memorised"
[solver]
name = "heun"
steps = 20
[energy.kpe]
[metrics.memorisation]
[metrics.vendi]
[arms.plain]
[arms.kts.schedule]
name = "kts"
"""
FILES = ("recipe.toml", "samples.parquet", "scores.json", "evidence.json")


def start(folder: Path, out: Path, world: int) -> list[subprocess.Popen[bytes]]:
    """The run by so many ranks."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"OMP_NUM_THREADS": "1", "WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, "-m", "kinetic", "run", str(folder / "r.toml"), "--device", "cpu", "--out", str(out)]
    return [
        subprocess.Popen(
            command, env={**os.environ, **shared, "RANK": str(i), "LOCAL_RANK": str(i)}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for i in range(world)
    ]  # fmt: skip


def end(running: list[subprocess.Popen[bytes]], within: float = 300.0) -> list[int]:
    """The statuses, once all have ended."""
    return [process.wait(within) for process in running]


def differing(one: Path, other: Path) -> list[str]:
    """The files of two run folders that are not equal."""
    shards = {str(path.relative_to(run)) for run in (one, other) for path in run.rglob("*.safetensors")}
    paths = [(one / name, other / name) for name in (*FILES, *sorted(shards))]
    return [a.name for a, b in paths if not (a.exists() and b.exists() and a.read_bytes() == b.read_bytes())]


def main() -> None:
    """Kill one of two or three ranks so many times, each in a run of its own, and go on with another number of them."""
    kills, drawn = int(sys.argv[1]) if len(sys.argv) > 1 else 12, random.Random(0)
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        (folder / "r.toml").write_text(RECIPE)
        assert end(start(folder, folder / "whole", 1)) == [0]
        began = time.monotonic()
        assert end(start(folder, folder / "timed", 2)) == [0, 0]
        lasted = time.monotonic() - began
        for kill in range(kills):
            out, world, moment = folder / "out", drawn.choice([2, 3]), drawn.uniform(0.3, 1.1) * lasted
            running = start(folder, out, world)
            victim = drawn.randrange(world)
            time.sleep(moment)
            running[victim].send_signal(signal.SIGKILL)
            statuses = end(running)
            blocks = len(list(out.rglob("*.safetensors")))
            then = drawn.choice([1, 2, 3])
            again = end(start(folder, out, then))
            wrong = differing(folder / "whole", out)
            print(
                f"{kill + 1:3}: rank {victim} of {world} killed after {moment:.1f} s, statuses {statuses}, {blocks} blocks"
                f" there; gone on with {then}: {'equal' if not wrong and not any(again) else (again, wrong)}",
                flush=True,
            )
            if wrong or any(again):
                sys.exit(1)
            shutil.rmtree(out)


if __name__ == "__main__":
    main()
