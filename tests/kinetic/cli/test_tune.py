"""The command `tune`, as a user types it."""

import pytest

RECIPE = """
[run]
samples = 12
classes = 10
[data]
name = "digits"
size = 40
[field]
name = "digits"
[solver]
name = "euler"
steps = 3
[metrics.memorisation]
[tune]
fidelity = "memorisation.ratio"
copying = "memorisation.f_mem"
[arms.plain]
[arms.kts]
schedule = { name = "kts", alpha = 0.0 }
"""


@pytest.fixture
def kinetic(monkeypatch, capsys):
    from kinetic import _cli

    def call(*words):
        monkeypatch.setattr("sys.argv", ["kinetic", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            _cli.main()
        return ended.value.code, *capsys.readouterr()

    return call


def test_a_search_is_printed_and_says_where_its_files_are(kinetic, recipe, tmp_path):
    words = ("tune", recipe(RECIPE), "--out", tmp_path / "out", "--device", "cpu")
    status, printed, _ = kinetic(*words, "--search", "arms.kts.schedule.beta=0.01,0.02")
    assert status == 0
    assert "Candidates, on the noise they are chosen on" in printed
    assert f"numbers: {tmp_path / 'out' / 'tune.json'}" in printed
    assert f"recipe: {tmp_path / 'out' / 'chosen.toml'}" in printed
    status, _, error = kinetic(*words)
    assert status == 2
    assert "there is nothing to search" in error
