"""A run in parts, gathered: the same bytes as in one piece."""

import io

import pytest
from rich.console import Console

from kinetic import load_recipe
from kinetic._experiment.parts import Part, draw_part, gather
from kinetic._progress import Reporter
from kinetic.errors import OptionError, StoreError

pytestmark = pytest.mark.proof


@pytest.fixture
def draw(shaky):
    """draw("1/3", out, *overrides): a part of the run of the shaky recipe, by this process."""

    def part(text, out, *overrides):
        reporter = Reporter(Console(file=io.StringIO()))
        return draw_part(load_recipe(shaky, overrides), Part.read(text), out, "cpu", reporter)

    return part


def test_parts_in_any_order_and_of_any_number_are_gathered_to_what_one_process_writes(draw, alone, tmp_path, alike):
    drawn = [block for i in (4, 1, 5, 3, 2) for block in draw(f"{i}/5", tmp_path / "out")]
    assert len(drawn) == len(set(drawn)) == 14
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.safetensors")}
    draw("2/2", tmp_path / "out")  # nothing is left to draw
    run = gather(tmp_path / "out", "cpu")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    alike(alone(tmp_path / "whole").folder, run.folder)
    assert run.provenance["recipe"] == "shaky"


def test_parts_that_begin_at_the_same_time_agree(started, alone, tmp_path, alike):
    running = [process for i in (1, 2, 3) for process in started("--out", "out", "--part", f"{i}/3")]
    for process in running:
        printed, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "when all are, `kinetic gather out` judges them" in printed
    alike(alone(tmp_path / "whole").folder, gather(tmp_path / "out", "cpu").folder)


def test_a_missing_part_is_named_and_nothing_is_drawn_in_its_place(draw, tmp_path):
    out = tmp_path / "out"
    draw("1/3", out)
    draw("3/3", out)
    said = (
        r"lacks 5 of 14 blocks:\n  arm 'plain': samples 7 to 13\n  (.*\n)*  They are of parts 2 of 3: `kinetic run "
        rf"{out}/recipe\.toml --out {out} --part 2/3`"
    )
    with pytest.raises(StoreError, match=said):
        gather(out, "cpu")
    (out / "shards" / "plain" / "00000000-00000007.safetensors").write_bytes(b"torn")
    draw("1/2", out)
    with pytest.raises(StoreError, match=r"lacks \d of 14 blocks(.*\n)*  `kinetic run .*` draws them, and gathers all"):
        gather(out, "cpu")
    assert not (out / "samples.parquet").exists()


def test_a_part_of_another_recipe_is_refused(draw, tmp_path):
    draw("1/3", tmp_path / "out")
    with pytest.raises(StoreError, match=r"holds another run:\n  solver\.steps is 3 there and 4 here"):
        draw("2/3", tmp_path / "out", "solver.steps=4")


def test_a_folder_without_a_run_cannot_be_gathered(tmp_path):
    with pytest.raises(StoreError, match=r"holds no run: there is no recipe\.toml in it"):
        gather(tmp_path)


@pytest.mark.parametrize(
    "text", ["0/3", "4/3", "1/0", "a/b", "1", "1/2/3", "-1/3", "", "1/99999999999", "1 / 2", "٣/٤"]
)
def test_what_is_no_part_is_refused(text):
    with pytest.raises(OptionError, match="'part' must be I/N, with I from 1 to N"):
        Part.read(text)
