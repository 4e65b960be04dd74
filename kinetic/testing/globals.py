"""What a whole process shares: its random numbers and its settings, and a fence that puts them back."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """The global random states, each as something that can be compared."""
    kind, keys, *rest = np.random.get_state(legacy=True)
    return {
        "torch": torch.random.get_rng_state().numpy().tobytes(),
        "numpy": (kind, np.asarray(keys).tobytes(), *rest),
        "random": random.getstate(),
    }


def settings() -> dict[str, Any]:
    """The settings of the process, each by what it is called."""
    return {
        "the default dtype": torch.get_default_dtype(),
        "the default device": torch.get_default_device(),
        "the number of threads": torch.get_num_threads(),
        "whether gradients are computed": torch.is_grad_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "the precision of float32 products": torch.get_float32_matmul_precision(),
        "NumPy's handling of errors": tuple(sorted(np.geterr().items())),
    }


def _restore(before: dict[str, Any]) -> None:
    torch.set_default_dtype(before["the default dtype"])
    torch.set_num_threads(before["the number of threads"])
    torch.set_grad_enabled(before["whether gradients are computed"])
    torch.use_deterministic_algorithms(before["deterministic algorithms"])
    torch.set_float32_matmul_precision(before["the precision of float32 products"])
    np.seterr(**dict(before["NumPy's handling of errors"]))


@contextlib.contextmanager
def fenced() -> Iterator[None]:
    """What happens inside leaves random numbers and settings as they were; numbers begin where nobody seeds."""
    before = settings()
    states = torch.random.get_rng_state(), np.random.get_state(), random.getstate()
    torch.random.set_rng_state(torch.Generator().manual_seed(0x6B696E65746963).get_state())
    torch.set_grad_enabled(False)  # as in a run
    try:
        yield
    finally:
        _restore(before)
        torch.random.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])
