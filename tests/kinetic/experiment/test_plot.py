"""`kinetic.plot(run)` and `run.plot` are one thing."""

import pytest

import kinetic
from kinetic import FinishedRun
from kinetic._experiment.one_run import OneRun
from kinetic.errors import OptionError


def test_a_folder_is_drawn_as_it_is_and_a_run_as_its_one_arm(tmp_path):
    finished = FinishedRun(tmp_path)
    assert kinetic.plot(finished).run is finished
    assert finished.plot.run is finished
    assert type(finished.plot) is kinetic.Plots


def test_a_run_in_memory_is_one_arm():
    field = kinetic.registry().classes["field"]["gaussian"](size=2)
    solver = kinetic.registry().classes["solver"]["euler"](steps=1)
    run = kinetic.Runner(field, solver).run(3)
    assert isinstance(run.plot.run, OneRun)
    assert run.plot.run.run is run


@pytest.mark.parametrize("other", [None, "runs/goldilocks", 3])
def test_what_is_no_run_is_refused(other):
    with pytest.raises(OptionError, match="must be a Run or a FinishedRun"):
        kinetic.plot(other)
