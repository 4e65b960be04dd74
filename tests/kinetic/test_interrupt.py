import json
import os
import signal
import subprocess
import sys
import time

import pytest

from kinetic import load_run
from kinetic._interrupt import Stopped, status_of, stoppable

SLOW = """
    import attrs, kinetic, time, torch

    @attrs.frozen(eq=False)
    class Slow(kinetic.VelocityField):
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            time.sleep(0.03)
            return -x

    @kinetic.hookimpl
    def register_fields(register):
        register("slow", Slow)
"""
KINETIC = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started this with it ignored
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and so may nohup
runpy.run_module("kinetic", run_name="__main__")
"""
RECIPE = """
    [run]
    samples = 20
    batch = 2
    [field]
    name = "slow"
    [solver]
    name = "euler"
    steps = 4
    [energy.kpe]
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_ends_a_run_with_one_sentence_and_the_same_command_goes_on(install, recipe, tmp_path, name):
    site = install("acme-slow", "acme_slow", SLOW)
    command = [sys.executable, "-c", KINETIC, "run", str(recipe(RECIPE)), "--device", "cpu", "--out"]
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    out = tmp_path / "out"
    running = subprocess.Popen(
        [*command, str(out)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(out.rglob("0*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(getattr(signal, name))
    said, complaints = running.communicate(timeout=60)
    assert running.returncode == 128 + getattr(signal, name)
    assert said == ""
    assert complaints.splitlines()[-1] == "stopped; what was finished is kept, and the same command goes on from there"
    assert "Traceback" not in complaints
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert events[-1]["event"] == "stopped"
    assert not list(out.rglob("*.part"))
    done = subprocess.run([*command, str(out)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(load_run(out).table) == 20


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_is_an_interrupt_inside_and_nothing_afterwards():
    with pytest.raises(Stopped) as caught, stoppable():
        signal.raise_signal(signal.SIGTERM)
    assert status_of(caught.value) == 143
    assert status_of(KeyboardInterrupt()) == 130
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("words", [["recipes", "goldilocks"], ["show", "solver"], ["plugins"]])
def test_output_that_nobody_reads_ends_with_one_sentence(words):
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "kinetic", *words],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 141
    said = "error: the output was closed before all of it was printed; files that were written are whole\n"
    assert done.stderr == said
