"""Which schedulers of diffusers walk an ODE, and how their steps go with kinetic's time."""

from __future__ import annotations

from typing import Any

import attrs

from kinetic.errors import KineticError

EULER, HEUN = "FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"
MULTISTEP = (
    "UniPCMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "DEISMultistepScheduler",
)
ALLOWED = (EULER, HEUN, *MULTISTEP)
"""No other one is metered: one that draws noise as it goes has no path energy, and a new one may."""

METERED = "kinetic_metered"
"""The attribute of a scheduler's class while it is metered."""

_ROUNDING = 1e-6


def schedulers_of(pipe: Any) -> list[Any]:
    """The schedulers of a pipeline, each once.

    Raises:
        KineticError: it has none, or one that cannot be metered; the message says why.
    """
    parts = getattr(pipe, "components", None)
    values = parts.values() if isinstance(parts, dict) else vars(pipe).values()
    found = list({id(each): each for each in values if _is_scheduler(each)}.values())
    if not found:
        raise KineticError(f"{type(pipe).__name__} has no scheduler: hand over a pipeline of diffusers, or one's parts")
    for each in found:
        check(each)
    return found


def _is_scheduler(value: Any) -> bool:
    return callable(getattr(value, "step", None)) and callable(getattr(value, "set_timesteps", None))


def check(scheduler: Any) -> None:
    """Refuse a scheduler that does not walk the ODE of a flow.

    Raises:
        KineticError: it is not on the list, draws noise, or is not set to flow.
    """
    cls, config = type(scheduler), scheduler.config
    if hasattr(cls, METERED):
        raise KineticError(f"{cls.__name__} is metered already: leave the `with` around this one first")
    if cls.__name__ not in ALLOWED or not cls.__module__.startswith("diffusers."):
        raise KineticError(
            f"{cls.__name__} cannot be metered\n  Those that can walk the ODE of a flow without noise: "
            f"{', '.join(ALLOWED)}."
        )
    if config.get("stochastic_sampling") or str(config.get("algorithm_type", "")).startswith("sde"):
        raise KineticError(
            f"{cls.__name__} draws noise as it goes (stochastic_sampling or an sde algorithm_type): its paths have no "
            "energy\n  Set it to its ODE."
        )
    flow = config.get("use_flow_sigmas") and config.get("prediction_type") == "flow_prediction"
    if cls.__name__ in MULTISTEP and not flow:
        raise KineticError(
            f"{cls.__name__} is not set to a flow: it needs use_flow_sigmas=True and prediction_type='flow_prediction'"
        )


@attrs.frozen
class Span:
    """One step of a scheduler in kinetic's time, where t = 0 is noise.

    Args:
        t0, t1: from when to when.
        at: where its velocity was asked for.
        sign: what dx/dt is of the network's answer.
        told: the time that the network was told, as the scheduler's noise level.
        sigma: the noise level there.
        last: whether no step follows.
        second: whether it is the second half of a pair (Heun).
        paired: whether a second half follows.
    """

    t0: float
    t1: float
    at: float
    sign: float
    told: float
    sigma: float
    last: bool
    second: bool
    paired: bool


def span_of(scheduler: Any, timestep: Any) -> Span:
    """The step that the scheduler is about to make.

    Raises:
        KineticError: its noise levels are above 1: no flow from noise to data.
    """
    if scheduler.step_index is None:
        scheduler._init_step_index(timestep)
    i, sigmas = scheduler.step_index, scheduler.sigmas
    if float(sigmas.max()) > 1 + _ROUNDING:
        raise KineticError(
            f"the noise levels of {type(scheduler).__name__} rise to {float(sigmas.max()):.4g}: a flow's lie in [0, 1]"
        )
    heun = type(scheduler).__name__ == HEUN
    second = heun and not scheduler.state_in_first_order
    low, high = (i - 1, i) if second else (i, i + 1)
    here, there = float(sigmas[low]), float(sigmas[high])
    at = there if second else here
    inverted = bool(scheduler.config.get("invert_sigmas"))
    t0, t1, when = (each if inverted else 1 - each for each in (here, there, at))
    count = len(scheduler.timesteps)
    return Span(
        t0=t0,
        t1=t1,
        at=when,
        sign=1.0 if inverted else -1.0,
        told=float(timestep) / scheduler.config.num_train_timesteps,
        sigma=at,
        last=i + 1 >= count,
        second=second,
        paired=heun and not second and i + 1 < count,
    )
