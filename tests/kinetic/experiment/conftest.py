"""Runs shared by several processes."""

import contextlib
import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest

from kinetic import load_recipe

SHAKY = """
    import os, signal, attrs, kinetic, torch

    @attrs.frozen(eq=False)
    class Shaky(kinetic.VelocityField):
        '''Moves to the point (1, 2); SHAKY=WHAT:RANK:SAMPLE makes a rank fail at a sample, "killed" once.'''
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            what, rank, sample = (os.environ.get("SHAKY") or "::").split(":")
            ids = [] if batch is None else batch.ids.tolist()
            if what and rank in ("*", os.environ.get("RANK", "0")) and int(sample) in ids and len(ids) > 2:
                fail(what, len(ids))
            return torch.tensor([1.0, 2.0]) - x

    def fail(what, rows):
        if what == "killed" and not os.path.exists(os.environ["MARKER"]):
            open(os.environ["MARKER"], "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "raises":
            raise ZeroDivisionError("none today")
        if what == "greedy" and rows > 4:
            torch.empty(2**55)

    @kinetic.hookimpl
    def register_fields(register):
        register("shaky", Shaky)
"""
RECIPE = """
    [run]
    samples = 43
    batch = 7
    [field]
    name = "shaky"
    [solver]
    name = "heun"
    steps = 3
    [energy.kpe]
    [data]
    name = "tensor-file"
    path = "data.npy"
    [metrics.memorisation]
    [metrics.vendi]
    [arms.plain]
    [arms.shaped.schedule]
    name = "constant"
    value = 0.9
"""
FILES = ("samples.parquet", "scores.json", "evidence.json", "recipe.toml")


@pytest.fixture
def shaky(install, recipe, tmp_path, monkeypatch):
    """The recipe of the field above."""
    install("acme-shaky", "acme_shaky", SHAKY)
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "data.npy", np.random.default_rng(0).normal(size=(30, 2)).astype("float32"))
    return recipe(RECIPE, "shaky.toml")


@pytest.fixture
def alone(shaky):
    """alone(out, *overrides): the run by one process, this one."""
    return lambda out, *overrides: load_recipe(shaky, overrides).run(out, "cpu")


@pytest.fixture
def started(shaky, tmp_path):
    """started(*words, ranks=n, shaky=""): `kinetic run` of the shaky recipe by n processes, not yet waited for."""
    path, running = shaky, []

    def start(*words, ranks=1, shaky="", launcher=None):
        known = {
            "PYTHONPATH": str(tmp_path / "site"),
            "OMP_NUM_THREADS": "1",
            "SHAKY": shaky,
            "MARKER": str(tmp_path / "marker"),
        }
        environment = {**os.environ, **known, "COLUMNS": "200"}
        command = [sys.executable, *(launcher or ()), "-m", "kinetic", "run", str(path), "--device", "cpu"]
        shared = {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        own = [{"RANK": str(i), "LOCAL_RANK": str(i), **shared} for i in range(ranks)] if ranks > 1 else [{}]
        processes = [
            subprocess.Popen(
                [*command, *map(str, words)], env={**environment, **mine}, text=True, cwd=tmp_path,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            )
            for mine in own
        ]  # fmt: skip
        running.extend(processes)
        return processes

    yield start
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def alike():
    """alike(one, other): two run folders hold the same samples, energies, scores, table and evidence, byte for byte."""

    def compare(one, other):
        shards = [sorted(path.relative_to(run) for path in run.rglob("*.safetensors")) for run in (one, other)]
        assert shards[0] == shards[1]
        for name in (*FILES, *shards[0]):
            assert (one / name).read_bytes() == (other / name).read_bytes(), name

    return compare


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]
