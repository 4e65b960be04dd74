"""The page of the run folder is whole and true: files, columns and keys of real runs stand there, and nothing else."""

import json
import re
import textwrap
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from typer.testing import CliRunner

from kinetic import load_recipe
from kinetic._cli import app

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "run-folder.md").read_text()
DIGITS = """
    title = "Both ways"
    about = "Two trainings, one of them shaped."
    [run]
    samples = 60
    classes = 3
    batch = 40
    [data]
    name = "digits"
    [field]
    name = "digits-small"
    [solver]
    name = "euler"
    steps = 8
    [energy.kpe]
    per_dim = true
    [energy.path]
    [energy.power]
    [metrics.memorisation]
    features = "digits"
    [metrics.margin]
    name = "class-margin"
    logits = "digits-logits"
    [arms.plain]
    [arms.kts.schedule]
    name = "kts"
    [arms.other]
    data = { name = "digits", size = 200 }
    [claims.copies-less]
    kind = "difference"
    statement = "It copies less"
    arms = "kts"
    scores = "memorisation.f_mem"
    direction = "lower"
    [trainings.a]
    [trainings.b]
    field = { training = 2 }
"""
MINE = """
    [run]
    samples = 40
    prompts = "prompts.txt"
    [field]
    name = "module"
    shape = [2]
    order = "xt"
    zero = "noise"
    predicts = "velocity"
    path = "linear"
    classes = 2
    [solver]
    name = "dopri5"
    [energy.kpe]
    [arms.once]
    [arms.shaped.schedule]
    name = "kts"
"""
NET = """
    import torch

    class Net(torch.nn.Module):  # no number for the samples on one side, late
        def forward(self, x, t, y=None):
            return torch.where((x[:, :1] > 1.2) & (t[:, None] > 0.9), float("nan"), 1 - x)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where two runs and a folder of scores lie that have between them all that a folder may hold."""
    folder = tmp_path_factory.mktemp("folders")
    for name, text in {"digits.toml": DIGITS, "mine.toml": MINE, "nets_of_the_page.py": NET}.items():
        (folder / name).write_text(textwrap.dedent(text))
    (folder / "prompts.txt").write_text("a\nb\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        load_recipe("digits.toml").run("digits", device="cpu")
        load_recipe("mine.toml", field="module:nets_of_the_page:Net").run("mine", device="cpu")
    return folder


@pytest.fixture(scope="module", params=["digits", "mine"])
def run(folder, request):
    return folder / request.param


def leaves(value, path=()):
    """The keys of every value inside, from the root; `[]` for an item of a list. An empty one ends where it is."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for item in value:
            yield from leaves(item, (*path, "[]"))
    else:
        yield path, value in (None, {}, [])


def keys_of(file):
    """The keys that the page lists for a file, `columns.METRIC.NAME.{name, says}` spelt out."""
    table = PAGE.partition(f"| key of `{file}` | is |\n|---|---|\n")[2].partition("\n\n")[0]
    for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE):
        for words in re.findall(r"`([^`]+)`", cell):
            yield from spelt_out(words)


def spelt_out(words):
    one = re.search(r"\{([^}]*)\}", words)
    if one is None:
        return [tuple(re.findall(r"\[\]|\.\.\.|[^.\[\]]+", words))]
    return [key for each in one[1].split(", ") for key in spelt_out(words.replace(one[0], each, 1))]


def fits(key, path, is_empty):
    """Whether a path is what a key says; one that ends early is, where there is nothing there."""
    if key and key[-1] == "...":
        return len(path) >= len(key) - 1 and all(map(same, key[:-1], path))
    ends = len(path) <= len(key) if is_empty else len(path) == len(key)
    return ends and all(map(same, key, path))


def same(word, name):
    return word == name or (word.isupper() and name != "[]")


@pytest.mark.parametrize("file", ["scores.json", "evidence.json", "provenance.json"])
def test_every_key_of_a_json_file_is_listed(file, run):
    known = [*keys_of(file)]
    paths = leaves(json.loads((run / file).read_text()))
    assert known
    assert not [path for path, is_empty in paths if not any(fits(key, path, is_empty) for key in known)]


@pytest.mark.parametrize("file", ["scores.json", "evidence.json", "provenance.json"])
def test_every_key_that_is_listed_is_in_some_run(file, folder):
    paths = [path for run in ("digits", "mine") for path, _ in leaves(json.loads((folder / run / file).read_text()))]
    assert not [key for key in keys_of(file) if not any(fits(key, path, is_empty=False) for path in paths)]


def test_a_key_that_is_not_listed_would_be_noticed():
    assert [*spelt_out("a.NAME.{b, c}[]")] == [("a", "NAME", "b", "[]"), ("a", "NAME", "c", "[]")]
    assert fits(("a", "NAME"), ("a", "x"), is_empty=False)
    assert not fits(("a", "NAME"), ("a", "x", "new"), is_empty=False)
    assert fits(("a", "NAME", "low"), ("a", "x"), is_empty=True)
    assert not fits(("a", "[]"), ("a", "x"), is_empty=False)


def test_every_file_of_a_folder_is_listed(run):
    for path in run.rglob("*"):
        if path.is_file():
            name = path.relative_to(run)
            shown = name.name if len(name.parts) == 1 else f"{name.parts[0]}/"
            assert f"`{shown}" in PAGE, name


def test_the_columns_of_the_table_are_in_the_order_of_the_page(run):
    reference = (DOCS / "reference.md").read_text()
    table = pq.read_schema(run / "samples.parquet").names
    assert table[:2] == ["arm", "sample"]
    for name in ("arm", "sample", *({"class", "prompt"} & {*table})):
        assert f"| `{name}` |" in PAGE
    for name in table[2:]:
        column = name.rpartition(".")[2].removesuffix("_denoised")
        assert column in ("class", "prompt") or f"| `{column}` |" in reference, name


def test_every_tensor_of_a_shard_is_listed(run):
    for path in (run / "shards").rglob("*.safetensors"):
        with safe_open(path, "pt") as shard:
            for name in shard.keys():  # noqa: SIM118
                assert f"| `{name}` |" in PAGE or name.startswith("energy."), name


def test_every_event_and_its_keys_are_listed(run):
    events = dict(re.findall(r"^\| `([a-z ]+)` \| (.*) \|$", PAGE.partition("and `event`")[2], re.MULTILINE))
    for line in (run / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        assert event["event"] in events
        for key in event.keys() - {"time", "event"}:
            assert f"`{key}`" in events[event["event"]], event


def test_every_file_and_key_of_a_folder_of_scores_is_listed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("samples.npy", np.random.default_rng(0).normal(size=(20, 2)).astype("float32"))
    words = "score samples.npy --metrics memorisation --reference samples.npy --out scores"
    result = CliRunner().invoke(app, words.split())
    assert result.exit_code == 0, result.output
    _, _, part = PAGE.partition("## A folder of scores")
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.*) \|$", part, re.MULTILINE))
    assert {path.name for path in Path("scores").iterdir()} == {*rows}
    for key in json.loads(Path("scores/provenance.json").read_text()):
        assert f"`{key}`" in rows["provenance.json"], key
