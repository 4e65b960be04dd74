"""Several processes draw one run: the same bytes, whoever drew them and whatever happened on the way."""

import io
import json

import pytest
from kinetic_fields import Gaussian
from kinetic_solvers import Euler
from rich.console import Console

from kinetic import Runner
from kinetic._experiment import share
from kinetic._experiment.arms import Arms
from kinetic._experiment.share import Watch, listed
from kinetic._progress import Reporter
from kinetic._store.run_folder import RunFolder
from kinetic.errors import StoreError

pytestmark = pytest.mark.proof


def ended(processes):
    """`[(status, stdout, stderr)]` of each, once it has ended."""
    said = [process.communicate(timeout=120) for process in processes]
    return [(process.returncode, *words) for process, words in zip(processes, said, strict=True)]


@pytest.fixture
def whole(alone, tmp_path):
    """The folder of the run by one process."""
    return alone(tmp_path / "whole").folder


def test_ranks_write_what_one_process_writes_and_rank_0_speaks_for_them(started, whole, tmp_path, alike):
    out = tmp_path / "out"
    (status, printed, shown), *others = ended(started("--out", out, ranks=3))
    assert status == 0, shown
    assert "kpe" in printed
    assert shown.splitlines()[:2] == ["plain: 43 samples", "shaped: 43 samples"]
    assert others == [(0, "", "")] * 2
    alike(whole, out)
    drawn = []
    for name in ("events.jsonl", "events.rank-1.jsonl", "events.rank-2.jsonl"):
        events = map(json.loads, (out / name).read_text().splitlines())
        drawn.append([(event["arm"], event["start"]) for event in events if event["event"] == "shard"])
    assert sorted(map(len, drawn)) == [4, 5, 5]
    assert len({block for own in drawn for block in own}) == 14
    assert [path.name for path in out.glob("manifest*")] == ["manifest.jsonl"]


def test_a_rank_that_is_killed_ends_the_run_and_another_number_of_ranks_goes_on(started, whole, tmp_path, alike):
    out = tmp_path / "out"
    first, second = ended(started("--out", out, ranks=2, shaky="killed:1:24"))
    assert second[0] == -9
    assert first[0] == 2
    assert "error: another rank has ended, or cannot be reached" in first[2]
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    assert 7 < len(kept) < 14
    for status, _, errors in ended(started("--out", out, ranks=3)):
        assert status == 0, errors
    assert sum(path.stat().st_mtime_ns == kept[path] for path in kept) >= len(kept) - 1
    alike(whole, out)


def test_an_error_of_one_rank_is_printed_once_with_its_number_and_the_run_can_be_gone_on_with(
    started, alone, whole, tmp_path, alike
):
    out = tmp_path / "out"
    first, second = ended(started("--out", out, ranks=2, shaky="raises:1:24"))
    assert (first[0], second[0]) == (2, 2)
    assert second[2].startswith("error: rank 1: arm 'plain': samples 21 to 27: Shaky raised ZeroDivisionError: none")
    assert "none today" not in first[2]
    alone(out)
    alike(whole, out)


def test_an_error_that_all_ranks_have_is_printed_by_the_first(started):
    first, second = ended(started("--set", "solver.steps=0", ranks=2))
    assert first[0] == 2
    assert "'steps' must be" in first[2]
    assert second == (2, "", "")


def test_the_block_that_the_memory_of_every_rank_holds_is_taken(started, alone, tmp_path, alike):
    (status, _, errors), other = ended(started("--out", "low", ranks=2, shaky="greedy:1:8"))
    assert status == 0, errors
    assert other[0] == 0
    assert "memory does not hold 7 samples at a time: trying 3" in errors
    alone(tmp_path / "small", "run.batch=3")
    alike(tmp_path / "small", tmp_path / "low")


def test_torchrun_starts_ranks_again_and_they_go_on(started, whole, tmp_path, alike):
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--max-restarts=1", "--standalone")
    words = ("--out", tmp_path / "out")
    ((status, printed, errors),) = ended(started(*words, shaky="killed:1:24", launcher=launcher))
    assert status == 0, errors
    assert (tmp_path / "marker").exists()
    assert "kpe" in printed
    alike(whole, tmp_path / "out")


@pytest.fixture
def arms():
    return Arms({"a": Runner(Gaussian(size=2), Euler(steps=2))}, 10, {"a": 0}, {"device": "cpu", "dtype": None})


@pytest.fixture
def folder(tmp_path):
    with RunFolder.open(tmp_path, {"run": {"samples": 10, "batch": 3}}, {}) as folder:
        yield folder


def test_bars_show_what_others_have_finished_and_what_this_rank_walks(arms, folder, monkeypatch):
    monkeypatch.setattr(share, "_LOOK", 0.0)
    blocks = arms.blocks(3)
    with Reporter(Console(file=io.StringIO())).running() as bars:
        arms.fill(folder, blocks[2:3])
        watch = Watch(folder, bars, arms, set(blocks[1:]))
        on_progress = watch.arm("a")
        seen = [bars.progress.tasks[0].completed]
        for done in (1.5, 1.5):
            on_progress(done)
            seen.append(bars.progress.tasks[0].completed)
        arms.fill(folder, blocks[:2] + blocks[3:])  # the first is this rank's, and counts as it walks
        watch.look()
        seen.append(bars.progress.tasks[0].completed)
    assert seen == [3, 4, 6, 10]


def test_blocks_that_other_ranks_drew_elsewhere_are_an_error_that_names_them(arms, folder, monkeypatch):
    monkeypatch.setattr(share, "PATIENCE", 0.0)
    arms.fill(folder, arms.blocks(3)[1:])
    way = r"lacks 1 blocks that .*:\n  arm 'a': samples 0 to 2\n  Choose a folder with --out that all nodes see"
    with pytest.raises(StoreError, match=way):
        share._take_in(arms, folder)
    arms.fill(folder, arms.blocks(3))
    share._take_in(arms, folder)


def test_of_many_blocks_the_first_are_named():
    assert listed([("a", i, i + 1) for i in range(9)]).splitlines()[-2:] == [
        "  arm 'a': samples 7 to 7",
        "  and 1 more",
    ]
