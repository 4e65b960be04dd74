"""Float32 products that are float32 products, and norms that do not overflow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


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


def norms(x: Tensor) -> Tensor:
    """||x|| of each row, float64 `(m,)`; finite where the row is finite and float64 can hold its square.

    Squares of float32 are summed in float32, which ends at 3.4e38, and rows beyond that once more in float64. On a GPU,
    where to look at a number is to wait for it, all of them are summed in float64.

    Args:
        x: `(m, ...)`, floating point.
    """
    flat = x.flatten(1)
    if flat.device.type != "cpu":
        return torch.linalg.vector_norm(flat, dim=1, dtype=torch.float64)
    half = flat.dtype in (torch.float16, torch.bfloat16)
    result = torch.linalg.vector_norm(flat, dim=1, dtype=torch.float32 if half else None).double()
    if flat.dtype == torch.float64 or math.isfinite(result.sum().item()):
        return result
    # only the rows that need it: a sample's norm is the same whoever is in its batch
    return torch.where(result.isfinite(), result, torch.linalg.vector_norm(flat, dim=1, dtype=torch.float64))


def _set(backends: tuple[Any, Any], values: list[str]) -> None:
    for backend, value in zip(backends, values, strict=True):
        backend.matmul.fp32_precision = value
