import io

from rich.console import Console

from kinetic._progress import Reporter


def test_without_a_terminal_each_arm_is_a_line():
    out = io.StringIO()
    with Reporter(Console(file=out)).running() as bars:
        told = bars.arm("kts", 20)
        told(5.0)
        told(15.0)
        bars.arm("verifying", 3, "files")
        bars.say("comparing")
    assert out.getvalue().splitlines() == ["kts: 20 samples", "verifying: 3 files", "comparing"]


def test_an_arm_that_is_shown_again_begins_anew_and_is_no_second_line():
    out = io.StringIO()
    with Reporter(Console(file=out)).running() as bars:
        bars.arm("kts", 20)(20.0)
        bars.arm("kts", 20)(5.0)
        assert [(task.description, task.completed) for task in bars.progress.tasks] == [("kts", 5)]
    assert out.getvalue().splitlines() == ["kts: 20 samples"]


def test_on_a_terminal_a_bar_counts_the_samples():
    out = io.StringIO()
    with Reporter(Console(file=out, force_terminal=True, width=120)).running() as bars:
        bars.arm("kts", 20)(20.0)
    assert "20/20" in out.getvalue()
