"""A run killed with SIGKILL, resumed by the same command, and compared with one that nothing disturbed.

`python tests/bench/kills.py every PART/PARTS` kills it once at each of its writes: before the write, in the middle of it,
between write and rename, between rename and the line that lists the file. `python tests/bench/kills.py moments N` kills
it at N moments evenly spread over its time. Every run is a fork of one process that has imported all; Linux only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import torch

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH, which tox sets, leaves the script's own folder out

from timing import Table

RECIPE = """
title = "killed"
[run]
samples = 12
seed = 3
batch = 5
classes = 3
[data]
name = "digits"
size = 40
[field]
name = "empirical"
classes = true
[solver]
name = "euler"
steps = 3
[energy.kpe]
[metrics.memorisation]
[arms.plain]
[arms.half.schedule]
name = "constant"
value = 0.5
"""
CALLS = {  # what changes a folder: module, function, and at which of its phases a run is killed
    "make": (os, "mkdir", ("before",)),
    "rename": (os, "replace", ("torn", "before", "after")),
    "append": (os, "write", ("torn", "after")),  # before it is after what comes before it
}
HEADER = ("killed", "times", "resumed with other results", "resumed with an error")
TIMES = ("started", "finished", "first_finished", "seconds")


@attrs.define
class Kill:
    """Ends its own process at one call and phase; until then it writes down which there are."""

    folder: Path
    at: int = -1
    points: list[str] = attrs.field(factory=list)
    _files: dict[int, str] = attrs.field(factory=dict)

    def install(self) -> None:
        """Wrap the functions of this process."""
        opened = os.open

        def opening(path: Any, *args: Any, **more: Any) -> int:
            handle = opened(path, *args, **more)
            self._files[handle] = str(path)
            return handle

        os.open = opening
        for what, (module, name, phases) in CALLS.items():
            setattr(module, name, self._wrapped(what, getattr(module, name), phases))

    def _wrapped(self, what: str, call: Callable[..., Any], phases: tuple[str, ...]) -> Callable[..., Any]:
        def wrapper(*args: Any, **more: Any) -> Any:
            path = self._files.get(args[0], "") if isinstance(args[0], int) else str(args[0])
            if not path.startswith(str(self.folder)) or (what == "make" and Path(path).exists()):
                return call(*args, **more)
            for phase in (each for each in phases if each != "after"):
                self._pass(f"{what} {path}, {phase}", call, phase, args)
            came = call(*args, **more)
            if "after" in phases:
                self._pass(f"{what} {path}, after", call, "after", args)
            return came

        return wrapper

    def _pass(self, point: str, call: Callable[..., Any], phase: str, args: tuple[Any, ...]) -> None:
        if len(self.points) == self.at:
            if phase == "torn" and isinstance(args[0], int):
                call(args[0], args[1][: len(args[1]) // 2])
            elif phase == "torn":
                os.truncate(args[0], os.stat(args[0]).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        self.points.append(point.replace(str(self.folder), "").replace(" /", " "))


@attrs.frozen
class Bench:
    """A recipe, the folder of a run of it that nothing disturbed, and what kills found."""

    root: Path
    pictures: bool

    @property
    def whole(self) -> Path:
        """The undisturbed run."""
        return self.root / "whole"

    def run(
        self, out: Path, before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None
    ) -> int:
        """`kinetic run` in a fork; returns its id."""
        sys.stdout.flush()
        process = os.fork()
        if process:
            return process
        status = 1
        try:
            with (self.root / "said.txt").open("w") as said:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
                before()
                status = _command(self.root / "r.toml", out)
                after()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def ended(self, process: int) -> int:
        """Its exit status; minus the signal that killed it."""
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    def resumed(self, out: Path) -> str:
        """What is wrong with the folder of a run that was killed, once the same command has gone on; empty if nothing."""
        if self.ended(self.run(out)):
            said = (self.root / "said.txt").read_text()
            return f"error: {said.strip()[-2000:]}"
        unlike = list(differences(self.whole, out))
        return f"other results: {', '.join(unlike)}" if unlike else ""

    def every(self, part: int = 0, parts: int = 1) -> Iterator[tuple[str, str]]:
        """(where, what is wrong) for a kill at each write; of every `parts` one, from `part` on."""
        out = self.root / "killed"
        points = self._points(out)
        for k in range(part, len(points), parts):
            shutil.rmtree(out, ignore_errors=True)
            if self.ended(self.run(out, Kill(out, k).install)) != -signal.SIGKILL:
                yield points[k], "error: it was not killed there"
            else:
                yield points[k], self.resumed(out)

    def moments(self, n: int) -> Iterator[tuple[str, str]]:
        """(when, what is wrong) for kills at n moments, each in the n-th part of the time of a run."""
        out, began = self.root / "killed", time.monotonic()
        self.ended(self.run(out))
        took, rng = time.monotonic() - began, torch.Generator().manual_seed(0)
        for i in range(n):
            shutil.rmtree(out, ignore_errors=True)
            process, wait = self.run(out), took * (i + float(torch.rand((), generator=rng))) / n
            timer = threading.Timer(wait, os.kill, (process, signal.SIGKILL))
            timer.start()
            status = self.ended(process)
            timer.cancel()
            timer.join()
            yield f"{wait:.3f} s, {'killed' if status == -signal.SIGKILL else 'too late'}", self.resumed(out)

    def _points(self, out: Path) -> list[str]:
        shutil.rmtree(out, ignore_errors=True)
        kill, listed = Kill(out), self.root / "points.json"
        if self.ended(self.run(out, kill.install, lambda: _keep(listed, kill.points))):
            raise SystemExit((self.root / "said.txt").read_text())
        return list(json.loads(listed.read_text()))


def _keep(path: Path, points: list[str]) -> None:
    path.write_text(json.dumps(points))


def _command(recipe: Path, out: Path) -> int:
    from kinetic._cli import main

    sys.argv = ["kinetic", "run", str(recipe), "--out", str(out), "--device", "cpu"]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def bench(root: Path, pictures: bool = True) -> Bench:
    """One with everything imported and its undisturbed run done; without pictures a run takes a fifth of the time."""
    from kinetic._report import page

    torch.set_num_threads(1)
    (root / "r.toml").write_text(RECIPE)
    if not pictures:
        page.pictures = lambda run: []  # they are drawn from files that are compared
    ready = Bench(root, pictures)
    from kinetic import load_recipe

    load_recipe(root / "r.toml").run(ready.whole, "cpu")
    return ready


def differences(one: Path, other: Path) -> Iterator[str]:
    """What two run folders do not have in common, but for times, events and the order of the manifest."""
    names = [{str(path.relative_to(folder)) for path in folder.rglob("*")} for folder in (one, other)]
    yield from sorted(names[0] ^ names[1])
    for name in sorted(names[0] & names[1] - {"events.jsonl"}):
        if (one / name).is_file() and _content(one / name) != _content(other / name):
            yield name


def _content(path: Path) -> Any:
    if path.name == "manifest.jsonl":
        from kinetic._store.manifest import Manifest

        entries = Manifest.read(path.parent).entries
        return {name: entry for name, entry in entries.items() if name not in ("provenance.json", "report.html")}
    if path.name == "provenance.json":
        return {key: value for key, value in json.loads(path.read_text()).items() if key not in TIMES}
    if path.name == "report.html":
        return re.sub(r"(?s)\d{4}-\d\d-\d\dT[\d:.+]+|seconds&#34;: \{.*?\}|On cpu, [^.]*", "TIME", path.read_text())
    return path.read_bytes()


def counted(came: Iterator[tuple[str, str]], show: Callable[[str], object] = lambda line: None) -> tuple[int, int, int]:
    """How many kills, how many other results after it, how many errors; each of the last two is shown."""
    kills = other = errors = 0
    for where, wrong in came:
        kills, other, errors = kills + 1, other + wrong.startswith("other"), errors + wrong.startswith("error")
        if wrong:
            show(f"{where}: {wrong}")
    return kills, other, errors


def tables(quick: bool) -> list[Table]:
    """One table, a row for each way to kill."""
    rows = []
    for name, pictures in (("at a write of its own", False), ("at a moment", True)):
        with tempfile.TemporaryDirectory(prefix="kinetic-kills-") as folder:
            made = bench(Path(folder), pictures)
            came = made.moments(2 if quick else 40) if pictures else made.every(0, 40 if quick else 1)
            rows.append((name, *map(str, counted(came, lambda line: print(line, file=sys.stderr)))))
    note = "Two arms of three blocks, a metric with neighbours, noise left in one arm; every file equal but for times."
    return [Table("Runs killed and resumed", HEADER, rows, note)]


def main(way: str, given: str = "0/1") -> int:
    """Kill in one way and print what was wrong; the status is 1 where something was."""
    with tempfile.TemporaryDirectory(prefix="kinetic-kills-") as folder:
        made = bench(Path(folder), pictures=way == "moments")
        came = made.moments(int(given)) if way == "moments" else made.every(*map(int, given.split("/")))
        kills, other, errors = counted(came, print)
        print(f"{kills} kills, {other} with other results, {errors} with errors")
        return int(bool(other or errors or not kills))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
