import hashlib

import pytest
import torch
from kinetic_digits.train import TEMPLATES, WORDS

from kinetic import load_recipe
from kinetic._experiment.prompts import LONGEST, read_prompts
from kinetic.errors import MissingFileError, RecipeError, StoreError

RECIPE = """
[run]
samples = 25
prompts = "{path}"
[field]
name = "digits"
[solver]
name = "euler"
steps = 4
[energy.kpe]
[metrics.clip]
model = "local-dir:package:kinetic_digits/clip"
"""
TEXTS = [TEMPLATES[0].format(word) for word in WORDS]


def written(folder, content):
    path = folder / "prompts.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def recipe_of(folder, *texts, extra=""):
    path = written(folder, "\n".join(texts))
    (folder / "study.toml").write_text(RECIPE.format(path=path) + extra)
    return folder / "study.toml"


def test_prompts_are_lines_without_blanks_around_them_and_blank_lines_are_none(tmp_path):
    content = "\ufeffa cat\r\n\n  # a dog \r\u3000\nein Bär\u2028at night".encode()
    prompts = read_prompts(str(written(tmp_path, content)))
    assert prompts.texts == ("a cat", "# a dog", "ein Bär\u2028at night")
    assert prompts.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "holds no prompt"),
        ("\n \n", "holds no prompt"),
        (b"a cat\na d\xffg", "line 2 of .* is not UTF-8: invalid start byte at byte 9"),
        ("a\n" + "b" * (LONGEST + 1), f"line 2 of .* has {LONGEST + 1} characters, a prompt may have {LONGEST}"),
        ("a\nb\n a", "line 3 of .* repeats line 1: 'a'"),
    ],
)
def test_a_file_that_is_none_of_prompts_is_named(content, says, tmp_path):
    with pytest.raises(RecipeError, match=says):
        read_prompts(str(written(tmp_path, content)))


def test_a_file_larger_than_prompts_are_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("kinetic._experiment.prompts.LARGEST", 3)
    with pytest.raises(RecipeError, match="has 4 bytes, a file of prompts may have 3"):
        read_prompts(str(written(tmp_path, "four")))


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"prompts: there is no 'nowhere\.txt'"):
        read_prompts("nowhere.txt")
    with pytest.raises(RecipeError, match="cannot be read: Is a directory"):
        read_prompts(str(tmp_path))
    with pytest.raises(RecipeError, match="'prompts' must be the path of a text file, one prompt a line: 3"):
        read_prompts(3)


def test_a_recipe_with_prompts_and_classes_is_refused(tmp_path):
    path = recipe_of(tmp_path, "a", "b")
    with pytest.raises(RecipeError, match="gives both `classes` and `prompts`"):
        load_recipe(path, ["run.classes=2"])


def test_prompts_go_to_the_metrics_that_take_them_and_a_sample_has_its_own(tmp_path):
    run = load_recipe(recipe_of(tmp_path, *TEXTS)).run(tmp_path / "out", device="cpu")
    by_class = load_recipe(
        recipe_of(tmp_path, *TEXTS, extra=f"prompts = {TEXTS!r}\n").rename(tmp_path / "own.toml")
    ).run(tmp_path / "own", device="cpu")
    table = run.table
    assert table["class"].to_pylist() == [i % 10 for i in range(25)]
    assert table["prompt"].to_pylist() == [TEXTS[i % 10] for i in range(25)]
    for name in ("clip.score", "clip.margin_mean", "clip.margin_hard"):
        assert table[name].to_pylist() == by_class.table[name].to_pylist()
    plain = load_recipe(tmp_path / "own.toml").runners["base"].run(25, classes=10, device="cpu")
    assert torch.equal(plain.samples, run.samples("base"))


def test_the_metrics_own_prompts_go_before_the_recipes(tmp_path):
    path = recipe_of(tmp_path, "a", "b", extra='prompts = ["c", "d"]\n')
    assert load_recipe(path).runners["base"].metrics["clip"].prompts == ("c", "d")


def test_the_run_folder_keeps_the_prompts_and_a_changed_file_does_not_go_on_in_it(tmp_path):
    path = recipe_of(tmp_path, *TEXTS)
    content = (tmp_path / "prompts.txt").read_bytes()
    run = load_recipe(path).run(tmp_path / "out", device="cpu")
    assert (tmp_path / "out" / "prompts.txt").read_bytes() == content
    assert run.provenance["weights"]["[run]"]["prompts"] == hashlib.sha256(content).hexdigest()
    recipe_of(tmp_path, *TEXTS[:-1], "a photo of a ten")
    with pytest.raises(StoreError, match=r"other weights, data or prompts: (\[run\].prompts|base.metrics.clip)"):
        load_recipe(path).run(tmp_path / "out", device="cpu")


def test_without_a_metric_that_reads_them_a_changed_file_is_noticed_too(tmp_path):
    path, less = recipe_of(tmp_path, "a", "b"), ["energy={}", "metrics={}"]
    path.write_text(path.read_text().partition("[metrics")[0])
    load_recipe(path, less[:1]).run(tmp_path / "out", device="cpu")
    written(tmp_path, "a\nc")
    with pytest.raises(StoreError, match=r"prompts: \[run\].prompts is "):
        load_recipe(path, less[:1]).run(tmp_path / "out", device="cpu")
