"""What the checks of several roles ask with: numbers, tolerances, copies, and the search for jumps."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from kinetic._roles.tree import device_of, inside

N = 6
"""Samples of a batch."""

TIMES = tuple(sorted({0.999, 1 / 3, 2 / 3, *(k / 100 for k in range(101)), *(k / 64 for k in range(65))}))
"""Where something may be singular: both ends, and times that people write."""

EXACT = 1e-12
"""Relative, of sums in float64."""

_TOLERANCES = {torch.float64: 1e-5, torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 5e-2}
_COARSE, _HALVINGS, _JUMP = 257, 40, 1e-4


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Normal numbers, always the same, without a look at the global random state."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def close(a: Tensor, b: Tensor, tolerance: float) -> bool:
    """Whether two tensors of one shape differ by `tolerance` of the larger of 1 and the largest number at most."""
    if a.shape != b.shape:
        return False
    a, b = a.detach().double(), b.detach().double()
    same = (a == b) | (a.isnan() & b.isnan())
    apart = torch.where(same, 0.0, (a - b).abs())
    size = b.nan_to_num(0.0, 0.0, 0.0).abs()
    return a.numel() == 0 or bool(apart.max() <= tolerance * (1 + size.max()))


def apart(a: Tensor, b: Tensor) -> str:
    """How far two tensors are from each other, in words."""
    if a.shape != b.shape:
        return f"{tuple(a.shape)} beside {tuple(b.shape)}"
    if not a.numel():
        return "nothing"
    return f"a difference of {float((a.detach().double() - b.detach().double()).abs().max()):.3g}"


def own_dtypes(component: Any) -> tuple[torch.dtype, ...]:
    """The dtypes that a component is asked in: that of its networks where it has some, float32 and float64 else."""
    of_nets = [
        tensor.dtype
        for module in inside(component, nn.Module)
        for tensor in (*module.parameters(), *module.buffers())
        if tensor.is_floating_point()
    ]
    return (of_nets[0],) if of_nets else (torch.float32, torch.float64)


def home(component: Any) -> torch.device:
    """Where a component is, and asked: where its tensors are."""
    return device_of(component) or torch.device("cpu")


def tolerance_of(dtype: torch.dtype) -> float:
    """How far a row alone may be from the same row in a batch."""
    return _TOLERANCES.get(dtype, 5e-2)


def in_training(component: Any) -> list[str]:
    """The parts of networks inside that are in training mode and act differently there."""
    acting = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase, nn.RReLU)
    return [
        type(part).__name__
        for module in inside(component, nn.Module)
        for part in module.modules()
        if part.training and isinstance(part, acting)
    ]


def copied(component: Any) -> Any:
    """A copy that shares no network with it, or None where it cannot be copied."""
    try:
        return copy.deepcopy(component)
    except (TypeError, RuntimeError, NotImplementedError, AttributeError):
        return None


def jump(of_time: Callable[[Tensor], Tensor], passing: Iterable[float]) -> float | None:
    """Where in (0, 1) a function of time jumps, or None; times `passing` may.

    Args:
        of_time: float64 `(k,)` to `(k, ...)`.
        passing: where it is known to.
    """
    allowed, found = sorted(passing), None
    edges = torch.linspace(0, 1, _COARSE, dtype=torch.float64)[1:-1] + 1e-4  # off the round numbers
    values = of_time(edges).double().cpu().reshape(len(edges), -1)
    scale = 1 + float(values.abs().max())
    change = (values[1:] - values[:-1]).abs().amax(1)
    for k in change.argsort(descending=True)[:8].tolist():
        if float(change[k]) <= _JUMP * scale:
            break
        left, right, step = _narrowed(of_time, float(edges[k]), float(edges[k + 1]))
        if step > _JUMP * scale and not any(left - 1e-6 <= point <= right + 1e-6 for point in allowed):
            found = right if found is None else min(found, right)
    return found


def _narrowed(of_time: Callable[[Tensor], Tensor], left: float, right: float) -> tuple[float, float, float]:
    """The half of an interval that changes more, again and again, and how much is left."""
    step = 0.0
    for _ in range(_HALVINGS):
        times = torch.tensor([left, 0.5 * (left + right), right], dtype=torch.float64)
        low, middle, high = of_time(times).double().cpu().reshape(3, -1)
        first, second = float((middle - low).abs().max()), float((high - middle).abs().max())
        if first >= second:
            right, step = float(times[1]), first
        else:
            left, step = float(times[1]), second
        if right - left < 1e-9:
            break
    return left, right, step


def shapes(given: Sequence[int] | None) -> tuple[tuple[int, ...], ...]:
    """The shapes of a sample to try, one after the other, or the one that was given."""
    return (tuple(given),) if given is not None else ((1, 8, 8), (3, 16, 16), (2,))
