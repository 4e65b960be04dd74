"""How many samples at a time, where no number is given."""

from __future__ import annotations

import torch

MEMORY = (
    "Take fewer samples at a time with a smaller `batch`. In a run folder that holds finished blocks it is fixed: free "
    "memory and run the same command again, or begin another folder."
)
"""The way on where memory does not hold so many samples at a time."""

_ELEMENTS, _SAMPLES = 2**22, 500
_COPIES = 1000  # of a sample, that a velocity is taken to need: an estimate, not measured


def batch_size(event_shape: torch.Size, device: torch.device | None = None, dtype: torch.dtype = torch.float32) -> int:
    """At most 500 samples and 4 Mi elements, and on CUDA what half of the free memory holds.

    A sample is taken to need 1000 times its own bytes there, and the number is rounded down to a power of two, so that
    another program's few bytes do not change it. A field that needs more is given a batch of its own.
    """
    elements = max(1, event_shape.numel())
    size = max(1, min(_SAMPLES, _ELEMENTS // elements))
    if device is None or device.type != "cuda":
        return size
    return min(size, fitting(free_memory(device), elements * dtype.itemsize))


def fitting(free: int, sample: int) -> int:
    """The largest power of two of samples of so many bytes that half of the free bytes hold; 1 at least."""
    held = free // (2 * _COPIES * sample)
    return 1 << max(0, held.bit_length() - 1)


def free_memory(device: torch.device) -> int:
    """Bytes on a CUDA device that are free, or kept by torch for its next tensors."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
