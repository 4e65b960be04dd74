"""Finished runs small enough to be made for each session, from real parts, with names that try to break out."""

import textwrap

import pytest

from kinetic import load_recipe

NASTY = "<script>alert('$1$')</script>"
METRIC = "<img src=x onerror=alert(1)> $x^$"

FULL = f'''
    title = "{NASTY} [red]digits[/red]"
    about = "{NASTY}"
    [run]
    samples = 60
    batch = 25
    classes = 10
    [data]
    name = "digits"
    size = 80
    [field]
    name = "digits-memorised"
    [solver]
    name = "euler"
    steps = 10
    [energy.kpe]
    [energy.power]
    bins = 5
    [metrics."{METRIC}"]
    name = "memorisation"
    features = {{ name = "digits" }}
    [metrics.frechet]
    reference = {{ name = "digits", split = "test" }}
    features = {{ name = "digits-logits" }}
    [arms.plain]
    [arms.kts.schedule]
    name = "kts"
    beta = 0.05
    [arms.other]
    field = {{ name = "empirical" }}
    solver = {{ name = "heun", steps = 5 }}
'''


@pytest.fixture(scope="session")
def make(tmp_path_factory):
    """make(text): the finished run of a recipe."""

    def finish(text):
        folder = tmp_path_factory.mktemp("report")
        (folder / "small.toml").write_text(textwrap.dedent(text), encoding="utf-8")
        return load_recipe(folder / "small.toml").run(folder / "out", device="cpu")

    return finish


@pytest.fixture(scope="session")
def full(make):
    """Three arms, two solvers, every kind of table and picture; not to be changed by a test."""
    return make(FULL)
