"""Whether a difference is leftover noise only."""

from __future__ import annotations

import math
from typing import Literal

from kinetic.evidence._equivalence import equivalent
from kinetic.evidence._estimate import Estimate, margin
from kinetic.evidence._forecast import round_up, times_to_fit, times_to_pass

NoiseWord = Literal["less", "more", "noise only", "undecided", "no clear difference"]


def noise_verdict(plain: Estimate, denoised: Estimate, control: Estimate, delta: float) -> NoiseWord:
    """What three differences of a score between an arm that was left noisy and its baseline say together.

    The step that denoises moves a score by itself, so it is seen from both sides. `less`: both the denoised and the
    control difference lie below 0, whatever the plain one is; `more`: both lie above. `noise only`: the plain
    difference misses 0, and both lie within +- delta by `equivalent`. `no clear difference`: the plain one does not
    miss 0, and both lie within +- delta or none misses 0. Else, and where one has no interval, `undecided`.

    Args:
        plain: the arm as it was sampled, minus its baseline.
        denoised: the arm after one step that takes leftover noise off, minus its baseline as it was sampled.
        control: the arm after that step, minus its baseline put back to the same time and sent through the same step.
        delta: the smallest difference that matters, >= 0.
    """
    margin(delta)
    if any(each.low is None for each in (plain, denoised, control)):
        return "undecided"
    signs = {denoised.sign, control.sign}
    if signs == {-1}:
        return "less"
    if signs == {1}:
        return "more"
    if equivalent(denoised, delta) and equivalent(control, delta):
        return "noise only" if plain.sign else "no clear difference"
    return "undecided" if plain.sign or signs != {0} else "no clear difference"


def undecided_because(
    denoised: Estimate, control: Estimate, delta: float, n: int | None = None, of: str = "samples"
) -> str:
    """Why `noise_verdict` is undecided, and what would decide, as half a sentence.

    Args:
        denoised, control, delta: as there.
        n: how many samples, or runs, the differences are of.
        of: what these are, in the plural.
    """
    margin(delta)
    if denoised.low is None or control.low is None:
        return "a difference has no interval"
    both = denoised, control
    less, more = (max(times_to_pass(each, sign) for each in both) for sign in (-1, 1))
    times = min(less, more, max(times_to_fit(each, delta) for each in both))
    if not math.isfinite(times):
        return f"the two controls are on different sides: more {of} would not decide"
    needed = f"{max(1.0, times):.2g} times the" if n is None else f"{round_up(max(1.0, times) * n):,}"
    return (
        f"the two controls do not agree on one side, nor are both within {delta:.2g}: about {needed} {of} would decide"
    )
