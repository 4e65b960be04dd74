"""What stops a command from outside: signals, and pipes that nobody reads any more."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import final

_SIGNALS = ("SIGTERM", "SIGHUP")  # SIGINT is Python's own KeyboardInterrupt


@final
class Stopped(KeyboardInterrupt):
    """A signal that asks a process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP stop what runs inside as Ctrl-C does; where they are ignored (`nohup`) they stay so."""
    numbers = [number for name in _SIGNALS if (number := getattr(signal, name, None)) is not None]
    mine = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in mine:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def status_of(stop: KeyboardInterrupt) -> int:
    """The exit status that shells know for a process that ended so: 128 and the number of the signal."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)


def drop_output() -> None:
    """Send what is still to be written to a closed pipe nowhere, so that the interpreter ends without a complaint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once: what is being written is finished or taken back
    raise Stopped(number)
