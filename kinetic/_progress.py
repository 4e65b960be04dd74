"""Progress on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

import attrs
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from kinetic._sample.integrate import Progress as OnProgress
from kinetic._terminal import console, printable, say


@final
@attrs.frozen(eq=False)
class Reporter:
    """Says how far a run is: one bar for each arm, and a line for what is done between them."""

    console: Console = attrs.field(factory=lambda: console(stderr=True))

    @contextmanager
    def running(self) -> Iterator[Bars]:
        """Show bars until the block ends. On something that is no terminal, one line for each arm."""
        columns = (
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as progress:
            yield Bars(progress, self.console)


@final
@attrs.frozen(eq=False)
class Bars:
    """What is shown of a run under way."""

    progress: Progress
    console: Console
    tasks: dict[str, TaskID] = attrs.field(factory=dict)

    def arm(self, name: str, samples: int, what: str = "samples") -> OnProgress:
        """A bar for an arm; call it with samples' worth of path walked, or for so much of something else, `what`.

        One that is there begins anew.
        """
        if name in self.tasks:
            task = self.tasks[name]
            self.progress.reset(task, total=samples)
        else:
            task = self.tasks[name] = self.progress.add_task(printable(name), total=samples)
            if not self.console.is_terminal:
                say(self.console, f"{name}: {samples} {what}")
        walked = [0.0]

        def on_progress(done: float) -> None:
            walked[0] += done
            self.progress.update(task, completed=min(samples, round(walked[0])))

        return on_progress

    def say(self, what: str) -> None:
        """A line above the bars."""
        say(self.progress.console, (what, "dim"))
