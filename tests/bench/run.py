"""Every benchmark, peers in the same process: `tox -e bench`, or `python tests/bench/run.py [--quick] [--out FILE] [NAME ...]`.

Prints each table as it is done. With --out the page is written too, with machine, versions and command. `coverage`,
`study` and `grids` run only by name: they have pages of their own, docs/how-the-intervals-were-tested.md, docs/scale.md
and docs/recipes/grids.md. So do `kills` and `fuzz`, which measure nothing.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

NAMES = ("solvers", "adaptive", "energy", "metering", "empirical", "frechet", "neighbours", "scores", "memory", "gpu")
PEERS = (
    "torchdiffeq",
    "torchode",
    "flow_matching",
    "pytorch-fid",
    "faiss-cpu",
    "scikit-learn",
    "torchmetrics",
    "torch-fidelity",
    "prdc",
)
MARK = "<!-- tables -->"  # what stands above it in the page is kept
HERE = Path(__file__).parent


def main() -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--out", type=Path, help="write the page here")
    given = parser.parse_args()
    torch.set_num_threads(1)
    sys.path.insert(0, str(HERE))  # PYTHONSAFEPATH, which tox sets, leaves the script's own folder out
    modules = [importlib.import_module(name) for name in given.names or NAMES]
    peers = list(dict.fromkeys(name for module in modules for name in getattr(module, "PEERS", PEERS)))
    command = " ".join(["python tests/bench/run.py", *given.names, *(["--quick"] if given.quick else [])])
    page = [_head(command, peers)]
    for module in modules:
        for table in module.tables(given.quick):
            print(table.markdown(), flush=True)
            page.append(table.markdown())
    if "gpu" in (given.names or NAMES) and not torch.cuda.is_available():
        page.append("No CUDA device was at hand: the tables of `gpu` are missing.\n")
    if given.out:
        text = given.out.read_text() if given.out.exists() else ""
        above = text.partition(MARK)[0] if MARK in text else ""
        given.out.write_text(f"{above}{MARK}\n\n" + "\n".join(page))


def _head(command: str, peers: list[str]) -> str:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=HERE, check=False
    ).stdout.strip()
    processor = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    versions = ", ".join(f"{name} {_version(name)}" for name in peers)
    return (
        f"Printed by `{command}` at commit {commit or 'unknown'} on {processor}, one thread, Python "
        f"{platform.python_version()}, torch {torch.__version__}; {versions}.\n"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
