"""The processes that share a run, as torchrun and its like start them: nothing but words goes between them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, final

import attrs
import torch

from kinetic._experiment.meet import meeting
from kinetic.errors import KineticError, OptionError, RankError

T = TypeVar("T")

_LOOK = 0.25  # seconds between two looks at whether all are here
_WAY = (
    "The message of that rank, or of what started it, says why. What is finished is kept: run the same command again."
)


@final
@attrs.frozen(eq=False)
class Ranks:
    """The processes that share a run. Rank 0 leads; a run by itself is rank 0 of one.

    They agree by way of gloo on the CPU, also where they compute on GPUs: samples go through the run folder.

    Args:
        rank: which of them this is.
        world: how many there are.
        group: of `torch.distributed`; None where there is one.
    """

    rank: int = 0
    world: int = 1
    group: Any = attrs.field(default=None, repr=False)

    @classmethod
    @contextlib.contextmanager
    def joined(cls, device: str = "auto", environ: Mapping[str, str] = os.environ) -> Iterator[Ranks]:
        """Those that `RANK`, `WORLD_SIZE` and `LOCAL_RANK` tell of, once all of them are there, until the block ends.

        Where `device` leaves open which CUDA device is meant, it is the one of the number of `LOCAL_RANK` from now on.

        Raises:
            OptionError: the variables do not go together.
            RankError: the others cannot be reached.
        """
        rank, world, local = (_integer(environ, name, less) for name, less in _VARIABLES.items())
        if world == 1:
            yield cls()
            return
        if not 0 <= rank < world:
            raise OptionError(f"RANK must be from 0 to {world - 1}, since WORLD_SIZE is {world}: {rank}")
        missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if not environ.get(name)]
        if missing:
            raise OptionError(
                f"WORLD_SIZE is {world}, but {' and '.join(missing)} is not set\n  Start the processes with torchrun, "
                "which sets it, or take WORLD_SIZE away to run alone."
            )
        if not 0 < _integer(environ, "MASTER_PORT", 0) < 65536:
            raise OptionError(f"MASTER_PORT must be from 1 to 65535: {environ['MASTER_PORT']}")
        if device in ("auto", "cuda") and torch.cuda.is_available():
            torch.cuda.set_device(local % torch.cuda.device_count())
        with contextlib.ExitStack() as held:
            yield cls(rank, world, _reaching(lambda: held.enter_context(meeting(rank, world))))

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    @property
    def writer(self) -> str:
        """What the files of this rank are named after; empty for rank 0."""
        return "" if self.leads else f"rank-{self.rank}"

    def of_first(self, value: T | None) -> T:
        """The value that rank 0 gives; that of others does not count."""
        held: list[Any] = [value]
        if self.world > 1:
            _reaching(lambda: torch.distributed.broadcast_object_list(held, 0, group=self.group))
        first: T = held[0]
        return first

    def of_all(self, value: T) -> list[T]:
        """The values that all give, by rank."""
        values = [value] * self.world
        if self.world > 1:
            _reaching(lambda: torch.distributed.all_gather_object(values, value, group=self.group))
        return values

    def each(self, make: Callable[[], T]) -> T:
        """What every rank makes for itself. An error that several have is raised by the first of them alone.

        Raises:
            RankError: another one has it.
        """
        made: list[T] = []
        try:
            made.append(make())
        except KineticError:
            if self.of_all(True).index(True) == self.rank:
                raise
        else:
            if not any(self.of_all(False)):
                return made[0]
        raise RankError(f"another rank could not begin\n  {_WAY}")

    def wait(self, meanwhile: Callable[[], None]) -> None:
        """Until all ranks are here; `meanwhile` is called a few times a second."""
        if self.world == 1:
            return
        work = _reaching(lambda: torch.distributed.barrier(self.group, async_op=True))
        while not work.is_completed():
            meanwhile()
            time.sleep(_LOOK)
        _reaching(work.wait)
        meanwhile()


_VARIABLES = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0}  # and what they are where they are not set


def _integer(environ: Mapping[str, str], name: str, less: int) -> int:
    text = environ.get(name, "") or str(less)
    if not (text.isascii() and text.isdigit()) or int(text) < (name == "WORLD_SIZE"):
        raise OptionError(f"{name} must be a whole number, as torchrun sets it: {text!r}")
    return int(text)


def _reaching(talk: Callable[[], T]) -> T:
    """Talk to the other ranks.

    Raises:
        RankError: one of them has gone, or cannot be reached.
    """
    try:
        return talk()
    except RankError:
        raise
    except (RuntimeError, ValueError) as error:  # gloo and its store have no other
        words = str(error).strip().partition("\n")[0]
        raise RankError(f"another rank has ended, or cannot be reached: {words}\n  {_WAY}") from error
