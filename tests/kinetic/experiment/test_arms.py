import json

import pytest
import torch

from kinetic import load_recipe
from kinetic.errors import OutOfMemoryError

GREEDY = """
    import attrs, kinetic, os, torch

    @attrs.frozen(eq=False)
    class Greedy(kinetic.VelocityField):
        '''Needs more memory than there is where it is asked for more rows than HOLDS, or for sample SPOILS.'''
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            ids = [] if batch is None else batch.ids.tolist()
            if len(x) > int(os.environ["HOLDS"]) or int(os.environ.get("SPOILS", -1)) in ids:
                torch.empty(2**55)
            return -x

    @kinetic.hookimpl
    def register_fields(register):
        register("greedy", Greedy)
"""
RECIPE = """
    [run]
    samples = 20
    batch = 16
    [solver]
    name = "euler"
    steps = 2
    [energy.kpe]
    [arms.plain]
    field = "gaussian"
    [arms.greedy]
    field = "greedy"
"""


@pytest.fixture
def greedy(install, recipe, monkeypatch):
    monkeypatch.setenv("HOLDS", "5")
    install("acme-greedy", "acme_greedy", GREEDY)
    return load_recipe(recipe(RECIPE), ["field={name='gaussian', size=2}"])


def test_a_block_that_memory_does_not_hold_is_halved_before_any_is_kept_and_that_is_recorded(greedy, tmp_path):
    run = greedy.run(tmp_path / "out", "cpu")
    assert run.recipe["run"]["batch"] == 4
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    halved = [(event["before"], event["after"]) for event in events if event["event"] == "batch"]
    assert halved == [(16, 8), (8, 4)]
    assert sorted(path.name for path in (tmp_path / "out" / "shards" / "plain").iterdir()) == [
        f"{start:08d}-{start + 4:08d}.safetensors" for start in range(0, 20, 4)
    ]
    whole = greedy.run(tmp_path / "again", "cpu")
    assert torch.equal(whole.samples("greedy"), run.samples("greedy"))


def test_memory_that_runs_out_later_keeps_what_is_finished_and_names_the_samples_and_the_way_on(
    greedy, tmp_path, monkeypatch
):
    monkeypatch.setenv("SPOILS", "13")
    with pytest.raises(OutOfMemoryError, match=r"arm 'greedy': samples 12 to 15: memory ran out: .*\n  Take fewer"):
        greedy.run(tmp_path / "out", "cpu")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "shards").rglob("*.safetensors")}
    assert len(kept) == 5 + 3
    monkeypatch.delenv("SPOILS")
    greedy.run(tmp_path / "out", "cpu")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_memory_that_does_not_hold_one_sample_is_an_error(greedy, tmp_path, monkeypatch):
    monkeypatch.setenv("SPOILS", "0")
    with pytest.raises(
        OutOfMemoryError, match=r"arm 'greedy': Greedy: memory ran out when asked for 2 velocities: .*\n  Take a"
    ):
        greedy.run(tmp_path / "out", "cpu")
