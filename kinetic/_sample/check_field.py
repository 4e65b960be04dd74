"""A field asked for a few velocities: what it raises, answers and depends on, before any sample is drawn."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from kinetic._roles.batch import Batch
from kinetic._roles.field import Shaped, VelocityField
from kinetic._roles.raised import first_line, is_out_of_memory
from kinetic._roles.tree import inside
from kinetic._sample.dynamics import clock_dtype
from kinetic.errors import FieldError, KineticError, OutOfMemoryError, ShapeError
from kinetic.types import PerSample, State

_ALONE = 1e-2  # how far, relative to its size, a velocity may differ for a row alone: kernels round differently
_TWICE = 1e-5  # and how far when asked again
_AGAIN = 16  # times to ask again where a network is in training mode: labels are dropped one time in ten
_BAND = (-1.4, -0.7)  # <v, x>/||x||^2 at t = 0: -1 for a flow from N(0, I) to data paired with the noise at random
_SURE = 5  # standard errors that a slope must lie outside the band
_DEAF = 0.05  # how far, relative to its size, an answer changes at the most that time does not reach
_MOMENT = 1e-3
_JUMP = 0.2  # and how far at most, root mean square, in that time: nets told rightly stay below 0.01
_ELEMENTS, _ROWS = 2048, 256  # noise to see it on, as far as so many samples give it
_ONE_BY_ONE = (
    "Call net.eval() on a network: BatchNorm in training mode does this. So does a guided forward that takes its batch "
    "for doubled: ask for the plain one, and guide by a field that wraps it."
)

Noise = Callable[[range], tuple[State, Batch]]
"""x0 of the samples with these ids, and who they are."""


def check_field(field: VelocityField, x0: State, batch: Batch, noise: Noise | None) -> tuple[State, tuple[str, ...]]:
    """The first velocity of a few samples, asked for at t = 0, and what the field shows when asked again and alone.

    Args:
        field: the field.
        x0: `(n, *event)`, where the samples begin.
        batch: who they are.
        noise: more of the noise they begin with, to see which way the field points; None where they begin at
            something else than N(0, I).
    Returns:
        The velocity, and what should be known of the field.

    Raises:
        FieldError: the field raised an error, or is 0 at t = 0 and at t = 0.5, as a net is before it was trained.
        ShapeError: it answered something else than a velocity for each sample.
    """
    who, t = type(field).__name__, _clock(x0, 0.5)

    def ask(rows: slice) -> Tensor:
        condition = None if batch.condition is None else batch.condition[rows]
        return _asked(field, x0[rows], t[rows], Batch(batch.ids[rows], condition))

    v = _asked(field, x0, _clock(x0, 0.0), Batch(batch.ids, batch.condition))
    together = ask(slice(None))
    again = (ask(slice(None)) for _ in range(_AGAIN if _trains(field) else 1))
    size = float(together.double().square().mean().sqrt()) or 1.0
    twice = next((apart for other in again if (apart := _furthest(other, together) / size) > _TWICE), 0.0)
    if not (twice or bool(v.any()) or bool(together.any())):
        raise FieldError(
            f"{who} is 0 for all {len(x0)} samples at t = 0 and at t = 0.5: nothing would move\n  A net whose last "
            "layer starts at zero answers so before it was trained. Load its weights, and look whether all keys fitted."
        )
    if twice:
        return v, (
            f"{who} answers differently when asked twice, by {twice:.2g} of its size: paths are random. "
            "Call net.eval() on a network: dropout, of labels too, does this.",
        )
    try:
        apart = _furthest(ask(slice(1, 2)), together[1:2]) / size
    except KineticError as error:
        cause = error.__cause__ or error
        return v, (f"{who} answers no sample alone: {type(cause).__name__}: {cause}. {_ONE_BY_ONE}",)
    if apart > _ALONE:
        return v, (
            f"{who} answers a sample differently alone and in a batch, by {apart:.2g} of its size: samples depend on "
            f"the batch. {_ONE_BY_ONE}",
        )
    return v, (*_slope_notes(field, x0, v, batch, noise), *_time_notes(field, x0, v, together, batch))


def slope(x: State, v: State) -> tuple[float, float]:
    """sum <v, x> / sum ||x||^2 over samples `(n, *event)`, and its standard error: that of a ratio, or 1/sqrt(n d)."""
    x, v = x.double().flatten(1), v.double().flatten(1)
    along, square = (v * x).sum(1), x.square().sum(1)
    ratio = along.sum() / square.sum()
    error = (along - ratio * square).square().sum().sqrt() / square.sum()
    return float(ratio), max(float(error), x.numel() ** -0.5)


def _slope_notes(field: VelocityField, x0: State, v: State, batch: Batch, noise: Noise | None) -> tuple[str, ...]:
    if noise is None or isinstance(field, Shaped) or not bool(v.any()):  # a gain scales the slope; a field may wait
        return ()
    if x0.numel() < _ELEMENTS:  # one more velocity, of more samples: few elements scatter
        x0, batch = noise(range(min(_ROWS, -(-_ELEMENTS // max(1, x0[0].numel())))))
        try:
            v = _asked(field, x0, _clock(x0, 0.0), batch)
        except KineticError:  # it may know no samples but those of the run
            return ()
    ratio, error = slope(x0, v)
    low, high = _BAND
    if not (ratio < low - _SURE * error or ratio > high + _SURE * error):  # nor where it is not finite
        return ()
    return (
        f"{type(field).__name__} does not point from noise to data at t = 0: <v, x>/||x||^2 is {ratio:.3g} there, -1 "
        f"for a flow from N(0, I) to data that are independent of its noise. {_looks_like(ratio)}",
    )


def _time_notes(field: VelocityField, x0: State, v: State, halfway: State, batch: Batch) -> tuple[str, ...]:
    """Whether the field is deaf to time, as a net made for times up to 1000 that is told t / 1000, or jumps with it.

    A flow from noise to data answers otherwise at t = 1 than at t = 0, wherever it is asked: one more velocity, and
    only where that halfway is as the first. And it answers alike a moment later, where waves in time of a net that is
    told 1000 t have gone round: one more.
    """
    jump = _jump(field, x0, halfway, batch)
    if jump > _JUMP:
        return (
            f"{type(field).__name__} jumps with t: from t = 0.5 to t = {0.5 + _MOMENT:g} its answer to the same "
            f"samples changes by {jump:.2g} of its size. It looks as if a net made for times in [0, 1] were told times "
            "up to 1000.",
        )
    size = float(v.double().square().mean().sqrt()) or 1.0
    if _furthest(halfway, v) / size > _DEAF:
        return ()
    apart = _furthest(_asked(field, x0, _clock(x0, field.t_end), batch), v) / size
    if not apart <= _DEAF:
        return ()
    return (
        f"{type(field).__name__} hardly depends on t: from t = 0 to t = {field.t_end:g} its answer to the same samples "
        f"changes by {apart:.2g} of its size. It looks as if a net made for times up to 1000 were told t in [0, 1].",
    )


def _jump(field: VelocityField, x0: State, halfway: State, batch: Batch) -> float:
    """How much the answer changes in a moment after t = 0.5, relative to its size; 0 where the field breaks there."""
    later = 0.5 + _MOMENT
    if later > field.t_end or any(0.5 < each <= later for each in field.breakpoints):
        return 0.0
    change = _asked(field, x0, _clock(x0, later), batch) - halfway
    return float(change.double().norm()) / (float(halfway.double().norm()) or 1.0)


def _looks_like(ratio: float) -> str:
    if ratio >= 2:
        return "It looks as if both the sign were wrong and time ran the other way."
    if ratio > 0.5:
        return "It looks as if the sign were wrong, or the net predicted the noise."
    if ratio > -0.25:
        return "It looks as if the net predicted the data x1, not the velocity."
    if ratio > -1:
        return "It looks as if the velocity were halved, or noise and data were paired in training."
    return "It looks as if time ran the other way, t = 1 at the noise."


def _asked(field: VelocityField, x: State, t: PerSample, batch: Batch) -> State:
    """A velocity, with the field's own errors as one that says what it was given."""
    who, given = type(field).__name__, f"x {_described(x)}, t {_described(t)}"
    if batch.condition is not None:
        given += f", condition {_described(batch.condition)} up to {batch.condition.max()}"
    try:
        v = field.velocity(x, t, batch)
    except KineticError:
        raise
    except Exception as error:  # a stranger's network may raise anything
        if is_out_of_memory(error):
            raise OutOfMemoryError(
                f"{who}: memory ran out when asked for {len(x)} velocities: {first_line(error)}\n  Take a larger "
                "machine, or a lower `dtype`."
            ) from error
        raise FieldError(
            f"{who} raised {type(error).__name__} when asked for a velocity: {error}\n  It was given {given}, as every "
            "field is: its own shapes, types and number of classes must fit these, or it converts them."
        ) from error
    if not isinstance(v, Tensor):
        raise ShapeError(f"{who} answered with a {type(v).__name__}, not a tensor: return the velocity alone")
    if v.shape != x.shape or v.dtype != x.dtype:
        raise ShapeError(
            f"{who} answered samples of shape {tuple(x.shape)} and {x.dtype} with velocities of shape "
            f"{tuple(v.shape)} and {v.dtype}; they must be the same"
        )
    return v


def _trains(field: VelocityField) -> bool:
    return any(each.training for each in inside(field, nn.Module))


def _described(x: Tensor) -> str:
    return f"{tuple(x.shape)} {x.dtype}"


def _clock(x0: State, t: float) -> Tensor:
    return torch.full((len(x0),), t, dtype=clock_dtype(x0.dtype), device=x0.device)


def _furthest(a: Tensor, b: Tensor) -> float:
    return float((a - b).double().abs().max())
