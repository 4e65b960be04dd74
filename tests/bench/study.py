"""What the tables, the evidence and the report of a finished run cost against samples and arms, in CPU seconds and memory.

The run is made up: a baseline and arms with noise left in them, three meters, ten columns of scores that are numbers and two
of yes and no, each in two views, a score of the set, classes. Each number is of a process of its own; by hand it is

    python tests/bench/study.py evidence 50000 8 10 DIR     # samples, arms, classes, a folder that is made
    python tests/bench/study.py report 50000 8 10 DIR       # draws it
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from kinetic import Column, Estimate, Run, Score, evidence
from kinetic._evaluate.views import DENOISED, PLAIN
from kinetic._experiment.compare import compare
from kinetic._experiment.tables import scores_of, tables_of
from kinetic._report import write_report
from kinetic._sample.columns import OWN
from kinetic._sample.shard import Shard
from kinetic._store.layout import EVIDENCE, PROVENANCE, SCORES
from kinetic._store.run_folder import RunFolder

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH, which tox sets, leaves the script's own folder out

from timing import Table

PEERS = ("numpy", "scipy", "matplotlib")
SHAPE = (3, 8, 8)
BINS, SHARD = 20, 1000
TERMS = {"kpe": {"x0_sq": 0.5, "x0_dot_x1": -1.0, "x1_sq": 0.5, "bending": 1.0}}
ENERGIES = [
    Column("kpe", "Kinetic Path Energy.", "energy"),
    Column("bending", "Above the straight path.", "energy"),
    Column("displacement", "Of the straight path.", "energy", main=False),
    Column("early", "Before t = 0.8.", "energy", main=False),
    Column("late", "After t = 0.8.", "energy", main=False),
    Column("length", "Length of the path.", "energy"),
    Column("tortuosity", "Length over distance.", "energy"),
    Column("power", "Half the squared speed.", "energy"),
    Column("peak", "The largest power.", "energy", main=False),
    Column("peak_time", "When.", "energy", main=False),
]
METRICS = {
    "memorisation": [
        Column("memorised", "A copy.", "label", better="lower", mean="f_mem"),
        Column("ratio", "d1/d2.", better="higher"),
        Column("distance", "d1.", main=False),
        Column("index", "The nearest.", "index", main=False),
    ],
    "margin": [Column("margin", "Logits.", better="higher"), Column("correct", "Whether.", "label")],
    "support": [
        Column("log_density", "By kernels."),
        Column("support", "By neighbours."),
        Column("inside", "Balls of data it is in.", unit="balls"),
        Column("closer_to_train", "Than to other data."),
        Column("likeness", "To its prompt."),
    ],
    "sharpness": [Column("sharpness", "Laplacian."), Column("sigma", "White noise.", better="lower")],
}


def made_up(n: int, arms: int, classes: int) -> tuple[dict[str, Run], dict[str, str], dict[str, dict[str, Score]]]:
    """Runs, baselines and controls of `compare`: the noise is one for all arms, energies and scores hang together."""
    names = ["plain", *(f"arm-{i}" for i in range(1, arms))]
    noise = np.random.default_rng(0).normal(size=n)
    runs = {name: _run(n, noise, i, classes) for i, name in enumerate(names)}
    baselines = dict.fromkeys(names[1:], "plain")
    controls = {name: _scored(np.random.default_rng([2, i]), n, noise, i) for i, name in enumerate(names[1:], 1)}
    return runs, baselines, controls


def _run(n: int, noise: np.ndarray, i: int, classes: int) -> Run:
    rng = np.random.default_rng([1, i])
    x0, x1 = 60 + 5 * rng.normal(size=(2, n))
    dot, bending = 20 + 3 * rng.normal(size=n), rng.gamma(3.0, size=n) + 0.3 * noise
    straight = 0.5 * x0 - dot + 0.5 * x1
    kpe = straight + bending
    early, length = kpe * rng.uniform(0.6, 0.8, n), np.sqrt(2 * np.abs(kpe)) + 0.1 * rng.normal(size=n)
    columns = {
        "kpe": kpe, "bending": bending, "displacement": straight, "early": early, "late": kpe - early, "length": length,
        "tortuosity": 1 + rng.gamma(2.0, 0.1, n), "power": kpe[:, None] * (1 + 0.2 * rng.normal(size=(n, BINS))),
        "peak": 2 * kpe + rng.normal(size=n), "peak_time": (rng.integers(BINS, size=n) + 0.5) / BINS,
        "nfe": np.full(n, 50.0), "x0_sq": x0, "x0_dot_x1": dot, "x1_sq": x1, "gain": np.full(n, 0.98 if i else 1.0),
    }  # fmt: skip
    views = {PLAIN: _scored(rng, n, noise, i), **({DENOISED: _scored(rng, n, noise, i)} if i else {})}
    samples = torch.zeros(1).expand(n, *SHAPE)
    return Run(
        samples,
        samples,
        {name: torch.from_numpy(column) for name, column in columns.items()},
        views,
        condition=torch.arange(n) % classes,
        described={column.name: column for column in (*ENERGIES, *OWN)},
        terms=TERMS,
    )


def _scored(rng: np.random.Generator, n: int, noise: np.ndarray, i: int) -> dict[str, Score]:
    def column(of: Column) -> torch.Tensor:
        values = torch.from_numpy(noise * rng.uniform(0.1, 0.6) + rng.normal(size=n) + 0.02 * i)
        if of.kind == "index":
            return torch.from_numpy(rng.integers(n, size=n))
        if of.unit == "balls":
            values = values.exp().round()
        return values > 0 if of.kind == "label" else values.float()

    scores = {}
    for metric, described in METRICS.items():
        columns = {of.name: column(of) for of in described}
        means = {of.value: _mean(columns[of.name]) for of in described if of.kind != "index"}
        scores[metric] = Score(means, torch.arange(n), columns, described={of.name: of for of in described})
    leave_out = 1.0 + 0.1 * i + 0.01 * rng.normal(size=(2, evidence.GROUPS))
    known = evidence.two_jackknives(1.0 + 0.1 * i, *leave_out)
    return scores | {"set": Score({"kid": known}, described={"kid": Column("kid", "To data.", better="lower")})}


def _mean(column: torch.Tensor) -> Estimate:
    return (evidence.proportion if column.dtype == torch.bool else evidence.mean)(column.numpy())


def write(folder: RunFolder, runs: dict[str, Run]) -> None:
    """What a report reads besides tables and evidence: shards of random pixels, and where they come from."""
    n, rng = len(next(iter(runs.values())).samples), torch.Generator().manual_seed(0)
    for arm in runs:
        for start in range(0, n, SHARD):
            images = torch.rand(min(SHARD, n - start), *SHAPE, generator=rng) * 2 - 1
            folder.store(arm).save(Shard(start, images, images, {"nfe": torch.full((len(images),), 50.0)}))
    made = {arm: {"solver": {"name": "euler", "steps": 50}} for arm in runs}
    folder.save_json(
        PROVENANCE,
        {
            "recipe": "study", "title": "Study", "arms": made, "run": {"samples": n}, "device": "cpu",
            "seconds": dict.fromkeys(runs, 1.0), "started": "2026-01-01T00:00:00+00:00", "packages": {}, "time_map": "t",
        },
    )  # fmt: skip


def stages(what: str, n: int, arms: int, classes: int, folder: Path) -> dict[str, float]:
    """CPU seconds of each stage of `evidence` or of `report`, and by how many MB they raised the peak of memory."""
    seconds: dict[str, float] = {}
    runs, baselines, controls = made_up(n, arms, classes) if what == "evidence" else ({}, {}, {})
    before, began = _held(), time.process_time()

    def lap(name: str) -> None:
        nonlocal began
        seconds[name] = time.process_time() - began
        began = time.process_time()

    if what == "evidence":
        with RunFolder.open(folder, {"run": {"samples": n}}, {}, batch=SHARD) as target:
            target.save_table(lambda: tables_of(runs), pa.unify_schemas([each.schema for each in tables_of(runs)]))
            target.save_json(SCORES, {arm: scores_of(run) for arm, run in runs.items()})
            lap("tables")
            target.save_json(EVIDENCE, compare(runs, baselines, controls))
            lap("evidence")
            seconds["peak"] = _peak() - before
            write(target, runs)
    else:
        write_report(folder)
        lap("report")
        seconds["peak"] = _peak() - before
    return seconds


def _peak() -> float:
    """The most MB of this process that were resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _held() -> float:
    """MB of this process that are resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def tables(quick: bool) -> list[Table]:
    """CPU seconds and memory against samples, arms and classes."""
    sizes = [(n, arms, 10) for arms in (2, 8) for n in (2000, 10_000, 50_000)]
    rows = []
    for n, arms, classes in [(200, 2, 10)] if quick else [*sizes, (50_000, 8, 1000), (200_000, 2, 10)]:
        with tempfile.TemporaryDirectory() as folder:
            made, drawn = (_apart(what, n, arms, classes, folder) for what in ("evidence", "report"))
        times = [made["tables"], made["evidence"], drawn["report"]]
        cells = [f"{each:.1f}" for each in (*times, sum(times))]
        rows.append([f"{n:,}", str(arms), f"{classes:,}", *cells, f"{made['peak']:.0f}", f"{drawn['peak']:.0f}"])
    seconds = ("tables, s", "evidence, s", "report, s", "together, s")
    head = ("samples", "arms", "classes", *seconds, "tables and evidence, MB", "report, MB")
    note = (
        "CPU seconds of one thread. Memory is the peak of what is resident, above the columns themselves and above the "
        "imported modules."
    )
    return [Table("Tables, evidence and report", head, rows, note)]


def _apart(what: str, n: int, arms: int, classes: int, folder: str) -> dict[str, float]:
    command = [sys.executable, __file__, what, str(n), str(arms), str(classes), folder]
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | one)
    return json.loads(done.stdout)


if __name__ == "__main__":
    torch.set_num_threads(1)
    what, *numbers, folder = sys.argv[1:]
    print(json.dumps(stages(what, *map(int, numbers), folder=Path(folder))))
