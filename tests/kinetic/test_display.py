"""What objects say of themselves in a console and in a notebook is short, whole, and text."""

import io
import re
from html.parser import HTMLParser

import attrs
import numpy as np
import pytest
import torch
from rich.console import Console
from rich.pretty import pretty_repr
from torch import nn

import kinetic
from kinetic import Estimate, load_recipe, registry
from kinetic._display import LINES, Card, Displayed, brief, one_line, several
from kinetic._sample.stored_samples import StoredSamples

NASTY = "<img src=x onerror=alert(1)>[red]\x1b[31m\u202e"

RECIPE = f'''
    title = "{NASTY.encode("unicode_escape").decode().replace(chr(92) + "x", chr(92) + "u00")}"
    [run]
    samples = 12
    classes = 10
    [field]
    name = "digits"
    [solver]
    name = "euler"
    steps = 2
    [energy.kpe]
    [metrics."<b>m</b>"]
    name = "memorisation"
    train = {{ name = "digits", size = 40 }}
    [arms."a-b"]
    [arms.kts.schedule]
    name = "kts"
'''


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.said = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert {name for name, _ in attributes} <= {"style"}

    def handle_data(self, data):
        self.said += data


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """`{class: an object of it}` of all that people hold in a notebook."""
    folder = tmp_path_factory.mktemp("display")
    (folder / "small.toml").write_text(RECIPE, encoding="utf-8")
    recipe = load_recipe(folder / "small.toml")
    finished = recipe.run(folder / "out", device="cpu")
    runner = next(iter(recipe.runners.values()))
    run = runner.run(12, classes=10)
    score = run.details["<b>m</b>"]
    ids = torch.arange(3)
    step = next(runner.solver.solve(lambda x, t, rows: -x, run.samples[:3]))
    objects = [
        recipe,
        finished,
        runner,
        run,
        score,
        *score.values.values(),
        runner.solver,
        registry(),
        step,
        *step.stages,
    ]
    objects += [kinetic.Samples(ids, run.samples[:3]), kinetic.Batch(ids), finished.stored("kts")]
    objects += [kinetic.SampleTable().append(ids, {"a": ids})]
    objects += [kinetic.score_samples(run.samples.clip(-1, 1), metrics={"m": runner.metrics["<b>m</b>"]})]
    return {type(each).__name__: each for each in objects}


def test_all_that_people_hold_is_there(shown):
    assert {*shown} >= {"Recipe", "FinishedRun", "Runner", "Run", "Score", "Estimate", "Euler", "Registry", "SetScores"}


def test_each_has_few_and_short_lines_in_a_console(shown):
    for name, each in shown.items():
        lines = repr(each).splitlines()
        assert 1 <= len(lines) <= LINES, name
        assert max(map(len, lines)) <= 250, name
        assert lines[0].startswith(name), name
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", repr(each)), name


def test_each_is_text_and_nothing_else_in_a_notebook(shown):
    for name, each in shown.items():
        page = Tags(each._repr_html_())
        assert {*page.tags} <= {"div", "strong", "table", "tr", "th", "td"}, name
        assert name in page.said
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", each._repr_html_()), name
    assert "<b>m</b>" in Tags(shown["Run"]._repr_html_()).said
    assert "<img src=x onerror=alert(1)>[red]\\x1b[31m\\u202e" in Tags(shown["Recipe"]._repr_html_()).said


def test_each_is_text_and_nothing_else_on_a_console_of_rich(shown):
    for name, each in shown.items():
        out = io.StringIO()
        Console(file=out, width=200, color_system=None).print(each)
        assert name in out.getvalue()
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out.getvalue()), name
    assert "[red]" in out.getvalue() or "[red]" in _printed(shown["Recipe"])


def _printed(each):
    out = io.StringIO()
    Console(file=out, width=200, color_system=None).print(each)
    return out.getvalue()


def test_a_run_says_its_means_and_its_scores(shown):
    run = shown["Run"]
    kpe, value = float(run.energy["kpe"].mean()), run.details["<b>m</b>"].values["f_mem"]
    assert "12 of 1 x 8 x 8" in repr(run)
    assert f"kpe {kpe:.4g}" in repr(run)
    assert f"f_mem {value}" in repr(run)


def test_a_finished_run_says_a_line_for_each_arm(shown):
    run = shown["FinishedRun"]
    for line, arm in zip(repr(run).splitlines()[1:], run.arms, strict=True):
        assert line.split()[0] == arm
        assert f"kpe {run.scores[arm]['energy']['kpe']['value']:.4g}" in line


def test_a_run_folder_that_is_gone_says_so(tmp_path):
    assert "StoreError" in repr(kinetic.FinishedRun(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("role", "name"), [(role, name) for role, names in registry().classes.items() for name in names]
)
def test_every_component_shows_its_options_in_place_of_what_attrs_writes(role, name):
    assert registry().classes[role][name].__repr__ is Displayed.__repr__


def test_a_component_is_told_as_the_call_that_makes_it():
    euler = registry().classes["solver"]["euler"]
    assert repr(euler(steps=4)) == "Euler(steps=4, grid=Uniform())"
    assert pretty_repr({"solver": euler(steps=4)}) == "{'solver': Euler(steps=4, grid=Uniform())}"
    assert pretty_repr([Estimate(0.5, 0.25, 0.75)]) == "[Estimate(0.5 [0.25, 0.75])]"
    assert repr(kinetic.TensorData(torch.zeros(40, 3, 4, 4))).startswith("TensorData(x=Tensor(40 x 3 x 4 x 4 float32)")


def test_a_strangers_component_with_a_network_is_short_and_its_own_repr_stays():
    @attrs.frozen(eq=False)
    class Net(kinetic.VelocityField):
        net: nn.Module
        event_shape = (2,)

        def velocity(self, x, t, batch):
            return self.net(x)

    @attrs.frozen(eq=False)
    class Own(kinetic.Schedule):
        def gain(self, t):
            return t

        def breakpoints(self):
            return ()

        def __repr__(self):
            return "mine"

    deep = nn.Sequential(*(nn.Linear(2, 2) for _ in range(500)))
    assert repr(Net(deep)) == "Net(net=Sequential(...))"
    assert repr(Own()) == "mine"


def test_an_estimate_is_a_number_with_its_interval():
    assert repr(Estimate(0.5, 0.25, 0.75)) == "Estimate(0.5 [0.25, 0.75])"
    assert f"{Estimate(0.5, 0.25, 0.75)}" == "0.5 [0.25, 0.75]"
    assert "0.5 [0.25, 0.75]" in Tags(Estimate(0.5, 0.25, 0.75)._repr_html_()).said


def test_a_card_of_many_facts_says_how_many_more_there_are():
    card = Card("Many", tuple((str(i), "x") for i in range(100)))
    assert len(card.text.splitlines()) == LINES
    assert card.text.splitlines()[-1].split(maxsplit=1) == ["...", "and 92 more"]
    assert Card("Some", tuple((str(i), "x") for i in range(9))).text.count("\n") == 9


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.zeros(3, 4), "Tensor(3 x 4 float32)"),
        (np.zeros((5, 2)), "ndarray(5 x 2 float64)"),
        (nn.Linear(2, 2), "Linear(...)"),
        ([1, 2, 3, 4, 5, 6], "[1, 2, 3, 4, ...]"),
        ({"a": 1, "b": (2.5, None)}, "{a: 1, b: [2.5, None]}"),
        ("x" * 100, "'" + "x" * 56 + "..."),
        ("one\ntwo", r"'one\ntwo'"),
        (object(), "<object object>"),
    ],
)
def test_values_in_a_few_words(value, words):
    assert brief(value) == words


def test_lists_and_lines_are_cut():
    assert several("abc") == "a, b, c"
    assert several("abcdefg") == "a, b, c, d and 3 more"
    assert one_line("a\n  b\x1b", 20) == r"a b\x1b"
    assert one_line("abcdef", 5) == "ab..."


def test_samples_in_files_are_not_read_to_be_shown(shown, monkeypatch):
    monkeypatch.setattr(StoredSamples, "_read", lambda *_: pytest.fail("they were"))
    assert repr(shown["StoredSamples"]) == "StoredSamples(12 x 1 x 8 x 8 float32, samples)"
