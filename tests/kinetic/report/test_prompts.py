import io
import re

import pyarrow.compute as pc
import pytest
from rich.console import Console

from kinetic._report import print_report
from kinetic._report.prompts import LISTED, prompt_of, prompts, prompts_asked

HOSTILE = [
    "<script>alert('p')</script>",
    "\x1b[2J\x1b]0;gone\x07 [red]x[/red]",
    "{{ 7 * 7 }} $x^$ \u202egnp.exe",
    "a" * 300,
]
TEXT = """
    title = "prompts"
    [run]
    samples = 60
    prompts = "{}"
    [field]
    name = "digits-memorised"
    [solver]
    name = "euler"
    steps = 4
    [energy.kpe]
"""


@pytest.fixture(scope="module")
def run(make, tmp_path_factory):
    path = tmp_path_factory.mktemp("prompts") / "hostile.txt"
    path.write_text("\n".join(HOSTILE), encoding="utf-8")
    return make(TEXT.format(path))


def test_every_prompt_has_a_row_with_its_mean_energy(run):
    table = prompts(run, "base")
    assert prompts_asked(run, "base") == dict(enumerate(HOSTILE))
    assert table.head[:4] == ("number", "prompt", "samples", "kpe")
    assert [row[:3] for row in table.rows] == [(f"#{i}", prompt_of(text), "15") for i, text in enumerate(HOSTILE)]
    rows = run.table.filter(pc.equal(run.table["class"], 1))
    mean = pc.mean(rows["kpe"]).as_py()
    assert float(table.rows[1][3].split(" [")[0]) == pytest.approx(mean, rel=0.02)


def test_a_prompt_is_cut_and_what_steers_is_an_escape():
    assert prompt_of("b" * 101) == "b" * 97 + "..."
    assert prompt_of("b" * 100) == "b" * 100
    assert prompt_of("\x1b[2J\u202e") == r"\x1b[2J\u202e"


def test_hostile_prompts_are_text_on_the_page(run):
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#39;p&#39;)&lt;/script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", page)
    assert r"\x1b[2J\x1b]0;gone\x07 [red]x[/red]".replace(" [red]x[/red]", "") in page
    assert "the prompt that was asked for: #0 &lt;script" in page


def test_hostile_prompts_are_text_on_the_terminal(run):
    out = io.StringIO()
    print_report(run, Console(file=out, width=400, force_terminal=True, color_system=None))
    text = out.getvalue()
    assert "Prompts: base" in text
    assert r"\x1b[2J\x1b]0;gone\x07" in text
    assert "[red]x[/red]" in text
    assert "<script>alert('p')</script>" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", text)


def test_of_many_prompts_the_first_are_listed(make, tmp_path):
    path = tmp_path / "many.txt"
    path.write_text("\n".join(f"prompt {i}" for i in range(60)))
    many = make(TEXT.format(path).replace('"digits-memorised"', '"gaussian"\n    mean = 1.0\n    std = 0.5'))
    table = prompts(many, "base")
    assert len(table.rows) == LISTED
    assert f"The first {LISTED} of 60 prompts" in table.caption


def test_a_run_without_prompts_has_no_such_table(full):
    assert prompts(full, "plain") is None
