"""Prompts of a file: what samples are asked for, in the run, its table, its report and its metrics."""

import io

import numpy as np
import pytest
import torch
from rich.console import Console

from kinetic import load_recipe
from kinetic._experiment.prompts import read_prompts
from kinetic._report import print_report
from kinetic.errors import MissingFileError, RecipeError, StoreError

EVIL = "<script>alert(1)</script> [red]bold[/red] \x1b]52;c;AAAA\x07"
RECIPE = """
[run]
samples = 8
prompts = "{file}"
{more}
[field]
name = "digits"
[solver]
name = "euler"
steps = 4
[energy.kpe]
[metrics.clip]
model = "local-dir:package:kinetic_digits/clip"
[arms.plain]
[arms.kts.schedule]
name = "kts"
"""
LINES = ["# what to draw", "a handwritten digit zero", "", EVIL, "the number two"]


def written(folder, lines=LINES, more=""):
    (folder / "p.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "r.toml").write_text(RECIPE.format(file=folder / "p.txt", more=more))
    return folder / "r.toml"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prompts")
    return load_recipe(written(folder)).run(folder / "out", "cpu")


def test_sample_i_is_asked_for_the_prompt_of_index_i_mod_their_number(run):
    rows = run.rows("kts").sort_by("sample")
    assert rows["class"].to_pylist() == [0, 1, 2, 0, 1, 2, 0, 1]
    prompts = rows["prompt"].to_pylist()
    assert prompts[0] == prompts[3] == "a handwritten digit zero"
    assert prompts[1] == EVIL
    assert run.provenance["prompts"] == ["a handwritten digit zero", EVIL, "the number two"]


def test_clip_scores_each_sample_against_its_own_prompt(run):
    from kinetic_features import CLIPImage

    from kinetic import embed

    images = CLIPImage("local-dir:package:kinetic_digits/clip")
    cosines = embed(images, run.samples("plain")) @ images.texts(tuple(run.provenance["prompts"])).T
    own = cosines[torch.arange(8), torch.arange(8) % 3]
    shown = run.rows("plain").sort_by("sample")["clip.margin_mean"].to_numpy()
    assert np.allclose(shown, 100 * (own - (cosines.sum(1) - own) / 2).numpy(), atol=1e-3)


def test_a_hostile_prompt_is_text_on_the_page_and_on_the_terminal(run):
    page = (run.folder / "report.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    console = Console(width=200, record=True, file=io.StringIO(), force_terminal=True)
    print_report(run, console)
    said = console.file.getvalue()
    assert "\x1b]52" not in said
    assert "[red]bold[/red]" in console.export_text()


def test_prompts_are_lines_without_blanks_around_them_and_blank_lines_and_comments_are_none(tmp_path):
    (tmp_path / "p.txt").write_bytes("\ufeffa cat\r\n\n  # no dog \r\u3000\nein Bär\u2028at night\ra #1 fan".encode())
    assert read_prompts(str(tmp_path / "p.txt")) == ("a cat", "ein Bär\u2028at night", "a #1 fan")


def test_samples_are_those_of_as_many_classes_and_the_metrics_own_prompts_go_first(run, tmp_path):
    recipe = load_recipe(written(tmp_path), ['metrics.clip.prompts=["a", "b", "c"]'])
    assert recipe.runners["plain"].metrics["clip"].prompts == ("a", "b", "c")
    plain = recipe.runners["plain"].run(8, classes=3, device="cpu")
    assert torch.equal(plain.samples, run.samples("plain"))


def test_a_file_larger_than_prompts_are_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("kinetic._experiment.prompts.LARGEST", 3)
    (tmp_path / "p.txt").write_text("four")
    with pytest.raises(RecipeError, match="'prompts' has 4 bytes, at most 3"):
        read_prompts(str(tmp_path / "p.txt"))


def test_a_run_is_bound_to_its_prompts(tmp_path):
    recipe = written(tmp_path)
    load_recipe(recipe).run(tmp_path / "out", "cpu")
    written(tmp_path, [*LINES, "another"])
    with pytest.raises(StoreError, match="was made with other weights or data"):
        load_recipe(recipe).run(tmp_path / "out", "cpu")


def test_an_arm_called_run_does_not_hide_that_prompts_changed(tmp_path):
    recipe = written(tmp_path)
    recipe.write_text(recipe.read_text().replace("arms.plain", "arms.run").partition("[metrics")[0])
    load_recipe(recipe).run(tmp_path / "out", "cpu")
    written(tmp_path, [*LINES[:-1], "the number three"])
    recipe.write_text(recipe.read_text().replace("arms.plain", "arms.run").partition("[metrics")[0])
    with pytest.raises(StoreError, match=r"other weights or data:\n  \[run\]\.prompts is '"):
        load_recipe(recipe).run(tmp_path / "out", "cpu")


@pytest.mark.parametrize(
    ("lines", "more", "message"),
    [
        (["", "# nothing"], "", "holds no prompt"),
        (["a", "", "x" * 2001], "", "holds one of 2001 characters, at most 2000: line 3 of "),
        (["a", "b", " a"], "", "holds one twice: lines 1 and 3 of "),
        (LINES, "classes = 3", "gives both `classes` and `prompts`"),
    ],
)
def test_what_is_no_list_of_prompts_is_named(tmp_path, lines, more, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(written(tmp_path, lines, more))


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"\[run\] 'prompts': there is no"):
        read_prompts(str(tmp_path / "none.txt"))
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="cannot be read as text in UTF-8"):
        read_prompts(str(tmp_path / "b.txt"))
    with pytest.raises(MissingFileError, match="is a folder, and must be a file"):
        read_prompts(str(tmp_path))
    with pytest.raises(RecipeError, match="must be the path of a text file"):
        read_prompts(3)
