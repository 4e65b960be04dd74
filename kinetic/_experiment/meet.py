"""Where the ranks of a run meet, also after some of them were started again."""

from __future__ import annotations

import contextlib
import datetime
import time
import uuid
from collections.abc import Iterator
from typing import Any

import torch
from torch.distributed import distributed_c10d
from torch.distributed.rendezvous import rendezvous

from kinetic.errors import RankError

_NO_LIMIT = datetime.timedelta(days=365)  # of one word: one rank may be done hours before another
_COMING = datetime.timedelta(minutes=30)  # for all to come
_LOOK = 0.05  # seconds between two looks


@contextlib.contextmanager
def meeting(rank: int, world: int) -> Iterator[Any]:
    """A group of `torch.distributed` in which all ranks speak, once all of them are there, until the block ends.

    torchrun keeps one store of keys for all the times that it starts the ranks, and gloo takes keys of earlier ranks
    for those of its own. So rank 0 chooses a name that was never used, and keys are kept under it.

    Raises:
        RankError: they do not all come.
        RuntimeError: what torch raises where a host or a port cannot be reached.
    """
    if not torch.distributed.is_available():
        raise RankError("this torch was built without torch.distributed\n  Run alone, or in parts with `--part I/N`.")
    of_others = torch.distributed.is_initialized()
    if not of_others:
        store, _, _ = next(iter(rendezvous("env://", timeout=_COMING)))
        name = _named(store, world) if rank == 0 else _asked(store, rank)
        own = distributed_c10d.PrefixStore(name, store)
        torch.distributed.init_process_group("gloo", store=own, rank=rank, world_size=world, timeout=_COMING)
    group = torch.distributed.new_group(backend="gloo", timeout=_NO_LIMIT)
    try:
        yield group
    finally:  # else threads of gloo outlive the interpreter
        torch.distributed.destroy_process_group(group if of_others else None)


def _named(store: Any, world: int) -> str:
    """The name, once all others have it. They ask for it under keys that are new each time."""
    name, until = f"kinetic/{uuid.uuid4()}", time.monotonic() + _COMING.total_seconds()
    away = [*range(1, world)]
    while away:
        for rank in away:
            if store.check([f"kinetic/asks/{rank}"]):
                store.set(f"kinetic/answer/{store.get(f'kinetic/asks/{rank}').decode()}", name)
        away = [rank for rank in away if not store.check([f"{name}/{rank}"])]
        if away and time.monotonic() > until:
            raise RankError(f"{len(away)} of {world} ranks did not come in time, rank {away[0]} the first of them")
        time.sleep(_LOOK)
    return name


def _asked(store: Any, rank: int) -> str:
    """The name that rank 0 has chosen."""
    question, until = str(uuid.uuid4()), time.monotonic() + _COMING.total_seconds()
    store.set(f"kinetic/asks/{rank}", question)
    while not store.check([f"kinetic/answer/{question}"]):
        if time.monotonic() > until:
            raise RankError("rank 0 did not come in time")
        time.sleep(_LOOK)
    name: str = store.get(f"kinetic/answer/{question}").decode()
    store.set(f"{name}/{rank}", "here")
    return name
