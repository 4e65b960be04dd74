"""`kinetic calibrate`, as a user types it."""

import pytest
from kinetic_grids import Given

RECIPE = """
[run]
samples = 4
[field]
name = "gaussian"
std = 0.2
[solver]
name = "euler"
steps = 3
"""


@pytest.fixture
def kinetic(tmp_path, monkeypatch, capfd):
    """kinetic(*words): the exit status and what was printed to both streams, in a folder with a recipe."""
    from kinetic import _cli

    (tmp_path / "r.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr("sys.argv", ["kinetic", *map(str, words)])
        try:
            _cli.main()
            status = 0
        except SystemExit as stop:
            status = stop.code or 0
        return status, "".join(capfd.readouterr())

    return call


def test_it_prints_the_times_and_the_file_that_given_reads(kinetic, tmp_path):
    words = ("--grid", "sharpness", "--steps", "4", "--paths", "9", "--fine", "20", "-o", "g.toml")
    status, printed = kinetic("calibrate", "r.toml", *words)
    assert status == 0
    times = Given(path=str(tmp_path / "g.toml")).times(4)
    assert "times: " + " ".join(f"{t:.4g}" for t in times) in printed
    assert "grid: g.toml" in printed
    assert (
        kinetic("run", "r.toml", "--set", "solver={name='euler', steps=4, grid={name='given', path='g.toml'}}")[0] == 0
    )
    assert kinetic("run", "r.toml", "--out", "o", "--set", "solver.grid={name='sharpness', path='g.toml'}")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--grid", "cosine", "--steps", "4", "-o", "g.toml"), "error: grid 'cosine' is the same for every field"),
        (("--grid", "energy", "--steps", "4", "-o", "g.json"), "error: 'out' must be a .toml file"),
        (("--grid", "energy", "--steps", "4", "-o", "g.toml", "--paths", "0"), "error: 'paths' must be an int >= 2: 0"),
        (("--grid", "energy", "--steps", "4", "-o", "g.toml", "--device", "tpu"), "error: 'device' must be one"),
    ],
)
def test_bad_input_is_one_message_with_status_2_and_no_file(words, said, kinetic, tmp_path):
    status, printed = kinetic("calibrate", "r.toml", *words)
    assert status == 2
    assert printed.startswith(said)
    assert not list(tmp_path.glob("g.*"))
