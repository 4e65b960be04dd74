"""The pictures of a run, in memory or in its folder."""

from __future__ import annotations

from kinetic._experiment.one_run import OneRun
from kinetic._report.plots import Plots
from kinetic._sample.run import Run
from kinetic._store.finished_run import FinishedRun
from kinetic.errors import OptionError, shown


def plot(run: Run | FinishedRun) -> Plots:
    """The pictures of a run, which `run.plot` are too: `kinetic.plot(run).energy()`.

    Raises:
        OptionError: it is no run.
    """
    if not isinstance(run, Run | FinishedRun):
        raise OptionError(f"'run' must be a Run or a FinishedRun: {shown(run)}\n  kinetic.load_run(FOLDER) reads one.")
    return Plots(OneRun(run) if isinstance(run, Run) else run)
