"""Damaged run folders: whatever happened to a file, reading, reporting and resuming refuse it or give the right result.

One finished run and one that was cut short, of two arms, one of which leaves noise; a copy of them for each damage.
"""

import contextlib
import io
import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

from kinetic import load_recipe, load_run
from kinetic._experiment.experiment import identity_of
from kinetic._progress import Reporter
from kinetic._report import print_status, print_verified, print_why, write_report
from kinetic._store.status import status_of
from kinetic._store.verify import verify
from kinetic._store.why import why_again
from kinetic.errors import KineticError

pytestmark = pytest.mark.proof

RECIPE = """
title = "small"
[run]
samples = 3
batch = 2
[data]
name = "tensor-file"
path = "{data}"
[field]
name = "gaussian"
size = 2
[solver]
name = "euler"
steps = 3
[energy.kpe]
[metrics.memorisation]
[arms.plain]
[arms.kts.schedule]
name = "kts"
"""
ARMS = ("plain", "kts")
SHARDS = [f"shards/{arm}/{block}.safetensors" for arm in ARMS for block in ("00000000-00000002", "00000002-00000003")]
TABLES = ["recipe.toml", "provenance.json", "samples.parquet", "scores.json", "evidence.json", "report.html"]
NEIGHBOURS = [f"neighbours/{arm}.safetensors" for arm in ARMS]
JOURNALS = ["manifest.jsonl", "events.jsonl"]
FINISHED = [*SHARDS[1:], *NEIGHBOURS, *TABLES, *JOURNALS, ".lock"]
CUT = [*SHARDS[:2], "recipe.toml", "provenance.json", *JOURNALS, ".lock"]
QUIET = Reporter(Console(file=io.StringIO()))


class Study:
    """The runs that copies are made of, and what reads and resumes them."""

    def __init__(self, path):
        self.path = path
        x = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
        np.save(path / "x.npy", x)
        (path / "small.toml").write_text(RECIPE.format(data=path / "x.npy"))
        self.recipe = load_recipe(path / "small.toml")
        self.identity = identity_of(self.recipe, torch.device("cpu"))
        load_recipe(path / "small.toml", ["run.seed=1"]).run(path / "other", "cpu", QUIET)
        with contextlib.suppress(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
            patch.setattr("kinetic._experiment.arms.Arms.first_blocks", self._first_arm_alone)
            self.recipe.run(path / "cut", "cpu", QUIET)
        self.recipe.run(path / "finished", "cpu", QUIET)
        self.result = everything(load_run(path / "finished"))

    @staticmethod
    def _first_arm_alone(arms, folder, bars, ranks):
        arms.fill(folder, [("plain", 0, 2), ("plain", 2, 3)])
        raise KeyboardInterrupt

    def copy(self, which, folder):
        shutil.copytree(self.path / which, folder)
        return folder


def everything(run):
    """`{what: value}` of all that a finished run can be asked for."""
    asked = {
        "recipe": lambda: run.recipe,
        "table": lambda: [*run.table.to_pylist()],
        "scores": lambda: run.scores,
        "evidence": lambda: run.evidence,
        "arms": lambda: run.arms,
        "made by": lambda: run.provenance["made_by"],
        **{f"rows {arm}": lambda arm=arm: run.rows(arm).to_pylist() for arm in ARMS},
        **{f"samples {arm}": lambda arm=arm: run.samples(arm).tolist() for arm in ARMS},
        **{f"some {arm}": lambda arm=arm: run.stored(arm)[torch.tensor([2, 0])].tolist() for arm in ARMS},
        **{f"neighbours {arm}": lambda arm=arm: plain(run.neighbours(arm)) for arm in ARMS},
    }
    values = {}
    for what, read in asked.items():
        try:
            values[what] = json.dumps(read())
        except KineticError as error:
            values[what] = error
    return values


def plain(tensors):
    return tensors and {name: tensor.tolist() for name, tensor in tensors.items()}


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    return Study(tmp_path_factory.mktemp("study"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No picture is drawn, though all that pictures show is read; nothing waits for the disk, or for ever."""

    def pictures(run):
        for arm in run.drawn:
            assert len(run.stored(arm)[:1]) == 1
            run.neighbours(arm)
        return []

    monkeypatch.setattr("kinetic._report.page.pictures", pictures)
    monkeypatch.setattr("os.fsync", lambda file: None)
    signal.signal(signal.SIGALRM, hang)
    signal.alarm(60)
    yield
    signal.alarm(0)


def hang(number, frame):
    raise AssertionError("it hangs")


def check(study, folder, listed=""):
    """Everything that can be done with a damaged folder ends in a `KineticError` or in the right result.

    Args:
        study: what the folder is a copy of.
        folder: the copy.
        listed: a file whose damage must be noticed.
    """
    out = Console(file=io.StringIO())
    assert not listed or not verify(folder).is_whole
    checks = {
        "status": lambda: print_status(status_of(folder), out),
        "why": lambda: print_why(why_again(folder, study.recipe.content, study.identity), out),
        "verify": lambda: print_verified(verify(folder), out),
        "report": lambda: write_report(folder),
    }
    for do in checks.values():
        with contextlib.suppress(KineticError):
            do()
    with contextlib.suppress(KineticError):
        same(everything(load_run(folder)), study.result)
    try:
        run = study.recipe.run(folder, "cpu", QUIET)
    except KineticError:
        return False
    values = everything(run)
    assert not [error for error in values.values() if isinstance(error, KineticError)]
    same(values, study.result)
    verified = verify(folder)
    assert not {*verified.damaged, *verified.missing} & {*FINISHED}
    assert not verified.lacking
    return True


def same(values, right):
    for what, value in values.items():
        assert isinstance(value, KineticError) or value == right[what], what


DAMAGES = {
    "empty": lambda path, study: path.write_bytes(b""),
    "half": lambda path, study: os.truncate(path, path.stat().st_size // 2),
    "without its last byte": lambda path, study: os.truncate(path, max(0, path.stat().st_size - 1)),
    "flipped at the start": lambda path, study: flip(path, 0),
    "flipped in the middle": lambda path, study: flip(path, 0.5),
    "flipped at the end": lambda path, study: flip(path, 0.99),
    "zeros": lambda path, study: path.write_bytes(bytes(path.stat().st_size)),
    "longer": lambda path, study: path.write_bytes(path.read_bytes() * 2),
    "of another seed": lambda path, study: shutil.copy(study.path / "other" / relative(path), path),
    "removed": lambda path, study: path.unlink(),
    "a folder": lambda path, study: (path.unlink(), path.mkdir()),
    "a FIFO": lambda path, study: (path.unlink(), os.mkfifo(path)),
    "a link to itself": lambda path, study: (path.unlink(), path.symlink_to(path)),
    "a link outside": lambda path, study: (path.rename(aside(path)), path.symlink_to(aside(path))),
}
SAME_BYTES = ("a link outside",)


def relative(path):
    parts = path.parts
    return Path(*parts[parts.index("copy") + 1 :])


def aside(path):
    return Path(*path.parts[: path.parts.index("copy")], "aside")


def twin(path):
    """The same block of the other arm."""
    other = ARMS[1 - ARMS.index(path.parent.name)]
    return path.parent.parent / other / path.name


def flip(path, at):
    content = bytearray(path.read_bytes())
    if content:
        content[min(int(len(content) * at), len(content) - 1)] ^= 4
    path.write_bytes(content)


def cases(which, files):
    for name in files:
        for damage in DAMAGES:
            if name == ".lock" and "a " not in damage:
                continue  # it is empty
            yield pytest.param(which, name, damage, id=f"{which}-{name}-{damage}")


@pytest.mark.parametrize(("which", "name", "damage"), [*cases("finished", FINISHED), *cases("cut", CUT)])
def test_a_damaged_file_is_noticed_and_made_again(study, tmp_path, which, name, damage):
    folder = study.copy(which, tmp_path / "copy")
    before = (folder / name).read_bytes()
    DAMAGES[damage](folder / name, study)
    is_listed = name not in (*JOURNALS, ".lock") and damage not in SAME_BYTES and which == "finished"
    mended = check(study, folder, name if is_listed else "")
    if damage == "a link outside":
        assert aside(folder / name).read_bytes() == before, "written outside of the folder"
    if name in (*SHARDS, *NEIGHBOURS) and damage != "a folder":
        assert mended


SHARD_DAMAGES = {
    "swapped with that of the other arm": lambda path, study: swap(path, twin(path)),
    "in place of its twin": lambda path, study: shutil.copy(path, twin(path)),
    "under the name of another block": lambda path, study: shutil.copy(path, path.with_name(SHARDS[0].split("/")[2])),
    "of another dtype": lambda path, study: rewrite(path, lambda name, x: x.half() if name == "samples" else x),
    "of another number": lambda path, study: rewrite(path, lambda name, x: x + 1e-4 if name == "energy.kpe" else x),
    "without a column": lambda path, study: rewrite(path, lambda name, x: None if name == "energy.kpe" else x),
    "without its denoised samples": lambda path, study: rewrite(path, lambda name, x: None if "den" in name else x),
    "shorter": lambda path, study: rewrite(path, lambda name, x: x[:0]),
}


@pytest.mark.parametrize("damage", SHARD_DAMAGES)
def test_samples_that_are_not_those_that_were_drawn_are_drawn_again(study, tmp_path, damage):
    folder = study.copy("finished", tmp_path / "copy")
    SHARD_DAMAGES[damage](folder / SHARDS[3], study)
    is_noticed = "denoised" not in damage or verify(folder).damaged
    assert check(study, folder, SHARDS[3] if is_noticed else "")


def swap(one, two):
    held = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(held)


def rewrite(path, change):
    """The tensors of a file, changed or left out."""
    tensors = {name: change(name, tensor) for name, tensor in load_file(path).items()}
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items() if tensor is not None}
    save_file(tensors, path, {"columns": json.dumps(list(tensors))})


DEEP = "[" * 100_000
LINES = [
    DEEP,
    '{"file": ' * 100_000,
    "nonsense",
    "7",
    '{"file": 3, "sha256": "", "bytes": 0}',
    '{"file": "../../stolen", "sha256": "", "bytes": 0}',
    '{"file": "/etc/passwd", "sha256": "", "bytes": 0}',
    '{"file": "shards/../../aside", "sha256": "", "bytes": 0}',
    '{"file": "shards", "sha256": "", "bytes": 0}',
    '{"file": "shards/", "sha256": "", "bytes": 0, "made": ""}',
    '{"file": "shards/plain/x", "sha256": "", "bytes": 0, "made": ""}',
    '{"file": "shards/nobody/00000000-00000002.safetensors", "sha256": "", "bytes": 0, "made": ""}',
    '{"file": "a\\u0000b", "sha256": "", "bytes": 0}',
    '{"file": "\\ud800", "sha256": "", "bytes": 0}',
    '{"file": "' + "x" * 5000 + '", "sha256": "", "bytes": 0}',
    '{"file": "scores.json", "sha256": "", "bytes": ' + "9" * 5000 + "}",
    '{"file": "evidence.json", "gone": true}',
    '{"file": "recipe.toml", "gone": true}',
    '{"event": "shard", "arm": ["plain"], "start": {}, "stop": null, "seconds": NaN}',
    '{"event": "shard", "arm": "plain", "start": 0, "stop": 2, "seconds": 1e999, "nfe": -1}',
    '{"event": "started", "process": "x", "host": 7, "time": 12}',
    '{"event": "left out", "arm": "plain", "samples": 3}',
    '{"event": "batch", "before": [2], "after": -1}',
    '{"event": {}, "time": "2026-13-45", "memory": "much"}',
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:60])
@pytest.mark.parametrize("journal", JOURNALS)
@pytest.mark.parametrize("which", ["finished", "cut"])
def test_lines_that_nobody_wrote_do_no_harm(study, tmp_path, which, journal, line):
    folder = study.copy(which, tmp_path / "copy")
    (tmp_path / "aside").write_text("mine")
    with (folder / journal).open("a") as file:
        file.write(line + "\n")
    check(study, folder)
    assert (tmp_path / "aside").read_text() == "mine"


@pytest.mark.parametrize("i", range(14))
@pytest.mark.parametrize("damage", ["dropped", "flipped", "again"])
def test_a_line_of_the_manifest_that_is_lost_or_wrong_costs_its_file(study, tmp_path, i, damage):
    folder = study.copy("finished", tmp_path / "copy")
    path = folder / "manifest.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    row = bytearray(lines[i % len(lines)])
    row[len(row) // 2] ^= 4
    lines = {
        "dropped": lines[:i] + lines[i + 1 :],
        "flipped": [*lines[:i], bytes(row), *lines[i + 1 :]],
        "again": [*lines, lines[i % len(lines)]],
    }[damage]
    path.write_bytes(b"".join(lines))
    check(study, folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [("small", "large"), ("samples = 3", "samples = 4"), ("batch = 2", "batch = 3"), ("steps = 3", "steps = 4"),
     ("[run]", "[run]\nseed = 1"), ("[run]", "run = 3\n[ran]"), ("title", "x = " + DEEP + "\ntitle"), ("a", "\x00")],
    ids=lambda word: word[:20],
)  # fmt: skip
@pytest.mark.parametrize("which", ["finished", "cut"])
def test_a_recipe_that_somebody_edited_is_not_believed(study, tmp_path, which, old, new):
    folder = study.copy(which, tmp_path / "copy")
    path = folder / "recipe.toml"
    path.write_text(path.read_text().replace(old, new))
    assert not verify(folder).is_whole
    assert check(study, folder, "recipe.toml")


@pytest.mark.parametrize("which", ["finished", "cut"])
def test_folders_in_place_of_all_files_and_files_in_place_of_folders(study, tmp_path, which):
    for i, name in enumerate(["shards", "shards/plain", "neighbours"]):
        folder = study.copy(which, tmp_path / f"copy{i}")
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).write_text("no folder")
        check(study, folder)
        (folder / name).unlink()
        assert check(study, folder)


def test_without_its_list_a_folder_is_drawn_anew_and_nothing_of_it_is_believed(study, tmp_path):
    folder = study.copy("finished", tmp_path / "copy")
    (folder / "manifest.jsonl").unlink()
    before = (folder / SHARDS[0]).stat().st_mtime_ns
    values = everything(load_run(folder))
    assert all(isinstance(value, KineticError) for value in values.values())
    assert check(study, folder)
    assert (folder / SHARDS[0]).stat().st_mtime_ns != before
