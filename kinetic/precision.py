"""Float32 products that are float32 products, whatever the process allows elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Matrix products on this device in the type of their factors: no TF32, no bfloat16, no autocast.

    `torch.set_float32_matmul_precision`, `allow_tf32` and `torch.autocast` round the factors to 11 or 8 bits, which no
    bound for float32 survives. They are as they were afterwards. They belong to the process: other threads that
    multiply meanwhile see the change.
    """
    backends: tuple[Any, Any] = (torch.backends.mkldnn, torch.backends.cuda)
    with torch.autocast(device.type, enabled=False):
        if hasattr(torch.backends.mkldnn, "matmul"):  # torch 2.9 or newer: a setting for each backend
            kept = [backend.matmul.fp32_precision for backend in backends]
            _set(backends, ["ieee", "ieee"])
            try:
                yield
            finally:
                _set(backends, kept)
        else:
            before = torch.get_float32_matmul_precision()
            torch.set_float32_matmul_precision("highest")
            try:
                yield
            finally:
                torch.set_float32_matmul_precision(before)


def _set(backends: tuple[Any, Any], values: list[str]) -> None:
    for backend, value in zip(backends, values, strict=True):
        backend.matmul.fp32_precision = value
