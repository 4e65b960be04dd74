"""The commands of those who write plugins, as a user types them."""

import pytest

SOURCE = '''
    import attrs, torch
    import kinetic


    @attrs.frozen(eq=False)
    class Kept(kinetic.Schedule):
        """A gain of 1."""

        breakpoints = ()

        def gain(self, t, x, v):
            return torch.ones_like(t)


    @attrs.frozen(eq=False)
    class Negative(kinetic.Schedule):
        """A gain below 0."""

        breakpoints = ()

        def gain(self, t, x, v):
            return t - 0.5


    @attrs.frozen(eq=False)
    class Needy(kinetic.TimeGrid):
        """A grid that needs to be told."""

        power: float = kinetic.options.number(above=0, doc="of the time")

        def times(self, steps):
            return [0.0, *((k / steps) ** self.power for k in range(1, steps)), 1.0]


    @kinetic.hookimpl
    def register_schedules(register):
        register("kept", Kept)
        register("negative", Negative)


    @kinetic.hookimpl
    def register_grids(register):
        register("needy", Needy)
'''


@pytest.fixture
def kinetic(install, monkeypatch, capfd):
    """kinetic(*words): the exit status and what was printed to both streams, beside a plugin kinetic_yours."""
    from kinetic import _cli

    install("kinetic-yours", "kinetic_yours", SOURCE)

    def call(*words):
        monkeypatch.setattr("sys.argv", ["kinetic", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            _cli.main()
        return ended.value.code, *capfd.readouterr()

    return call


def test_every_promise_that_is_kept_is_a_line_and_the_status_is_0(kinetic):
    status, printed, _ = kinetic("check", "kinetic_yours", "kept")
    assert status == 0
    words = " ".join(printed.split())
    assert words.startswith("schedule kept check promise ok breakpoints")
    assert "ok not_negative Gains are not negative, so that no path goes back in time. ok" in words
    count = words.count(" ok ")
    assert words.endswith(f"{count} of {count} checks hold; 0 component(s) not checked")


def test_a_broken_promise_is_said_with_what_came_and_the_way_on_and_the_status_is_1(kinetic):
    status, printed, _ = kinetic("check", "kinetic-yours", "--role", "schedule")
    assert status == 1
    words = " ".join(printed.split())
    assert "broken not_negative" in words
    assert "expected Negative has gains of 0 or more" in words
    assert "came the least is -0.5" in words
    assert "way on Refuse the options that make it so, or clamp at 0." in words


def test_where_nothing_could_be_checked_the_status_is_1_and_python_is_said(kinetic):
    status, printed, _ = kinetic("check", "kinetic_yours", "needy")
    assert status == 1
    assert "not checked: grid 'kinetic_yours:needy' needs the option 'power'" in printed
    assert "kinetic.testing.checks(Needy(...))" in printed


def test_a_plugin_that_there_is_not_is_one_error_and_status_2(kinetic):
    status, _, said = kinetic("check", "kinetic_your")
    assert status == 2
    assert "Did you mean 'kinetic_yours'?" in said


def test_a_new_plugin_is_written_and_the_next_step_said(kinetic, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, printed, _ = kinetic("new", "ease-in", "--role", "schedule", "--out", "there")
    assert status == 0
    assert printed.splitlines()[0] == "plugin: there"
    assert "pip install --no-deps -e ." in printed
    status, _, said = kinetic("new", "ease-in", "--role", "schedule", "--out", "there")
    assert status == 2
    assert "nothing is overwritten" in said
